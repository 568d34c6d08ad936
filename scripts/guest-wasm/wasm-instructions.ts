/**
 * Copies a run of instructions while function indices move by one, and puts fuel checks in. The table of immediates
 * covers the core language with bulk memory, exceptions, tail calls and SIMD; an opcode that is not in it is an error,
 * never a guess.
 */
import { signedBytes, unsignedBytes, wasmError, type WasmReader, type WasmWriter } from "./wasm-binary.ts";

/** Where the check's import and global are, and what a function's own size local is. */
export interface FuelPlan {
  /** New index of any function. */
  readonly shift: (index: number) => number;
  /** `if (--fuel <= 0) { fuel = interval; tick() }` */
  readonly check: Uint8Array;
  readonly fuelGlobal: number;
  /** Counts what was put in. */
  readonly counts: { loops: number; bulk: number };
}

/** `if (--fuel <= 0) { fuel = interval; tick() }` in bytes. */
export function fuelCheck(fuelGlobal: number, tickFunction: number, interval: number): Uint8Array {
  const fuel = unsignedBytes(fuelGlobal);
  const decrement = [0x23, ...fuel, 0x41, 1, 0x6b, 0x24, ...fuel];
  const whenEmpty = [0x23, ...fuel, 0x41, 0, 0x4c, 0x04, 0x40];
  const refill = [0x41, ...signedBytes(interval), 0x24, ...fuel];
  return Uint8Array.from([...decrement, ...whenEmpty, ...refill, 0x10, ...unsignedBytes(tickFunction), 0x0b]);
}

/**
 * Copies instructions up to and with the `end` that closes them. With a `sizeLocal` (an i32 local of ours) it also puts
 * a check at each loop head and charges bulk memory operations. True where a call was among them.
 */
export function copyInstructions(
  reader: WasmReader,
  out: WasmWriter,
  plan: FuelPlan,
  sizeLocal?: number,
): boolean {
  let mark = reader.position;
  let depth = 0;
  let calls = false;
  const flush = (to: number) => {
    out.add(reader.bytes.subarray(mark, to));
    mark = to;
  };
  for (;;) {
    const at = reader.position;
    const opcode = reader.byte();
    const kind = IMMEDIATES[opcode];
    if (kind === undefined) throw wasmError(`opcode 0x${opcode.toString(16)}`);
    if (opcode === OP.end && depth-- === 0) break;
    if (kind === "block" || kind === "tryTable") depth++;
    if (opcode === OP.delegate) depth--;
    calls ||= CALLS.has(opcode);
    if (kind === "function") {
      flush(reader.position);
      out.addUnsigned(plan.shift(reader.unsigned()));
      mark = reader.position;
    } else if (kind === "prefixFc") {
      const operation = skipFc(reader);
      if (sizeLocal !== undefined && (operation === FC.memoryCopy || operation === FC.memoryFill)) {
        flush(at);
        out.add(bulkCharge(sizeLocal, plan.fuelGlobal));
        plan.counts.bulk++;
      }
    } else skipImmediate(reader, kind);
    if (opcode === OP.loop && sizeLocal !== undefined) {
      flush(reader.position);
      out.add(plan.check);
      plan.counts.loops++;
    }
  }
  flush(reader.position);
  return calls;
}

// --- internal ---

const OP = { loop: 0x03, end: 0x0b, delegate: 0x18 } as const;
const FC = { memoryCopy: 10, memoryFill: 11 } as const;
/** call, call_indirect, call_ref and their tail forms. */
const CALLS = new Set([0x10, 0x11, 0x12, 0x13, 0x14, 0x15]);

type Immediate =
  | "none"
  | "block"
  | "tryTable"
  | "function"
  | "index"
  | "twoIndices"
  | "branchTable"
  | "types"
  | "memory"
  | "number32"
  | "number64"
  | "float32"
  | "float64"
  | "prefixFc"
  | "prefixFd";

