/** Every module gets its caps or is refused with its reason; what the engine then holds is asked of the engine. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { capModule } from "../../../../../src/host/runtimes/wasm/cap-module.ts";
import { GuestRefusal } from "../../../../../src/host/runtimes/wasm/guest-errors.ts";
import { isHookName } from "../../../../../src/sdk/index.ts";
import { wasmModule } from "../../../../wasm/modules.ts";
import { RECIPES, type ModuleName } from "../../../../wasm/recipes.ts";
import { module, section, vector, name as nameBytes } from "../../../../wasm/binary.ts";
import { wat } from "./wat.ts";

const PAGES = LIMITS.guestMemoryPages;
const ELEMENTS = LIMITS.wasmTableElements;

async function exportsOf(code: Uint8Array<ArrayBuffer>): Promise<Record<string, unknown>> {
  const { instance } = await WebAssembly.instantiate(code, {});
  return instance.exports;
}

function refusal(code: Uint8Array): string {
  try {
    capModule(code);
  } catch (error) {
    expect(error).toBeInstanceOf(GuestRefusal);
    return (error as Error).message;
  }
  throw new Error("the module was taken");
}

describe("the cap on memory", () => {
  const grow = (limits: string) =>
    wat(`(module (memory (export "memory") ${limits})
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`);

  for (const [limits, most] of [
    ["0", PAGES],
    ["1", PAGES],
    ["2 10", 10],
    ["1 2048", PAGES],
    ["1 65536", PAGES],
    [`${PAGES}`, PAGES],
    ["0 0", 0],
  ] as const)
    test(`(memory ${limits}) grows to ${most} pages and no further, from inside and from outside`, async () => {
      const control = await exportsOf(grow(limits));
      const capped = await exportsOf(capModule(grow(limits)).bytes);
      const memory = capped["memory"] as WebAssembly.Memory;
      const has = (): number => memory.buffer.byteLength / 65_536;
      const inside = capped["grow"] as (pages: number) => number;
      expect(inside(most - has() + 1)).toBe(-1);
      expect(() => memory.grow(most - has() + 1)).toThrow(RangeError);
      expect(inside(most - has())).toBeGreaterThanOrEqual(0);
      expect(has()).toBe(most);
      if (most === PAGES && limits !== "1 2048") {
        expect((control["grow"] as (pages: number) => number)(PAGES + 1)).toBeGreaterThanOrEqual(0);
      }
    });

  for (const [why, text, reason] of [
    ["begins too large", "(module (memory 1025))", "begins with 64.1 MiB, at most 64 MiB are taken"],
    ["has two", "(module (memory 1) (memory 1))", "the module has 2 memories, at most 1 are taken"],
    ["is shared", "(module (memory 1 2 shared))", "is shared between threads"],
    ["has 64-bit addresses", "(module (memory i64 1))", "has 64-bit addresses"],
    ["is imported", '(module (import "env" "memory" (memory 1)))', 'imports its memory ("env.memory")'],
  ] as const)
    test(`a memory that ${why} is refused`, () => {
      expect(refusal(wat(text))).toContain(reason);
    });

  test("a memory with pages of its own size is refused", () => {
    expect(refusal(module(section(5, [1, 0x08, 0, 0])))).toContain("has pages of its own size");
  });

  test("a module without a memory stays without one", () => {
    expect(capModule(wat("(module)")).shape.memory).toBeUndefined();
    expect(capModule(module(section(5, [0]))).bytes).toEqual(module(section(5, [0])));
  });
});

describe("the cap on tables", () => {
  for (const [limits, most] of [
    ["0", ELEMENTS],
    ["10 20", 20],
    ["1 10000000", ELEMENTS],
    [`${ELEMENTS}`, ELEMENTS],
  ] as const)
    for (const type of ["funcref", "externref"])
      test(`(table ${limits} ${type}) grows to ${most} and no further`, async () => {
        const code = wat(`(module (table (export "table") ${limits} ${type})
          (func (export "grow") (param i32) (result i32)
            (table.grow 0 (ref.null ${type.replace("ref", "")}) (local.get 0))))`);
        const { table, grow } = (await exportsOf(capModule(code).bytes)) as unknown as {
          table: WebAssembly.Table;
          grow: (by: number) => number;
        };
        expect(grow(most - table.length + 1)).toBe(-1);
        expect(grow(most - table.length)).toBeGreaterThanOrEqual(0);
        expect(table.length).toBe(most);
      });

  for (const [why, text, reason] of [
    ["begins too large", `(module (table ${ELEMENTS + 1} funcref))`, `begins with ${ELEMENTS + 1} elements`],
    ["is imported", '(module (import "env" "t" (table 1 funcref)))', 'imports its table ("env.t")'],
  ] as const)
    test(`a table that ${why} is refused`, () => {
      expect(refusal(wat(text))).toContain(reason);
    });

  test("more tables than there may be are refused", () => {
    const many = Array.from({ length: LIMITS.wasmTables + 1 }, () => "(table 1 funcref)").join("");
    expect(refusal(wat(`(module ${many})`))).toContain("has 9 tables, at most 8");
  });

  test("a table with an initialiser is refused", () => {
    expect(refusal(module(section(4, [1, 0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b])))).toContain("initialiser");
  });

  test("a table of exceptions, of typed references or of another kind is refused", () => {
    expect(refusal(module(section(4, [1, 0x69, 0, 1])))).toContain("exnref");
    expect(refusal(module(section(4, [1, 0x63, 0x70, 0, 1])))).toContain("typed references");
    expect(refusal(module(section(4, [1, 0x6e, 0, 1])))).toContain("garbage-collected");
    expect(refusal(module(section(4, [1, 0x7f, 0, 1])))).toContain("0x7f is no type of a table");
    expect(refusal(module(section(4, [1, 0x70, 0x04, 1])))).toContain("64-bit");
    expect(refusal(module(section(4, [1, 0x70, 0x03, 1, 1])))).toContain("shared");
  });
});

describe("what no cap can be put on", () => {
  test("types of the garbage collector are refused, alone and in a group", () => {
    for (const form of [0x5f, 0x5e, 0x4e, 0x50, 0x4f])
      expect(refusal(module(section(1, [1, form, 0])))).toContain("garbage-collected");
  });

  test("a chain of exceptions is refused: half a gigabyte in a second, without a page of memory", async () => {
    const bomb = exceptionChain();
    const before = process.memoryUsage.rss();
    const control = await exportsOf(bomb);
    (control["f"] as () => void)();
    expect(process.memoryUsage.rss() - before).toBeGreaterThan(8 * 1024 * 1024);
    expect(refusal(bomb)).toContain("exnref");
  });

  test("exceptions that carry much, or references, are refused; plain ones are taken", () => {
    const tag = (params: string) => wat(`(module (tag (param ${params})))`);
    expect(refusal(tag("i64 ".repeat(9)))).toContain("exceptions of 9 values, at most 8 numbers");
    expect(refusal(tag("externref"))).toContain("exceptions of 1 values");
    expect(capModule(tag("i32 i32")).shape.imports).toEqual([]);
  });

  test("a global that holds an exception is refused", () => {
    expect(refusal(module(section(6, [1, 0x69, 1, 0xd0, 0x69, 0x0b])))).toContain("exnref");
  });

  test("more functions than are good for the engine are refused", () => {
    const count = vector(LIMITS.wasmFunctions + 1, [0]);
    expect(refusal(module(section(1, [1, 0x60, 0, 0]), section(3, count)))).toContain("100001 functions");
  });

  test("more exports or imports than a plugin has are refused", () => {
    const one = [...nameBytes("a"), 0, 0];
    expect(refusal(module(section(7, vector(LIMITS.wasmExports + 1, one))))).toContain("10001 exports");
    expect(refusal(module(section(2, vector(LIMITS.wasmImports + 1, one))))).toContain("1001 imports");
  });
});

describe("what is no module of ours", () => {
  for (const [what, code, reason] of [
    ["nothing", [], "it is empty"],
    ["a program", [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0], "it begins with 7f 45 4c 46, wanted 00 61 73 6d"],
    ["text", [...new TextEncoder().encode("  (module)")], "it is WebAssembly in text"],
    ["a component", [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], "it is a WebAssembly component"],
    ["another version", [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], "version that is not known (02000000)"],
    ["half a header", [0, 0x61, 0x73, 0x6d], "version that is not known (none)"],
  ] as const)
    test(`${what} is refused`, () => {
      expect(refusal(Uint8Array.from(code))).toContain(reason);
    });

  for (const [what, code] of [
    ["nothing", ""],
    ["a program", "\x7fELF\x02\x01\x01\0"],
    ["a source file", "#include <stdio.h>\n"],
    ["text", "hello"],
  ] as const)
    test(`${what} is to be built for wasm32`, () => {
      const cap = () => capModule(new TextEncoder().encode(code));
      expect(cap).toThrow(
        expect.objectContaining({
          hint: "build it for wasm32: docs/wasm.md says how, for each language",
          message: expect.stringMatching(/^it is no WebAssembly module: /),
        }),
      );
    });

  test("more bytes than a plugin may have are refused before they are read", () => {
    const large = new Uint8Array(LIMITS.bundleBytes + 1);
    large.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    expect(refusal(large)).toContain("the module has 16.0 MiB, at most 16 MiB are taken");
  });
});

describe("a damaged module is refused with the place", () => {
  for (const [what, code, reason] of [
    ["a section that is cut off", module([1, 5, 1]), "it ends too early"],
    [
      "a section that is longer than what it holds",
      module(section(5, [1, 0, 1, 7])),
      "longer than what it holds",
    ],
    ["a section twice", module(section(5, [0]), section(5, [1, 0, 1])), "twice, or out of its place"],
    ["sections out of order", module(section(5, [0]), section(4, [0])), "out of its place"],
    ["a section that does not exist", module(section(14, [])), "there is no section 14"],
    ["a number of six bytes", module([5, 0x80, 0x80, 0x80, 0x80, 0x80, 0]), "more than 32 bits"],
    ["a number beyond 32 bits", module([5, 0x80, 0x80, 0x80, 0x80, 0x10]), "more than 32 bits"],
    [
      "a count that is a lie",
      module(section(6, [0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 0])),
      "it ends too early",
    ],
    ["a type that is not there", module(section(3, [1, 0])), "a type that is not there"],
    ["an import of no kind", module(section(2, [1, 0, 0, 9])), "a kind that is not known"],
    ["a value of no type", module(section(1, [1, 0x60, 1, 0x12, 0])), "0x12 is no type of a value"],
    ["a type of no form", module(section(1, [1, 0x12])), "0x12 is no form of a type"],
    ["a global made by a call", module(section(6, [1, 0x7f, 0, 0x10, 0, 0x0b])), "0x10 is no instruction"],
    ["a global made by SIMD", module(section(6, [1, 0x7b, 0, 0xfd, 1, 0x0b])), "a SIMD operation"],
  ] as const)
    test(what, () => {
      expect(refusal(code)).toMatch(/^the module is damaged at byte \d+: /);
      expect(refusal(code)).toContain(reason);
    });
});

describe("what the compilers make is taken", () => {
  test("all that the format has beside what was refused", async () => {
    const code = wat(`(module
      (type $pair (func (param v128 f32) (result i32 i64)))
      (import "extism:host/env" "free" (func (param i64)))
      (memory (export "memory") 1)
      (table $functions 2 funcref) (table $others 1 4 externref)
      (tag $problem (param i32))
      (global $counter (mut i32) (i32.const -5))
      (global (mut f64) (f64.const 1.5)) (global f32 (f32.const 2)) (global i64 (i64.const 0x7fffffffffffffff))
      (global v128 (v128.const i64x2 1 2)) (global funcref (ref.func $start)) (global (mut externref) (ref.null extern))
      (global i32 (i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.const 3))))
      (export "counter" (global $counter)) (export "others" (table $others))
      (start $start)
      (elem (table $functions) (i32.const 0) func $start) (elem declare func $start) (elem funcref (ref.null func))
      (func $start (memory.fill (i32.const 0) (i32.const 1) (i32.const 8)))
      (func $many (export "many") (type $pair) (i32.extend8_s (i32.const 128)) (i64.const 1))
      (func (export "tail") (result i32) (return_call $one))
      (func $one (result i32) (i32.const 1))
      (data (i32.const 0) "hello") (data "passive"))`);
    const { bytes, shape } = capModule(code);
    expect(shape).toEqual({
      imports: [{ module: "extism:host/env", name: "free", kind: "function", type: "I>" }],
      exports: [
        { name: "memory", kind: "memory", type: undefined },
        { name: "counter", kind: "global", type: undefined },
        { name: "others", kind: "table", type: undefined },
        { name: "many", kind: "function", type: "vf>iI" },
        { name: "tail", kind: "function", type: ">i" },
      ],
      tables: [
        { element: 0x70, initial: 2, maximum: undefined },
        { element: 0x6f, initial: 1, maximum: 4 },
      ],
      memory: { initial: 1, maximum: undefined },
    });
    const { instance } = await WebAssembly.instantiate(bytes, { "extism:host/env": { free() {} } });
    expect((instance.exports["tail"] as () => number)()).toBe(1);
  });

  test("a module with its caps on stays as it is", () => {
    const once = capModule(wat('(module (memory 1) (table 3 funcref) (func (export "f")))')).bytes;
    expect(capModule(once).bytes).toEqual(once);
  });

  for (const name of Object.keys(RECIPES) as ModuleName[])
    test(
      name,
      async () => {
        const code = await wasmModule(name);
        if (code === undefined) return;
        const { bytes, shape } = capModule(code);
        expect(await WebAssembly.compile(bytes)).toBeInstanceOf(WebAssembly.Module);
        expect(shape.imports.map(({ kind }) => kind)).not.toContain("memory");
        expect(shape.exports.some(({ name, type }) => isHookName(name) && type === ">i")).toBe(true);
      },
      BUILD_MS,
    );
});

/** Some compilers take their time where the module was not built before. */
const BUILD_MS = 300_000;

/** Throws an exception that carries the one before it, a hundred thousand times over. */
function exceptionChain(): Uint8Array<ArrayBuffer> {
  const times = [0x41, 0xa0, 0x8d, 0x06];
  const caught = [0x02, 0x69, 0x1f, 0x40, 1, 0x03, 0, 0x23, 0, 0x08, 0, 0x0b, 0x00, 0x0b, 0x24, 0];
  const again = [0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0];
  const body = [1, 1, 0x7f, ...times, 0x21, 0, 0x03, 0x40, ...caught, ...again, 0x0b, 0x0b];
  return module(
    section(1, [2, 0x60, 0, 0, 0x60, 1, 0x69, 0]),
    section(3, [1, 0]),
    section(13, [1, 0, 1]),
    section(6, [1, 0x69, 1, 0xd0, 0x69, 0x0b]),
    section(7, [1, ...nameBytes("f"), 0, 0]),
    section(10, [1, body.length, ...body]),
  );
}
