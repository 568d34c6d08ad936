/** A module gets the functions that it imports, all of them, or is told which one there is not, and why. */
import { describe, expect, test } from "bun:test";
import { GuestRefusal } from "../../../../../src/host/runtimes/wasm/guest-errors.ts";
import type { WasmGuestOptions } from "../../../../../src/host/runtimes/wasm/wasm-guest.ts";
import { rejection } from "../../../../fixtures/rejection.ts";
import { openGuest, UNGRANTED } from "./guest.ts";
import { wat } from "./wat.ts";

const module = (imports: string) =>
  wat(`(module ${imports} (memory (export "memory") 1) (func (export "on_alert")))`);

const importing = (space: string, name: string, type: string) =>
  module(`(import "${space}" "${name}" (func ${type}))`);

async function refusal(code: Uint8Array, options: Partial<WasmGuestOptions> = {}): Promise<GuestRefusal> {
  const error = await rejection(openGuest(code, options));
  expect(error).toBeInstanceOf(GuestRefusal);
  return error as GuestRefusal;
}

describe("a PDK's imports", () => {
  const one = "(param i64) (result i64)";
  const pdk: readonly (readonly [names: string, type: string])[] = [
    ["alloc length length_unsafe load_u64 input_load_u64 config_get var_get", one],
    ["free error_set log_trace log_debug log_info log_warn log_error", "(param i64)"],
    ["load_u8 input_load_u8", "(param i64) (result i32)"],
    ["store_u8", "(param i64 i32)"],
    ["store_u64 output_set var_set", "(param i64 i64)"],
    ["input_length input_offset http_headers", "(result i64)"],
    ["get_log_level http_status_code", "(result i32)"],
    ["http_request", "(param i64 i64) (result i64)"],
  ];
  for (const [names, type] of pdk)
    for (const name of names.split(" "))
      test(name, async () => {
        expect((await openGuest(importing("extism:host/env", name, type))).guest.handlers).toEqual([
          "on_alert",
        ]);
      });

  test("may come more than once", async () => {
    const free = '(import "extism:host/env" "free" (func (param i64)))';
    expect((await openGuest(module(free + free))).guest.handlers).toEqual(["on_alert"]);
  });
});

describe("what was not granted is not linked", () => {
  for (const [space, name, type, needs, first] of [
    ["extism:host/user", "notify_send", "(param i64) (result i64)", "notify_send", "notify_send"],
    [
      "extism:host/user",
      "net_fetch",
      "(param i64) (result i64)",
      "network_outbound or notify_send",
      "network_outbound",
    ],
    [
      "extism:host/env",
      "http_request",
      "(param i64 i64) (result i64)",
      "network_outbound or notify_send",
      "network_outbound",
    ],
    [
      "extism:host/env",
      "http_headers",
      "(result i64)",
      "network_outbound or notify_send",
      "network_outbound",
    ],
  ] as const)
    test(`${space}.${name}: the refusal names the import, the capability and the command`, async () => {
      expect((await openGuest(importing(space, name, type))).guest.handlers).toEqual(["on_alert"]);
      const error = await refusal(importing(space, name, type), { methods: UNGRANTED });
      expect(error.message).toBe(
        `the module imports "${space}.${name}", which needs ${needs}; that is not granted`,
      );
      expect(error.hint).toBe(`to allow it: voxeltron plugin grant sample ${first}`);
    });

  test("the command names what plugin.toml asks for, where another would do as well", async () => {
    const methods = UNGRANTED.map((method) => ({ ...method, asked: ["notify_send"] as const }));
    const code = importing("extism:host/env", "http_headers", "(result i64)");
    expect((await refusal(code, { methods })).hint).toBe(
      "to allow it: voxeltron plugin grant sample notify_send",
    );
  });

  for (const [space, name, type, capability] of [
    ["extism:host/user", "notify_send", "(param i64) (result i64)", "notify_send"],
    ["extism:host/env", "http_headers", "(result i64)", "network_outbound"],
  ] as const)
    test(`${space}.${name}: what plugin.toml does not ask for can't be granted, and is to be asked for`, async () => {
      const methods = UNGRANTED.map((method) => ({ ...method, asked: [] }));
      const { message, hint } = await refusal(importing(space, name, type), { methods });
      expect(message).toContain(`imports "${space}.${name}", which needs ${capability}`);
      expect(hint).toBe(
        `plugin.toml does not ask for it: add required = ["${capability}"] under [capabilities]`,
      );
    });

  test("what needs no grant is there all the same", async () => {
    const code = importing("extism:host/user", "kv_get", "(param i64) (result i64)");
    expect((await openGuest(code, { methods: UNGRANTED })).guest.handlers).toEqual(["on_alert"]);
  });
});

