/** A seeded sample of what `bun run soak` does a hundred thousand times. */
import { describe, expect, test } from "bun:test";
import { capModule } from "../../../../../src/host/runtimes/wasm/cap-module.ts";
import { fuzzModules } from "../../../../fuzz/wasm-modules.ts";

const SEED = Number(process.env["VOXELTRON_SEED"] ?? 20_260_101);
const COUNT = Number(process.env["VOXELTRON_MODULES"] ?? 3_000);

test(
  `no mutated module gets past the caps: ${COUNT} of seed ${SEED}`,
  () => {
    const { refused, notCompiled, compiled, started, slowestMs } = fuzzModules({ seed: SEED, count: COUNT });
    expect(refused + notCompiled + compiled).toBe(COUNT);
    // Otherwise it tries nothing.
    expect(refused).toBeGreaterThan(COUNT / 10);
    expect(started).toBeGreaterThan(COUNT / 50);
    expect(slowestMs).toBeLessThan(5_000);
  },
  15 * 60_000,
);

describe("the fuzzer finds what gets past", () => {
  test("where nothing is capped", () => {
    const cap = (code: Uint8Array) => new Uint8Array(code);
    expect(() => fuzzModules({ seed: SEED, count: 1_000, cap })).toThrow(/flags 0: a maximum/);
  });

  test("where the cap is a page too many", () => {
    const cap = (code: Uint8Array) => oneMore(capModule(code).bytes);
    expect(() => fuzzModules({ seed: SEED, count: 1_000, cap })).toThrow(/to 1025, the cap is 1024/);
  });

  test("where something else than a refusal is thrown", () => {
    const cap = (code: Uint8Array) => {
      if (code.length % 97 === 0) throw new TypeError("a fault");
      return capModule(code).bytes;
    };
    expect(() => fuzzModules({ seed: SEED, count: 1_000, cap })).toThrow(/^seed \d+, module \d+: /);
  });
});

/** The cap as it is written, 1024 pages, made 1025. */
function oneMore(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = bytes.indexOf(0x80);
  if (bytes[at + 1] === 0x08) bytes[at] = 0x81;
  return bytes;
}
