/** What a hook gets and gives, how it fails, and that a failure of one call is not one of the next. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { GuestRefusal, GuestThrown } from "../../../../../src/host/runtimes/wasm/guest-errors.ts";
import { rejection } from "../../../../fixtures/rejection.ts";
import { module, section } from "../../../../wasm/binary.ts";
import { openGuest } from "./guest.ts";
import { ENV, hookModule, wat } from "./wat.ts";

async function refusal(code: Uint8Array): Promise<GuestRefusal> {
  const error = await rejection(openGuest(code));
  expect(error).toBeInstanceOf(GuestRefusal);
  return error as GuestRefusal;
}

async function thrown(call: Promise<unknown>): Promise<GuestThrown> {
  const error = await rejection(call);
  expect(error).toBeInstanceOf(GuestThrown);
  return error as GuestThrown;
}

/** Gives its input back: byte by byte through `input_load`, or the input's own block. */
const ECHO = hookModule(`
  (local $block i64) (local $i i64)
  (local.set $block (call $alloc (call $input_length)))
  (loop $next
    (if (i64.lt_u (local.get $i) (call $input_length)) (then
      (call $store_u8 (i64.add (local.get $block) (local.get $i)) (call $input_load_u8 (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $next))))
  (call $output_set (local.get $block) (call $input_length))
  (i32.const 0)`);
const ECHO_BLOCK = hookModule("(call $output_set (call $input_offset) (call $input_length)) (i32.const 0)");

const gives = (text: string) =>
  hookModule(`(call $answer (i32.const 0) (i32.const ${Buffer.byteLength(text)})) (i32.const 0)`, {
    data: [...new TextEncoder().encode(text)]
      .map((byte) => `\\${byte.toString(16).padStart(2, "0")}`)
      .join(""),
  });

describe("a program", () => {
  const WASI = '(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))';
  const NAMED = '(memory (export "memory") 1) (func (export "on_alert") (result i32) (i32.const 0))';
  const module = (imports: string, ...names: readonly string[]) =>
    wat(`(module ${imports} ${NAMED} ${names.map((name) => `(func (export "${name}"))`).join("")})`);

  test("whose runtime nothing would start is refused, with how to build a reactor", async () => {
    const { message, hint } = await refusal(module(WASI, "_start"));
    expect(message).toBe("it is a program (it exports _start and no _initialize), and a reactor is wanted");
    expect(hint).toBe("build it with: go build -buildmode=c-shared, clang -mexec-model=reactor");
  });

  for (const [what, code] of [
    ["_initialize beside _start", module(WASI, "_start", "_initialize")],
    ["constructors beside _start", module(WASI, "_start", "__wasm_call_ctors")],
    ["neither", module(WASI)],
    ["_start and nothing of WASI", module("", "_start")],
  ] as const)
    test(`is not what has ${what}`, async () => {
      expect(await (await openGuest(code)).run()).toBeNull();
    });
});

describe("a hook", () => {
  for (const [how, code] of [
    ["byte by byte", ECHO],
    ["as a block", ECHO_BLOCK],
  ] as const)
    test(`gets the event as JSON, ${how}`, async () => {
      const { run } = await openGuest(code);
      const event = { id: "1", text: "Grüße 🚀 \u0000", list: [1, -2.5, null, true] };
      expect(await run(event)).toEqual(event);
      expect(await run("x".repeat(100_000))).toBe("x".repeat(100_000));
      expect(await run()).toBeNull();
    });

  test("needs no output, and no result", async () => {
    expect(await (await openGuest(hookModule("(i32.const 0)"))).run()).toBeNull();
    expect(await (await openGuest(wat('(module (func (export "on_alert")))'))).run()).toBeNull();
    expect(await (await openGuest(gives("  \n"))).run()).toBeNull();
  });

  test("may set its output to a part of a block, and free it, and set it again", async () => {
    const { run } = await openGuest(
      hookModule(
        `(local $block i64)
         (call $answer (i32.const 0) (i32.const 3))
         (local.set $block (call $text (i32.const 0) (i32.const 9)))
         (call $output_set (i64.add (local.get $block) (i64.const 3)) (i64.const 4))
         (call $free (local.get $block))
         (i32.const 0)`,
        { data: "xxxtruexx" },
      ),
    );
    expect(await run()).toBe(true);
  });

  test("may take its output back", async () => {
    const code = hookModule(
      "(call $answer (i32.const 0) (i32.const 4)) (call $output_set (i64.const 0) (i64.const 0)) (i32.const 0)",
      { data: "true" },
    );
    expect(await (await openGuest(code)).run()).toBeNull();
  });

  test("keeps its memory from call to call, and not its blocks", async () => {
    const { run } = await openGuest(
      hookModule(
        `(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
         (i32.store8 (i32.const 0) (i32.add (global.get $calls) (i32.const 48)))
         (call $answer (i32.const 0) (i32.const 1))
         (i32.const 0)`,
        { more: "(global $calls (mut i32) (i32.const 0))" },
      ),
    );
    expect([await run(), await run(), await run()]).toEqual([1, 2, 3]);
  });

  test("of many calls leaks nothing: a hundred thousand blocks in all", async () => {
    const { run } = await openGuest(
      hookModule(`(local $i i32)
        (loop $next
          (drop (call $alloc (i64.const 600)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $i) (i32.const 10000))))
        (i32.const 0)`),
    );
    for (let i = 0; i < 10; i++) expect(await run()).toBeNull();
  });

  test("is found by its name; other exports are none", async () => {
    const { guest } = await openGuest(
      wat(`(module (func (export "on_alert")) (func (export "pre_stop") (result i32) (i32.const 0))
        (func (export "on_other")) (func (export "constructor") (param i32)) (func (export "__proto__"))
        (global (export "toString") i32 (i32.const 0)))`),
    );
    expect(guest.handlers).toEqual(["on_alert", "pre_stop"]);
    expect((await thrown(guest.call("on_other", {}))).message).toBe(
      "the module exports no function on_other",
    );
    expect((await thrown(guest.call("on_backup_complete", {}))).message).toContain("exports no function");
  });
});

