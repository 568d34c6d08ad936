/** What a Worker sends is checked as if it came from the network. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { parseGuestMessage } from "../../../../../src/host/runtimes/wire/guest-message.ts";

describe("parseGuestMessage", () => {
  test.each([
    { jsonrpc: "2.0", id: 1, method: "host", params: { method: "kv.get", params: { key: "a" } } },
    { jsonrpc: "2.0", method: "cancel", params: { id: 1 } },
    { jsonrpc: "2.0", method: "log", params: { level: "info", text: "x", fields: { a: 1 } } },
    { jsonrpc: "2.0", id: 1, result: null },
    { jsonrpc: "2.0", id: 1, error: { code: -32000, message: "", data: { kind: "no_hook" } } },
    { jsonrpc: "2.0", method: "stopped", params: { reason: "memory", detail: "" } },
  ])("takes %j", (message) => {
    expect(parseGuestMessage(JSON.stringify(message))).toBeDefined();
  });

  test.each([
    ["text that is no JSON", "{"],
    ["another thing than text", { jsonrpc: "2.0", id: 1, result: 1 }],
    ["null", "null"],
    ["another version", JSON.stringify({ jsonrpc: "1.0", id: 1, result: 1 })],
    ["an unknown method", JSON.stringify({ jsonrpc: "2.0", id: 1, method: "load", params: {} })],
    ["an id that is text", JSON.stringify({ jsonrpc: "2.0", id: "1", result: 1 })],
    ["an id that is no integer", JSON.stringify({ jsonrpc: "2.0", id: 1.5, result: 1 })],
    ["a negative id", JSON.stringify({ jsonrpc: "2.0", id: -1, result: 1 })],
    [
      "an unknown level",
      JSON.stringify({ jsonrpc: "2.0", method: "log", params: { level: "fatal", text: "x" } }),
    ],
    [
      "log fields that are a list",
      JSON.stringify({ jsonrpc: "2.0", method: "log", params: { level: "info", text: "x", fields: [1] } }),
    ],
    [
      "a method name that is too long",
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "host", params: { method: "x".repeat(101) } }),
    ],
    [
      "an unknown reason",
      JSON.stringify({ jsonrpc: "2.0", method: "stopped", params: { reason: "fun", detail: "" } }),
    ],
    [
      "a message that is too large",
      JSON.stringify({ jsonrpc: "2.0", id: 1, result: "x".repeat(LIMITS.messageBytes + 2000) }),
    ],
    ["brackets without end", "[".repeat(1_000_000)],
    ["objects that take a thousand places each", manyWith("999")],
  ])("refuses %s", (_what, data) => {
    expect(parseGuestMessage(data)).toBeUndefined();
  });

  test("takes as many objects whose keys are no index", () => {
    expect(parseGuestMessage(manyWith("key"))).toBeDefined();
  });

  test.each([["__proto__"], [String.raw`\u005f\u005fproto__`]])("drops the key %s", (key) => {
    const text = `{"jsonrpc":"2.0","id":1,"result":{"a":{"${key}":{"polluted":1}}}}`;
    const message = parseGuestMessage(text) as { result: { a: object } };
    expect(Object.getOwnPropertyNames(message.result.a)).toEqual([]);
  });
});

// --- internal ---

/** Ten thousand objects with one key: as text, 100 KB at most. */
function manyWith(key: string): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    result: Array.from({ length: 10_000 }, () => ({ [key]: 1 })),
  });
}
