/**
 * A module whose hooks each call one of the broker's functions: the event is the parameters, the answer is the output. For tests of
 * what a WASM plugin gets from the door, method by method.
 */
import makeWabt from "wabt";
import type { HookName } from "../../src/sdk/index.ts";

export interface ForwarderOptions {
  /** In place of the event. */
  readonly params?: object;
  /** Calls in a row; the last one's answer is the output. */
  readonly times?: number;
}

/** `functions`: hook → import, such as `{on_alert: "kv_get"}`. */
export async function forwarder(
  functions: Readonly<Partial<Record<HookName, string>>>,
  { params, times = 1 }: ForwarderOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const entries = Object.entries(functions);
  const imports = entries.map(
    ([hook, name]) => `(import "extism:host/user" "${name}" (func $${hook} (param i64) (result i64)))`,
  );
  const hooks = entries.map(
    ([hook]) => `(func (export "${hook}") (result i32)
      (local $answer i64) (local $params i64) (local $left i32)
      (local.set $params ${params === undefined ? "(call $input)" : "(call $own-params)"})
      (local.set $left (i32.const ${times}))
      (loop $again
        (local.set $answer (call $${hook} (local.get $params)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $again (local.get $left)))
      (call $output (local.get $answer) (call $length (local.get $answer)))
      (i32.const 0))`,
  );
  const text = `(module
    ${imports.join("\n")}
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    ${params === undefined ? "" : OWN_IMPORTS}
    (memory (export "memory") 1)
    ${params === undefined ? "" : ownParams(JSON.stringify(params))}
    ${hooks.join("\n")})`;
  const wabt = await makeWabt();
  return new Uint8Array(wabt.parseWat("forwarder.wat", text).toBinary({}).buffer);
}

// --- internal ---

const OWN_IMPORTS = `
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u8" (func $store (param i64 i32)))`;

/** A block with the text, from the module's own memory. */
function ownParams(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  const data = bytes.map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return `(data (i32.const 0) "${data}")
    (func $own-params (result i64)
      (local $at i64) (local $i i32)
      (local.set $at (call $alloc (i64.const ${bytes.length})))
      (loop $next
        (call $store
          (i64.add (local.get $at) (i64.extend_i32_u (local.get $i)))
          (i32.load8_u (local.get $i)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const ${bytes.length}))))
      (local.get $at))`;
}
