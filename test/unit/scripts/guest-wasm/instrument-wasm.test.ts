/** The instrumenter, on small modules made by hand and on the real engine. */
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { instrumentWasm } from "../../../../scripts/guest-wasm/instrument-wasm.ts";
import { nameBytes, signedBytes, unsignedBytes } from "../../../../scripts/guest-wasm/wasm-binary.ts";

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const section = (id: number, ...body: number[]) => [id, ...unsignedBytes(body.length), ...body];
const body = (...code: number[]) => [...unsignedBytes(code.length + 2), 0, ...code, 0x0b];
const moduleOf = (...sections: number[][]) => Uint8Array.from([...HEADER, ...sections.flat()]);

/** Runs an export of an instrumented module; tick throws at its n-th call. */
function run(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  ticksMax: number,
  imports: WebAssembly.Imports = {},
): { ticks: number; end: string } {
  let ticks = 0;
  const tick = () => {
    if (++ticks >= ticksMax) throw new Error("stopped");
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { ...imports, vx: { tick } });
  try {
    const result = (instance.exports[name] as () => unknown)();
    return { ticks, end: String(result) };
  } catch (error) {
    return { ticks, end: (error as Error).message };
  }
}

const VOID = section(1, 1, 0x60, 0, 0);
const exportOf = (name: string, index: number) => section(7, 1, ...nameBytes(name), 0, index);

describe("instrumentWasm", () => {
  test("an endless loop ticks, and tick can end it", () => {
    const spin = moduleOf(
      VOID,
      section(3, 1, 0),
      exportOf("go", 0),
      section(10, 1, ...body(0x03, 0x40, 0x0c, 0, 0x0b)),
    );
    const made = instrumentWasm(spin, { interval: 1000 });
    expect(made).toMatchObject({ loops: 1, entries: 0 });
    expect(run(made.bytes, "go", 3)).toEqual({ ticks: 3, end: "stopped" });
  });

  test("endless recursion ticks at the entry of functions that call", () => {
    const recurse = moduleOf(VOID, section(3, 1, 0), exportOf("go", 0), section(10, 1, ...body(0x10, 0)));
    const made = instrumentWasm(recurse, { interval: 100 });
    expect(made).toMatchObject({ loops: 0, entries: 1 });
    expect(run(made.bytes, "go", 5)).toEqual({ ticks: 5, end: "stopped" });
  });

  test("a run that ends is not disturbed, and a leaf has no check", () => {
    const answer = moduleOf(
      section(1, 1, 0x60, 0, 1, 0x7f),
      section(3, 1, 0),
      exportOf("go", 0),
      section(10, 1, ...body(0x41, ...signedBytes(-42))),
    );
    const made = instrumentWasm(answer, { interval: 1000 });
    expect(made).toMatchObject({ loops: 0, entries: 0 });
    expect(run(made.bytes, "go", 1)).toEqual({ ticks: 0, end: "-42" });
  });

  test("imports keep their index, and calls, exports, elements and the start function move", () => {
    const seen: number[] = [];
    const mark = (n: number) => [0x41, n, 0x10, 0];
    const all = moduleOf(
      section(1, 2, 0x60, 0, 0, 0x60, 1, 0x7f, 0),
      section(2, 1, ...nameBytes("env"), ...nameBytes("mark"), 0, 1),
      section(3, 3, 0, 0, 0),
      section(4, 1, 0x70, 0, 1),
      exportOf("go", 2),
      section(8, 1),
      section(9, 1, 0, 0x41, 0, 0x0b, 1, 3),
      section(10, 3, ...body(...mark(1)), ...body(...mark(2), 0x41, 0, 0x11, 0, 0), ...body(...mark(3))),
    );
    const made = instrumentWasm(all, { interval: 1000 });
    const end = run(made.bytes, "go", 1, { env: { mark: (n: number) => void seen.push(n) } });
    expect(end).toEqual({ ticks: 0, end: "undefined" });
    expect(seen).toEqual([1, 2, 3]);
  });

  test("bulk memory is charged by its size", () => {
    const fill = moduleOf(
      VOID,
      section(3, 1, 0),
      section(5, 1, 0, 16),
      exportOf("go", 0),
      section(
        10,
        1,
        ...body(0x03, 0x40, 0x41, 0, 0x41, 0, 0x41, ...signedBytes(640_000), 0xfc, 11, 0, 0x0c, 0, 0x0b),
      ),
    );
    const made = instrumentWasm(fill, { interval: 10_000 });
    expect(made.bulk).toBe(1);
    const calls = run(made.bytes, "go", 2);
    expect(calls).toEqual({ ticks: 2, end: "stopped" });
  });

  test("its own output can be instrumented again", () => {
    const spin = moduleOf(
      VOID,
      section(3, 1, 0),
      exportOf("go", 0),
      section(10, 1, ...body(0x03, 0x40, 0x0c, 0, 0x0b)),
    );
    const twice = instrumentWasm(instrumentWasm(spin, { interval: 10 }).bytes, { interval: 10 });
    expect(twice.loops).toBe(1);
  });

  test("the engine of the Worker room has checks at all its loops", async () => {
    const file = fileURLToPath(import.meta.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"));
    const engine = new Uint8Array(await Bun.file(file).arrayBuffer());
    const made = instrumentWasm(engine, { interval: 1 << 16 });
    expect(made).toMatchObject({ entries: 1138, loops: 1079, bulk: 98 });
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(made.bytes));
    expect(imports).toContainEqual({ module: "vx", name: "tick", kind: "function" });
  });

  test.each([
    ["no module", [1, 2, 3]],
    ["a cut module", [...HEADER, 1, 200]],
    ["an unknown opcode", [...HEADER, ...VOID, ...section(3, 1, 0), ...section(10, 1, ...body(0xff))]],
    ["a GC type", [...HEADER, ...section(1, 1, 0x5f, 0), ...section(3, 0), ...section(10, 0)]],
    ["a wrong length", [...HEADER, ...VOID, ...section(3, 1, 0), ...section(10, 1, 9, 0, 0x0b)]],
  ])("%s is an error, never a guess", (_what, bytes) => {
    expect(() => instrumentWasm(Uint8Array.from(bytes), { interval: 10 })).toThrow("can't be instrumented");
  });
});