describe("a hook fails", () => {
  test("by a number, with or without a text", async () => {
    const silent = await thrown((await openGuest(hookModule("(i32.const 3)"))).run());
    expect(silent).toMatchObject({
      name: "Error",
      message: "on_alert returned 3, and gave no reason (error_set)",
    });
    const data = "not on a Friday";
    const said = "(call $error_set (call $text (i32.const 0) (i32.const 15)))";
    for (const code of [`${said} (i32.const 1)`, `${said} (i32.const 0)`, `${said} (i32.const -1)`])
      expect(await thrown((await openGuest(hookModule(code, { data }))).run())).toMatchObject({
        name: "Error",
        kind: "threw",
        message: data,
      });
  });

  test("not where it took its error back", async () => {
    const code = hookModule(
      "(call $error_set (call $text (i32.const 0) (i32.const 2))) (call $error_set (i64.const 0)) (i32.const 0)",
    );
    expect(await (await openGuest(code)).run()).toBeNull();
  });

  test("with the text that it set, where it ends in a trap", async () => {
    const code = hookModule("(call $error_set (call $text (i32.const 0) (i32.const 5))) unreachable", {
      data: "sorry",
    });
    expect((await thrown((await openGuest(code)).run())).message).toBe("sorry");
  });

  test("with no more of its text than anybody reads", async () => {
    const code = hookModule("(call $error_set (call $alloc (i64.const 60000000))) (i32.const 1)");
    const error = await thrown((await openGuest(code)).run());
    expect(error.message.length).toBeLessThanOrEqual(4 * LIMITS.errorTextChars);
  });

  test("and is the same instance in the next call", async () => {
    const { run } = await openGuest(
      hookModule(
        `(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
         (if (i32.eq (global.get $calls) (i32.const 1)) (then (return (i32.const 1))))
         (i32.store8 (i32.const 0) (i32.add (global.get $calls) (i32.const 48)))
         (call $answer (i32.const 0) (i32.const 1)) (i32.const 0)`,
        { more: "(global $calls (mut i32) (i32.const 0))" },
      ),
    );
    await thrown(run());
    expect(await run()).toBe(2);
  });
});

