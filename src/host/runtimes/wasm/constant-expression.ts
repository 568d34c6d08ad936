/** Steps over the expression that gives a global its first value. Called by read-sections.ts, which wants what comes after. */
import type { ModuleReader } from "./module-reader.ts";

export function skipInitializer(reader: ModuleReader): void {
  for (;;) {
    const code = reader.byte();
    if (code === END) return;
    const skipOperand = OPERANDS[code];
    if (skipOperand === undefined)
      throw reader.malformed(`0x${code.toString(16)} is no instruction that may give a global its value`);
    skipOperand(reader);
  }
}

// --- internal ---

const END = 0x0b;

const signed = (reader: ModuleReader): void => reader.skipSigned();
const index = (reader: ModuleReader): void => void reader.u32();
const nothing = (): void => {};

/** i32.const, i64.const, f32.const, f64.const, v128.const, global.get, ref.null, ref.func; add, subtract, multiply. */
const OPERANDS: Readonly<Record<number, (reader: ModuleReader) => void>> = {
  0x41: signed,
  0x42: signed,
  0x43: (reader) => reader.skip(4),
  0x44: (reader) => reader.skip(8),
  0xfd(reader) {
    if (reader.u32() !== V128_CONST) throw reader.malformed("a global begins with a SIMD operation");
    reader.skip(16);
  },
  0x23: index,
  0xd0: signed,
  0xd2: index,
  0x6a: nothing,
  0x6b: nothing,
  0x6c: nothing,
  0x7c: nothing,
  0x7d: nothing,
  0x7e: nothing,
};

const V128_CONST = 12;
