/** Extism's configuration, log, variables and HTTP, as a PDK uses them, on top of a broker that is a fake. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { rejection } from "../../../../fixtures/rejection.ts";
import { denied, openGuest } from "./guest.ts";
import { hookModule } from "./wat.ts";

const I64 = "(param i64) (result i64)";
const IMPORTS = `
  (import "extism:host/env" "config_get" (func $config_get ${I64}))
  (import "extism:host/env" "var_get" (func $var_get ${I64}))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
  (import "extism:host/env" "http_status_code" (func $http_status_code (result i32)))
  (import "extism:host/env" "http_headers" (func $http_headers (result i64)))
  (import "extism:host/env" "get_log_level" (func $get_log_level (result i32)))`;

/** Gives the block's content, which must be JSON; `"none"` for null. */
const MORE = `
  (func $give (param $block i64)
    (if (i64.eqz (local.get $block))
      (then (call $answer (i32.const 65000) (i32.const 6)))
      (else (call $output_set (local.get $block) (call $length (local.get $block))))))
  (data (i32.const 65000) "\\22none\\22")`;

/** The event's own text, without its quotes, is a block: what is wanted. */
const WANTED = "(local.set $wanted (call $input_offset))";

const using = (body: string, data = "") =>
  hookModule(`(local $wanted i64) ${WANTED} ${body} (i32.const 0)`, { imports: IMPORTS, more: MORE, data });

const at = (text: string) => `(call $text (i32.const 0) (i32.const ${text.length}))`;

describe("config_get", () => {
  const config = {
    text: '"plain"',
    number: 42,
    list: ["one", "two"],
    yes: true,
    empty: "",
    ["__proto__"]: undefined,
  };
  for (const [key, wanted] of [
    ["text", "plain"],
    ["number", 42],
    ["list", ["one", "two"]],
    ["yes", true],
    ["empty", null],
    ["missing", "none"],
    ["constructor", "none"],
    ["toString", "none"],
    ["hasOwnProperty", "none"],
  ] as const)
    test(key, async () => {
      const { run } = await openGuest(using(`(call $give (call $config_get ${at(key)}))`, key), { config });
      expect(await run()).toEqual(wanted as never);
    });

  test("an empty text is a block, and none is null", async () => {
    const code = using(
      `(i32.store8 (i32.const 0) (i32.add (i32.const 48) (i64.ne (call $config_get ${at("e")}) (i64.const 0))))
       (call $answer (i32.const 0) (i32.const 1))`,
      "e",
    );
    expect(await (await openGuest(code, { config: { e: "" } })).run()).toBe(1);
    expect(await (await openGuest(code, { config: {} })).run()).toBe(0);
  });
});

describe("the log", () => {
  for (const [name, level] of [
    ["log_trace", "debug"],
    ["log_debug", "debug"],
    ["log_info", "info"],
    ["log_warn", "warn"],
    ["log_error", "error"],
  ] as const)
    test(`${name} is ${level}`, async () => {
      const code = hookModule("(call $log (call $input_offset)) (i32.const 0)", {
        imports: `(import "extism:host/env" "${name}" (func $log (param i64)))`,
      });
      const { run, lines } = await openGuest(code);
      await run("Grüße");
      expect(lines).toEqual([{ level, text: '"Grüße"' }]);
    });

  test("a long line comes with no more than its beginning", async () => {
    const code = hookModule("(call $log (call $alloc (i64.const 50000000))) (i32.const 0)", {
      imports: '(import "extism:host/env" "log_info" (func $log (param i64)))',
    });
    const { run, lines } = await openGuest(code);
    await run();
    expect(lines[0]?.text.length).toBe(4 * LIMITS.logTextChars);
  });

  test("nothing is held back: the level is that of debug", async () => {
    const code = using(
      "(i32.store8 (i32.const 0) (i32.add (i32.const 48) (call $get_log_level))) (call $answer (i32.const 0) (i32.const 1))",
    );
    expect(await (await openGuest(code)).run()).toBe(1);
  });
});

