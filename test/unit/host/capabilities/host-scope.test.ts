import { describe, expect, test } from "bun:test";
import { isInHostScope, parseHostRule } from "../../../../src/host/capabilities/host-scope.ts";

describe("isInHostScope", () => {
  test.each([
    ["example.com", "example.com", 443, true],
    ["example.com", "example.com", 8080, true],
    ["EXAMPLE.com.", "example.com", 443, true],
    ["bücher.example", "xn--bcher-kva.example", 443, true],
    ["example.com", "www.example.com", 443, false],
    ["example.com", "evil-example.com", 443, false],
    ["example.com", "example.com.evil.test", 443, false],
    ["example.com:8443", "example.com", 8443, true],
    ["example.com:8443", "example.com", 443, false],
    ["*.example.com", "www.example.com", 443, true],
    ["*.example.com", "a.b.example.com", 443, true],
    ["*.example.com", "example.com", 443, false],
    ["*.example.com", "evilexample.com", 443, false],
    ["*.example.com:444", "www.example.com", 444, true],
    ["*.example.com:444", "www.example.com", 443, false],
    ["93.184.216.34", "93.184.216.34", 80, true],
    ["[2606:4700::1]", "2606:4700::1", 443, true],
    ["[2606:4700::1]:444", "2606:4700::1", 444, true],
    ["[2606:4700:0::1]:444", "2606:4700::1", 443, false],
    ["*", "example.com", 443, false],
    ["*.", "example.com", 443, false],
    ["", "example.com", 443, false],
    ["exam*ple.com", "example.com", 443, false],
    ["https://example.com", "example.com", 443, false],
    ["example.com/path", "example.com", 443, false],
    ["user@example.com", "example.com", 443, false],
  ])("%s allows %s:%d: %p", (entry, host, port, expected) => {
    expect(isInHostScope([entry], { host, port })).toBe(expected);
  });

  test("an empty scope allows nothing", () => {
    expect(isInHostScope([], { host: "example.com", port: 443 })).toBe(false);
  });

  test("one of several entries is enough", () => {
    expect(isInHostScope(["a.test", "b.test:81"], { host: "b.test", port: 81 })).toBe(true);
  });
});

describe("parseHostRule", () => {
  test.each([
    "*",
    "*.*.com",
    "a b",
    "a.test:0",
    "a.test:65536",
    "a.test:x",
    "*.127.0.0.1",
    "$(x).com",
    "[::1",
    "a;b",
  ])("refuses %j", (text) => {
    expect(parseHostRule(text)).toBeUndefined();
  });
});
