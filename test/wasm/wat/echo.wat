;; Gives back what it was given, eight bytes at a time. For the benchmark of rooms, where other hosts run the same module.
(module
  (import "extism:host/env" "input_length" (func $length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $load64 (param i64) (result i64)))
  (import "extism:host/env" "input_load_u8" (func $load8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store64 (param i64 i64)))
  (import "extism:host/env" "store_u8" (func $store8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "on_alert") (result i32)
    (local $n i64) (local $i i64) (local $at i64)
    (local.set $n (call $length))
    (local.set $at (call $alloc (local.get $n)))
    (block $words-done
      (loop $words
        (br_if $words-done (i64.gt_u (i64.add (local.get $i) (i64.const 8)) (local.get $n)))
        (call $store64 (i64.add (local.get $at) (local.get $i)) (call $load64 (local.get $i)))
        (local.set $i (i64.add (local.get $i) (i64.const 8)))
        (br $words)))
    (block $done
      (loop $bytes
        (br_if $done (i64.ge_u (local.get $i) (local.get $n)))
        (call $store8 (i64.add (local.get $at) (local.get $i)) (call $load8 (local.get $i)))
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br $bytes)))
    (call $output (local.get $at) (local.get $n))
    (i32.const 0)))