describe("variables are the plugin's store", () => {
  for (const [what, stored, given] of [
    ["a text", '"seen"', "seen"],
    ["bytes", new TextEncoder().encode("[1,2]"), [1, 2]],
    ["any JSON", { a: [1] }, { a: [1] }],
    ["nothing", undefined, "none"],
    ["null", null, "none"],
  ] as const)
    test(`var_get gives ${what}`, async () => {
      const { run, calls } = await openGuest(using(`(call $give (call $var_get ${at("key")}))`, "key"), {
        answer: () => stored,
      });
      expect(await run()).toEqual(given as never);
      expect(calls).toEqual([{ method: "kv.get", params: { key: "key" } }]);
    });

  test("var_set keeps a text as text, and what is none as bytes", async () => {
    const text = await openGuest(using(`(call $var_set ${at("k")} (local.get $wanted))`, "k"));
    await text.run("Grüße");
    expect(text.calls).toEqual([{ method: "kv.set", params: { key: "k", value: '"Grüße"' } }]);
    const bytes = await openGuest(
      using(
        "(call $var_set (call $text (i32.const 0) (i32.const 1)) (call $text (i32.const 1) (i32.const 3)))",
        "k\\ff\\00\\fe",
      ),
    );
    await bytes.run();
    expect(bytes.calls).toEqual([
      { method: "kv.set", params: { key: "k", value: Uint8Array.of(255, 0, 254) } },
    ]);
  });

  test("a byte order mark is a part of the text", async () => {
    const { run, calls } = await openGuest(
      using(
        "(call $var_set (call $text (i32.const 0) (i32.const 1)) (call $text (i32.const 1) (i32.const 4)))",
        "k\\ef\\bb\\bfx",
      ),
    );
    await run();
    expect(calls).toEqual([{ method: "kv.set", params: { key: "k", value: "\ufeffx" } }]);
  });

  test("var_set with null deletes", async () => {
    const { run, calls } = await openGuest(using(`(call $var_set ${at("k")} (i64.const 0))`, "k"));
    await run();
    expect(calls).toEqual([{ method: "kv.delete", params: { key: "k" } }]);
  });

  test("what the broker refuses ends the call with its words", async () => {
    const { run } = await openGuest(using(`(call $var_set ${at("k")} (local.get $wanted))`, "k"), {
      answer() {
        throw denied();
      },
    });
    expect(await rejection(run())).toMatchObject({ message: "var_set: that is not granted; grant it" });
  });

  test("a wild offset asks nobody", async () => {
    const { run, calls } = await openGuest(using("(call $give (call $var_get (i64.const 7)))"));
    expect(await rejection(run())).toMatchObject({
      message: "var_get: the offset 0x7 is in no block that the module holds",
    });
    expect(calls).toEqual([]);
  });
});

describe("HTTP is the broker's net.fetch", () => {
  const response = {
    url: "https://example.com/",
    status: 201,
    statusText: "Created",
    headers: [
      ["Content-Type", "application/json"],
      ["Set-Cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["__proto__", "x"],
    ],
    body: new TextEncoder().encode('{"ok":true}'),
    redirected: false,
  };
  const request = "(call $http_request (local.get $wanted) (i64.const 0))";

  test("the request comes as the broker wants it, the body as it is", async () => {
    const { run, calls } = await openGuest(using(`(call $give ${request})`), { answer: () => response });
    expect(await run({ url: "https://example.com/", method: "post", headers: { "X-A": "1", b: 2 } })).toEqual(
      { ok: true },
    );
    expect(calls).toEqual([
      {
        method: "net.fetch",
        params: {
          url: "https://example.com/",
          method: "POST",
          headers: [
            ["X-A", "1"],
            ["b", "2"],
          ],
        },
      },
    ]);
  });

  test("with a body, but where there can be none", async () => {
    const code = using(
      "(drop (call $http_request (local.get $wanted) (call $text (i32.const 0) (i32.const 4))))",
      "body",
    );
    const { run, calls } = await openGuest(code, { answer: () => response });
    await run({ url: "u", method: "PUT", header: { a: "b" } });
    await run({ url: "u", method: "GET" });
    await run({ url: "u" });
    expect(calls.map(({ params }) => params)).toEqual([
      { url: "u", method: "PUT", headers: [["a", "b"]], body: new TextEncoder().encode("body") },
      { url: "u", method: "GET", headers: [] },
      { url: "u", method: "GET", headers: [] },
    ]);
  });

  test("status and headers are those of the last answer", async () => {
    const status = using(
      `(drop ${request})
       (i32.store8 (i32.const 0) (i32.add (i32.const 48) (i32.sub (call $http_status_code) (i32.const 200))))
       (call $answer (i32.const 0) (i32.const 1))`,
    );
    expect(await (await openGuest(status, { answer: () => response })).run({ url: "u" })).toBe(1);
    const headers = await openGuest(using(`(drop ${request}) (call $give (call $http_headers))`), {
      answer: () => response,
    });
    expect(JSON.stringify(await headers.run({ url: "u" }))).toBe(
      '{"content-type":"application/json","set-cookie":"a=1, b=2","__proto__":"x"}',
    );
    expect(await (await openGuest(using("(call $give (call $http_headers))"))).run()).toBe("none");
  });

  for (const [what, event, words] of [
    ["no JSON object", [1], "the request is no JSON object"],
    ["no URL", { method: "GET" }, 'the request has no "url"'],
    ["headers that are none", { url: "u", headers: [1] }, '"headers" must be an object of texts'],
  ] as const)
    test(`a request with ${what} is a fault`, async () => {
      const { run, calls } = await openGuest(using(`(call $give ${request})`));
      expect(await rejection(run(event))).toMatchObject({ message: `http_request: ${words}` });
      expect(calls).toEqual([]);
    });

  test("what the broker refuses ends the call with its words", async () => {
    const { run } = await openGuest(using(`(call $give ${request})`), {
      answer() {
        throw denied();
      },
    });
    expect(await rejection(run({ url: "u" }))).toMatchObject({
      message: "http_request: that is not granted; grant it",
    });
  });
});