const IMMEDIATES: readonly (Immediate | undefined)[] = immediates([
  ["none", 0x00, 0x01],
  ["block", 0x02, 0x04],
  ["none", 0x05],
  ["block", 0x06],
  ["index", 0x07, 0x09],
  ["none", 0x0a, 0x0b],
  ["index", 0x0c, 0x0d],
  ["branchTable", 0x0e],
  ["none", 0x0f],
  ["function", 0x10],
  ["twoIndices", 0x11],
  ["function", 0x12],
  ["twoIndices", 0x13],
  ["index", 0x14, 0x15],
  ["index", 0x18],
  ["none", 0x19, 0x1b],
  ["types", 0x1c],
  ["tryTable", 0x1f],
  ["index", 0x20, 0x26],
  ["memory", 0x28, 0x3e],
  ["index", 0x3f, 0x40],
  ["number32", 0x41],
  ["number64", 0x42],
  ["float32", 0x43],
  ["float64", 0x44],
  ["none", 0x45, 0xc4],
  ["number32", 0xd0],
  ["none", 0xd1],
  ["function", 0xd2],
  ["none", 0xd3, 0xd4],
  ["index", 0xd5, 0xd6],
  ["prefixFc", 0xfc],
  ["prefixFd", 0xfd],
]);

function immediates(ranges: readonly (readonly [Immediate, number, number?])[]): (Immediate | undefined)[] {
  const table: (Immediate | undefined)[] = Array.from({ length: 256 }, () => undefined);
  for (const [kind, first, last = first] of ranges) table.fill(kind, first, last + 1);
  return table;
}

const SKIP: Record<Exclude<Immediate, "function" | "prefixFc">, (reader: WasmReader) => void> = {
  none() {},
  block: skipBlockType,
  tryTable(reader) {
    skipBlockType(reader);
    for (let n = reader.unsigned(); n > 0; n--) {
      if (reader.byte() < 2) reader.unsigned();
      reader.unsigned();
    }
  },
  index: (reader) => void reader.unsigned(),
  twoIndices(reader) {
    reader.unsigned();
    reader.unsigned();
  },
  branchTable(reader) {
    for (let n = reader.unsigned(); n >= 0; n--) reader.unsigned();
  },
  types(reader) {
    for (let n = reader.unsigned(); n > 0; n--) reader.skipType();
  },
  memory: skipMemoryArgument,
  number32: (reader) => reader.skipNumber(5),
  number64: (reader) => reader.skipNumber(10),
  float32: (reader) => reader.skip(4),
  float64: (reader) => reader.skip(8),
  prefixFd(reader) {
    const operation = reader.unsigned();
    if (operation > 275) throw wasmError(`opcode 0xfd ${operation}`);
    if (operation <= 11 || operation === 92 || operation === 93) skipMemoryArgument(reader);
    else if (operation === 12 || operation === 13) reader.skip(16);
    else if (operation >= 21 && operation <= 34) reader.skip(1);
    else if (operation >= 84 && operation <= 91) {
      skipMemoryArgument(reader);
      reader.skip(1);
    }
  },
};

function skipImmediate(reader: WasmReader, kind: Exclude<Immediate, "function" | "prefixFc">): void {
  SKIP[kind](reader);
}

function skipFc(reader: WasmReader): number {
  const operation = reader.unsigned();
  if (operation > 17) throw wasmError(`opcode 0xfc ${operation}`);
  if (operation >= 8) reader.unsigned();
  if (operation === 8 || operation === 10 || operation === 12 || operation === 14) reader.unsigned();
  return operation;
}

function skipBlockType(reader: WasmReader): void {
  const first = reader.bytes[reader.position] ?? 0;
  if (first === 0x40 || (first >= 0x6c && first <= 0x7f)) reader.skip(1);
  else if (first === 0x63 || first === 0x64) reader.skipType();
  else reader.skipNumber(5);
}

function skipMemoryArgument(reader: WasmReader): void {
  const align = reader.unsigned();
  if ((align & 64) !== 0) reader.unsigned();
  reader.skipNumber(10);
}

/** Before memory.copy or memory.fill, with the size on the stack: `fuel -= size >>> 6`, and the size is there again. */
function bulkCharge(sizeLocal: number, fuelGlobal: number): number[] {
  const size = unsignedBytes(sizeLocal);
  const fuel = unsignedBytes(fuelGlobal);
  const keep = [0x22, ...size, 0x1a];
  const charge = [0x23, ...fuel, 0x20, ...size, 0x41, 6, 0x76, 0x6b, 0x24, ...fuel];
  return [...keep, ...charge, 0x20, ...size];
}
