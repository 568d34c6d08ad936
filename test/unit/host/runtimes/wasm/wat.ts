/** Modules in the text format, with every proposal that the assembler knows; and the imports that most of them begin with. */
import makeWabt from "wabt";

const wabt = await makeWabt();

/** The binary form of a module's text. Names of functions are kept. */
export function wat(source: string): Uint8Array<ArrayBuffer> {
  const module = wabt.parseWat("test.wat", source, FEATURES);
  try {
    return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
  } finally {
    module.destroy();
  }
}

/** What a PDK imports, by the names it has there. */
export const ENV = `
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))`;

/** `$text at length` puts bytes of the memory into a block, `$answer at length` makes them the output. */
export const TEXTS = `
  (func $text (param $at i32) (param $length i32) (result i64)
    (local $block i64) (local $i i32)
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $length))))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $length)) (then
        (call $store_u8 (i64.add (local.get $block) (i64.extend_i32_u (local.get $i)))
          (i32.load8_u (i32.add (local.get $at) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))
    (local.get $block))
  (func $answer (param $at i32) (param $length i32)
    (call $output_set (call $text (local.get $at) (local.get $length)) (i64.extend_i32_u (local.get $length))))`;

/** A module whose `on_alert` does this, with the functions above and a page of memory that begins with `data`. */
export function hookModule(
  body: string,
  { data = "", imports = "", more = "" } = {},
): Uint8Array<ArrayBuffer> {
  return wat(`(module ${ENV} ${imports}
    (memory (export "memory") 1)
    (data (i32.const 0) "${data}")
    ${TEXTS} ${more}
    (func (export "on_alert") (result i32) ${body}))`);
}

// --- internal ---

const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  bulk_memory: true,
  reference_types: true,
  multi_value: true,
  tail_call: true,
  extended_const: true,
  multi_memory: true,
  memory64: true,
  threads: true,
  gc: true,
};
