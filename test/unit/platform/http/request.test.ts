import { describe, expect, test } from "bun:test";
import { checkHeaders, checkRequest, redirected } from "../../../../src/platform/http/request.ts";
import { parseTarget } from "../../../../src/platform/http/target.ts";

const request = { url: "https://a.test/x?y", method: "POST", headers: [] };

describe("checkRequest", () => {
  test("methods are upper-cased", () => {
    expect(checkRequest({ ...request, method: "patch" }).method).toBe("PATCH");
  });

  test.each(["CONNECT", "TRACE", "TRACK", "FOO", "", "GET / HTTP/1.1\r\nX: y", "GE T"])(
    "the method %j is refused",
    (method) => {
      expect(() => checkRequest({ ...request, method })).toThrow(
        expect.objectContaining({ code: "capability.invalid_params" }),
      );
    },
  );

  test.each(["GET", "head"])("%s takes no body", (method) => {
    expect(() => checkRequest({ ...request, method, body: new Uint8Array(1) })).toThrow("has no body");
  });

  test("a body that is too large is refused", () => {
    expect(() => checkRequest({ ...request, body: new Uint8Array(5 * 1024 * 1024 + 1) })).toThrow(
      expect.objectContaining({ code: "capability.limit" }),
    );
  });
});

describe("checkHeaders", () => {
  test.each([
    ["Accept", "a/b"],
    ["X-Token", "caf\u00e9\t1"],
    ["authorization", "Bearer x"],
    ["Cookie", "a=b"],
    ["x!#$%&'*+.^_`|~-", ""],
  ])("%s: %s may be sent", (name, value) => {
    expect(() => checkHeaders([[name, value]])).not.toThrow();
  });

  test.each([
    "Host",
    "host",
    "HOST",
    "Connection",
    "Content-Length",
    "Transfer-Encoding",
    "TE",
    "Trailer",
    "Upgrade",
    "Keep-Alive",
    "Expect",
    "HTTP2-Settings",
    "Proxy-Authorization",
    "Proxy-Connection",
    "proxy-anything",
    "",
    "X Y",
    "X:Y",
    "X\r\nEvil",
    "X\0",
    "Host ",
    " Host",
    "H\u00f6st",
  ])("the header name %j is refused", (name) => {
    expect(() => checkHeaders([[name, "x"]])).toThrow(
      expect.objectContaining({ code: "capability.invalid_params" }),
    );
  });

  test.each(["a\r\nEvil: 1", "a\nb", "a\rb", "a\0b", "\u2713", "a\u007f", "a\u0001"])(
    "the value %j is refused and not repeated",
    (value) => {
      expect(() => checkHeaders([["X-A", value]])).toThrow(/"X-A"/);
      expect(() => checkHeaders([["X-A", `s3cret${value}`]])).toThrow(/^(?!.*s3cret)/s);
    },
  );

  test("number and size are bounded", () => {
    const many = Array.from({ length: 101 }, (_, i) => [`x-${i}`, "1"] as const);
    expect(() => checkHeaders(many)).toThrow("at most 100 headers");
    expect(() => checkHeaders([["x", "a".repeat(65_536)]])).toThrow("bytes are sent");
  });
});

describe("redirected", () => {
  test("reads no URL that is longer than one may be: its host alone could keep the parser busy", () => {
    const location = `http://a${"%cc%81%cc%a7".repeat(5_000)}/`;
    expect(() => redirected(post, from, 302, location)).toThrow("redirects to a URL of 60009 characters");
  });

  const from = parseTarget("https://a.test/x?y");
  const headers = [
    ["Authorization", "Bearer x"],
    ["COOKIE", "a=b"],
    ["Content-Type", "text/plain"],
    ["X-Own", "1"],
  ] as const;
  const body = new Uint8Array([1]);
  const post = { url: "https://a.test/x?y", method: "POST", headers, body };
  const names = (pairs: readonly (readonly [string, string])[] | undefined) => pairs?.map(([name]) => name);

  test("only the five redirect statuses with a Location are redirects", () => {
    for (const status of [200, 300, 304, 305, 306, 309, 400])
      expect(redirected(post, from, status, "/z")).toBeUndefined();
    expect(redirected(post, from, 302, null)).toBeUndefined();
  });

  test.each([
    [301, "POST", "GET"],
    [302, "POST", "GET"],
    [303, "POST", "GET"],
    [307, "POST", "POST"],
    [308, "POST", "POST"],
    [301, "PUT", "PUT"],
    [303, "PUT", "GET"],
    [303, "HEAD", "HEAD"],
    [302, "HEAD", "HEAD"],
    [302, "GET", "GET"],
  ])("%d turns %s into %s", (status, method, after) => {
    const next = redirected({ ...post, method }, from, status, "/z");
    expect(next?.method).toBe(after);
    expect(next?.body === undefined).toBe(after !== method);
    expect(names(next?.headers)?.includes("Content-Type")).toBe(after === method);
  });

  test("a location is read relative to the hop, with query and fragment", () => {
    expect(redirected(post, from, 307, "z?q#f")?.url).toBe("https://a.test/z?q#f");
    expect(redirected(post, from, 307, "//b.test/z")?.url).toBe("https://b.test/z");
  });

  test.each(["https://b.test/", "https://a.test:444/", "https://x.a.test/"])(
    "credentials stay behind on the way to %s",
    (location) => {
      expect(names(redirected(post, from, 307, location)?.headers)).toEqual(["Content-Type", "X-Own"]);
    },
  );

  test("credentials go along within the origin", () => {
    expect(names(redirected(post, from, 307, "https://a.test:443/z")?.headers)).toContain("Authorization");
  });

  test("https is not given up for http, while http may become https", () => {
    expect(() => redirected(post, from, 307, "http://a.test/z")).toThrow(
      expect.objectContaining({ code: "network.failed" }),
    );
    expect(redirected(post, parseTarget("http://a.test/"), 307, "https://a.test/z")?.url).toBe(
      "https://a.test/z",
    );
  });

  test("a location that is no URL is an error", () => {
    expect(() => redirected(post, from, 302, "http://[")).toThrow(
      expect.objectContaining({ code: "network.failed" }),
    );
  });
});
