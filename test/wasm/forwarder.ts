/**
 * A module whose hooks each call one of the broker's functions: the event is the parameters, the answer is the output. For tests of
 * what a WASM plugin gets from the door, method by method.
 */
import makeWabt from "wabt";
import type { HookName } from "../../src/sdk/index.ts";

/** `functions`: hook → import, such as `{on_alert: "kv_get"}`. */
export async function forwarder(
  functions: Readonly<Partial<Record<HookName, string>>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const entries = Object.entries(functions);
  const imports = entries.map(
    ([hook, name]) => `(import "extism:host/user" "${name}" (func $${hook} (param i64) (result i64)))`,
  );
  const hooks = entries.map(
    ([hook]) => `(func (export "${hook}") (result i32)
      (local $answer i64)
      (local.set $answer (call $${hook} (call $input)))
      (call $output (local.get $answer) (call $length (local.get $answer)))
      (i32.const 0))`,
  );
  const text = `(module
    ${imports.join("\n")}
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (memory (export "memory") 1)
    ${hooks.join("\n")})`;
  const wabt = await makeWabt();
  return new Uint8Array(wabt.parseWat("forwarder.wat", text).toBinary({}).buffer);
}