describe("what there is not", () => {
  for (const [what, code, message, hint] of [
    [
      "a misspelt function",
      importing("extism:host/user", "notify_sent", "(param i64) (result i64)"),
      'the module imports "extism:host/user.notify_sent", and there is no such function',
      "did you mean notify_send?",
    ],
    [
      "a function of no name that is known",
      importing("extism:host/env", "launch_missiles", ""),
      'imports "extism:host/env.launch_missiles", and there is no such function',
      "docs/wasm.md has the list of all functions",
    ],
    [
      "a function in the wrong place",
      importing("env", "kv_get", "(param i64) (result i64)"),
      'imports "env.kv_get", and there is no such function',
      "docs/wasm.md",
    ],
    [
      "a place that there is not",
      importing("extism:host/usr", "kv_get", "(param i64) (result i64)"),
      'there is nothing called "extism:host/usr"; there is: extism:host/env, extism:host/user, wasi_snapshot_preview1, env',
      "did you mean extism:host/user.kv_get?",
    ],
    [
      "an old WASI",
      importing("wasi_unstable", "fd_close", "(param i32) (result i32)"),
      '"wasi_unstable"',
      "fd_close",
    ],
    [
      "the older one of Go",
      importing("gojs", "runtime.wasmExit", "(param i32)"),
      '"gojs"',
      "GOOS=wasip1, not GOOS=js",
    ],
    ["wasm-bindgen", importing("wbg", "__wbg_log", "(param i32)"), '"wbg"', "without wasm-bindgen"],
    [
      "a name of every object",
      importing("extism:host/env", "constructor", ""),
      "no such function",
      "docs/wasm.md",
    ],
    ["a place of every object", importing("__proto__", "toString", ""), 'nothing called "__proto__"', ""],
    [
      "a global",
      module('(import "extism:host/env" "free" (global i32))'),
      "as a global, and it is a function",
      "",
    ],
    [
      "a tag",
      module('(import "extism:host/env" "free" (tag (param i32)))'),
      "as a tag, and it is a function",
      "",
    ],
    [
      "a function of another type",
      importing("extism:host/env", "alloc", "(param i32) (result i32)"),
      'imports "extism:host/env.alloc" as (i32) → i32, and it is (i64) → i64',
      "docs/wasm.md has the types",
    ],
    [
      "a function of WASI of another type",
      importing("wasi_snapshot_preview1", "fd_write", "(param i32 i32 i32 i32)"),
      "as (i32, i32, i32, i32) → nothing, and it is (i32, i32, i32, i32) → i32",
      "docs/wasm.md",
    ],
  ] as const)
    test(`${what} is named`, async () => {
      const error = await refusal(code);
      expect(error.message).toContain(message);
      expect(error.hint ?? "").toContain(hint);
    });

  test("a method that the broker does not have is not there under Extism's name either", async () => {
    const error = await refusal(importing("extism:host/env", "var_get", "(param i64) (result i64)"), {
      methods: [],
    });
    expect(error.message).toContain("there is no such function");
  });
});