describe("an output that can't be taken is refused", () => {
  for (const text of ["oops", '{"half":', "1 2", "NaN", "'a'", "\u0000", "undefined"])
    test(JSON.stringify(text), async () => {
      const error = await thrown((await openGuest(gives(text))).run());
      expect(error.kind).toBe("refused");
      expect(error.message).toMatch(/^it is no JSON; it begins with "/);
    });

  test("one that is no UTF-8", async () => {
    const code = hookModule("(call $answer (i32.const 0) (i32.const 3)) (i32.const 0)", {
      data: "\\ff\\fe\\fd",
    });
    expect((await thrown((await openGuest(code)).run())).message).toContain("it is no JSON");
  });

  test("one of too many levels or values", async () => {
    const deep = "[".repeat(300) + "]".repeat(300);
    expect((await thrown((await openGuest(gives(deep))).run())).message).toContain("300 levels, at most 200");
    const wide = `[${"0,".repeat(60_000)}0]`;
    const { run } = await openGuest(ECHO_BLOCK);
    const error = await thrown(run(JSON.parse(wide)));
    expect(error.kind).toBe("refused");
    expect(error.message).toContain("60001 values, at most 50000");
  });

  test("one that is larger than a message", async () => {
    const code = hookModule(
      `(call $output_set (call $alloc (i64.const ${LIMITS.messageBytes + 1})) (i64.const ${LIMITS.messageBytes + 1}))
       (i32.const 0)`,
    );
    const error = await thrown((await openGuest(code)).run());
    expect(error).toMatchObject({ kind: "refused", message: "it has 8.0 MiB, at most 8 MiB are taken" });
  });
});

describe("a trap has a name, and the next call a new instance", () => {
  const traps: readonly (readonly [what: string, code: string, words: RegExp])[] = [
    ["unreachable", "unreachable", /"unreachable"/],
    ["stack overflow", "(call $deep)", /stack overflowed/],
    ["a load out of bounds", "(drop (i32.load (i32.const -4)))", /outside its memory/],
    [
      "a fill out of bounds",
      "(memory.fill (i32.const 0) (i32.const 0) (i32.const 99999999))",
      /outside its memory/,
    ],
    ["a call beyond the table", "(call_indirect (type $none) (i32.const 9))", /beyond the table's end/],
    ["a call of nothing", "(call_indirect (type $none) (i32.const 0))", /is not there or has another type/],
    [
      "a call of another type",
      "(call_indirect (type $none) (i32.const 1))",
      /is not there or has another type/,
    ],
    ["a table out of bounds", "(table.set 0 (i32.const 77) (ref.null func))", /end of one of its tables/],
    ["a division by zero", "(drop (i32.div_s (i32.const 1) (i32.const 0)))", /divided by zero/],
    ["an overflow", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", /too large/],
    ["a number that is none", "(drop (i32.trunc_f32_s (f32.const nan)))", /can't hold it/],
    ["an exception", "(throw $problem (i32.const 1))", /exception that nothing in it caught/],
  ];
  const more = `(type $none (func)) (func $deep (call $deep)) (func $other (param i32)) (tag $problem (param i32))
    (table 2 funcref) (elem (i32.const 1) func $other) (global $used (mut i32) (i32.const 48))`;

  for (const [what, code, words] of traps)
    test(what, async () => {
      const body = `
        (if (i64.eq (call $input_length) (i64.const 2)) (then ${code}))
        (i32.store8 (i32.const 0) (global.get $used))
        (global.set $used (i32.const 49))
        (call $answer (i32.const 0) (i32.const 1))
        (i32.const 0)`;
      const { run } = await openGuest(hookModule(body, { more }));
      expect([await run(), await run()]).toEqual([0, 1]);
      const error = await thrown(run(12));
      expect(error.message).toMatch(words);
      expect(error.message).not.toMatch(/evaluating|src\//);
      expect([await run(), await run()]).toEqual([0, 1]);
    });

  test("its stack names the module's functions, innermost first, and none of ours", async () => {
    const code = hookModule("(call $outer) (i32.const 0)", {
      more: "(func $inner unreachable) (func $outer (call $inner))",
    });
    const error = await thrown((await openGuest(code)).run());
    expect(error.name).toBe("Trap");
    expect(error.stack.split("\n").slice(0, 2)).toEqual(["inner", "outer"]);
    expect(error.stack).not.toMatch(/\.ts|wasm-function/);
  });

  test("a fault of a host function ends the call, and says which", async () => {
    const { run } = await openGuest(
      hookModule(
        "(if (i64.eq (call $input_length) (i64.const 2)) (then (call $store_u8 (i64.const 5) (i32.const 1)))) (i32.const 0)",
      ),
    );
    expect((await thrown(run(12))).message).toBe(
      "store_u8: the offset 0x5 is in no block that the module holds",
    );
    expect(await run()).toBeNull();
  });

  test("a module that got no more memory is told of with what it had", async () => {
    const code = hookModule("(drop (memory.grow (i32.const 1023))) unreachable");
    expect((await thrown((await openGuest(code)).run())).message).toEndWith(
      "; it had 64 MiB of memory, and gets at most 64 MiB",
    );
  });

  test("a module may catch a fault, and goes on", async () => {
    const code = hookModule(
      `(try (do (call $store_u8 (i64.const 5) (i32.const 1))) (catch_all))
       (call $answer (i32.const 0) (i32.const 4)) (i32.const 0)`,
      { data: "true" },
    );
    expect(await (await openGuest(code)).run()).toBe(true);
  });

  test("an instance that can't be started again says so, and the one after is tried anew", async () => {
    let isBroken = false;
    const code = hookModule(
      "(if (i64.eq (call $input_length) (i64.const 2)) (then unreachable)) (i32.const 0)",
      {
        imports: '(import "extism:host/env" "log_info" (func $log_info (param i64)))',
        more: `(func (export "_initialize") (call $log_info (call $alloc (i64.const 1))))`,
      },
    );
    const { run } = await openGuest(code, {
      log() {
        if (isBroken) throw new Error("no log");
      },
    });
    isBroken = true;
    await thrown(run(12));
    expect((await thrown(run())).message).toBe(
      "it could not be started again after its last call failed: the module's _initialize failed: no log",
    );
    isBroken = false;
    expect(await run()).toBeNull();
  });
});

describe("an input", () => {
  for (const [what, code] of [
    ["beyond its end", "(drop (call $input_load_u8 (call $input_length)))"],
    ["a word beyond its end", "(drop (call $input_load_u64 (i64.const 2)))"],
    ["before its beginning", "(drop (call $input_load_u8 (i64.const -1)))"],
    [
      "in the next block",
      "(drop (call $alloc (i64.const 9))) (drop (call $input_load_u8 (i64.const 134217728)))",
    ],
    ["far away", "(drop (call $input_load_u8 (i64.const 0x7fffffffffffffff)))"],
  ] as const)
    test(`is not read ${what}`, async () => {
      const error = await thrown((await openGuest(hookModule(`${code} (i32.const 0)`))).run("1234567"));
      expect(error.message).toMatch(/^(load_u8|load_u64|input_load): /);
    });

  test("is gone where the module freed it", async () => {
    const code = hookModule("(call $free (call $input_offset)) (i64.ne (call $input_length) (i64.const 0))");
    expect(await (await openGuest(code)).run("text")).toBeNull();
  });
});

describe("a module is not taken", () => {
  test("whose bytes the engine does not take", async () => {
    const code = module(section(1, [1, 0x60, 0, 1, 0x7f]), section(3, [1, 0]), section(10, [1, 2, 0, 0x0b]));
    expect((await refusal(code)).message).toMatch(
      /^the module is damaged, or uses what this engine does not have: (at byte|block with) /,
    );
  });

  for (const [what, text, message] of [
    [
      "takes something",
      '(func (export "on_alert") (param i32))',
      "exports on_alert as (i32) → nothing, wanted () → i32 or () → nothing",
    ],
    ["gives something else", '(func (export "on_alert") (result i64) (i64.const 0))', "as () → i64, wanted"],
    ["is no function", '(global (export "on_alert") i32 (i32.const 0))', "as a global, wanted"],
  ] as const)
    test(`with a hook that ${what}`, async () => {
      expect((await refusal(wat(`(module ${text})`))).message).toContain(message);
    });

  for (const [what, text, message] of [
    [
      "its start function",
      "(start $f) (func $f unreachable)",
      'the module can\'t be started: it ran into "unreachable"',
    ],
    [
      "its data",
      '(memory 1) (data (i32.const 70000) "x")',
      "the module can't be started: its initial data does not fit",
    ],
    [
      "_initialize",
      '(func (export "_initialize") unreachable)',
      "the module's _initialize failed: it ran into",
    ],
    [
      "__wasm_call_ctors",
      '(func (export "__wasm_call_ctors") unreachable)',
      "__wasm_call_ctors failed: it ran into",
    ],
    [
      "a fault in _initialize",
      `${ENV} (func (export "_initialize") (call $free (i64.const 5)))`,
      "_initialize failed: free: the offset 0x5",
    ],
    [
      "an _initialize of another type",
      '(func (export "_initialize") (param i32))',
      "exports _initialize as (i32) → nothing",
    ],
    [
      "Haskell's hs_init",
      '(func (export "hs_init"))',
      "exports hs_init as () → nothing, wanted no such export",
    ],
  ] as const)
    test(`because of ${what}`, async () => {
      expect((await refusal(wat(`(module ${text})`))).message).toContain(message);
    });
});

test("_initialize comes once for each instance, before the first hook, and stands in for __wasm_call_ctors", async () => {
  const { run } = await openGuest(
    hookModule(
      `(if (i64.eq (call $input_length) (i64.const 2)) (then unreachable))
       (i32.store8 (i32.const 0) (i32.add (global.get $n) (i32.const 48)))
       (call $answer (i32.const 0) (i32.const 1)) (i32.const 0)`,
      {
        more: `(global $n (mut i32) (i32.const 0))
          (func (export "_initialize") (global.set $n (i32.add (global.get $n) (i32.const 1))))
          (func (export "__wasm_call_ctors") (global.set $n (i32.const 9)))`,
      },
    ),
  );
  expect([await run(), await run()]).toEqual([1, 1]);
  await thrown(run(12));
  expect(await run()).toBe(1);
});
