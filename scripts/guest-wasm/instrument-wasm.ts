/**
 * Puts a fuel counter into a WebAssembly module, so that no run of it can keep its thread for ever: at each loop head,
 * and at the entry of each function that calls another, stands `if (--fuel <= 0) { fuel = interval; vx.tick() }`, where
 * `fuel` is a new private global and `vx.tick` a new import. The host's tick may throw. An unbounded run passes
 * infinitely many of these points; leaf functions without loops need none. Build time only; works on any core module
 * without GC and threads. Names and other custom sections are dropped.
 */
import {
  makeWasmReader,
  makeWasmWriter,
  nameBytes,
  signedBytes,
  unsignedBytes,
  wasmError,
} from "./wasm-binary.ts";
import type { WasmReader, WasmWriter } from "./wasm-binary.ts";
import { copyInstructions, fuelCheck, type FuelPlan } from "./wasm-instructions.ts";
import { readWasmLayout, SECTION, type WasmLayout, type WasmSection } from "./wasm-layout.ts";

export interface Instrumented {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many checks stand at function entries and at loop heads, and how many bulk operations are charged. */
  readonly entries: number;
  readonly loops: number;
  readonly bulk: number;
}

export function instrumentWasm(input: Uint8Array, options: { readonly interval: number }): Instrumented {
  const layout = readWasmLayout(input);
  const work = makeWork(input, layout, options.interval);
  const out = makeWasmWriter().add(input.subarray(0, 8));
  const pending = new Set<number>([SECTION.import, SECTION.global]);
  const emit = (id: number, body: WasmWriter) => out.add([id]).addUnsigned(body.length).addAll(body);
  for (const section of layout.sections) {
    if (section.id === SECTION.custom) continue;
    for (const id of pending) {
      if (place(id) >= place(section.id)) continue;
      emit(id, ADDED[id]!(work, makeWasmWriter().addUnsigned(1)));
      pending.delete(id);
    }
    pending.delete(section.id);
    emit(section.id, rewrite(work, section));
  }
  const bytes = out.join();
  if (!WebAssembly.validate(bytes)) throw wasmError("what came out is not valid");
  return { bytes, entries: work.counts.entries, loops: work.counts.loops, bulk: work.counts.bulk };
}

// --- internal ---

const TICK_MODULE = "vx";
const TICK_NAME = "tick";

interface Work {
  readonly input: Uint8Array;
  readonly reader: WasmReader;
  readonly layout: WasmLayout;
  readonly interval: number;
  readonly plan: FuelPlan;
  readonly counts: { entries: number; loops: number; bulk: number };
}

function makeWork(input: Uint8Array, layout: WasmLayout, interval: number): Work {
  const counts = { entries: 0, loops: 0, bulk: 0 };
  // The import goes last among the imported functions, so only defined functions move, each by one.
  const tick = layout.importedFunctions;
  const plan: FuelPlan = {
    shift: (index) => (index >= tick ? index + 1 : index),
    check: fuelCheck(layout.globalCount, tick, interval),
    fuelGlobal: layout.globalCount,
    counts,
  };
  return { input, reader: makeWasmReader(input), layout, interval, plan, counts };
}

/** Where a section stands in a module: by its id, but for two that came later into the format. */
function place(id: number): number {
  if (id === SECTION.tag) return 5.5;
  return id === SECTION.dataCount ? 9.5 : id;
}

/** What is appended to the import and the global section, also where the module has none. */
const ADDED: Record<number, (work: Work, out: WasmWriter) => WasmWriter> = {
  [SECTION.import]: (work, out) =>
    out.add([...nameBytes(TICK_MODULE), ...nameBytes(TICK_NAME), 0, ...unsignedBytes(work.layout.typeCount)]),
  [SECTION.global]: (work, out) => out.add([0x7f, 1, 0x41, ...signedBytes(work.interval), 0x0b]),
};

const REWRITE: Record<number, (work: Work, section: WasmSection) => WasmWriter> = {
  [SECTION.type]: (work, section) => {
    const out = makeWasmWriter().addUnsigned(work.reader.unsigned() + 1);
    return copyRest(work, section, out).add([0x60, 0, 0]);
  },
  [SECTION.import]: (work, section) => {
    const out = makeWasmWriter().addUnsigned(work.reader.unsigned() + 1);
    return ADDED[SECTION.import]!(work, copyRest(work, section, out));
  },
  [SECTION.global]: rewriteGlobals,
  [SECTION.export]: rewriteExports,
  [SECTION.start]: (work) => makeWasmWriter().addUnsigned(work.plan.shift(work.reader.unsigned())),
  [SECTION.element]: rewriteElements,
  [SECTION.code]: rewriteCode,
};

function rewrite(work: Work, section: WasmSection): WasmWriter {
  work.reader.position = section.start;
  const change = REWRITE[section.id];
  if (change === undefined) return makeWasmWriter().add(work.input.subarray(section.start, section.end));
  const out = change(work, section);
  if (work.reader.position !== section.end) {
    throw wasmError(`section ${section.id} has another length than it says`);
  }
  return out;
}

function copyRest(work: Work, section: WasmSection, out: WasmWriter): WasmWriter {
  out.add(work.input.subarray(work.reader.position, section.end));
  work.reader.position = section.end;
  return out;
}

function rewriteGlobals(work: Work): WasmWriter {
  const { reader } = work;
  const count = reader.unsigned();
  const out = makeWasmWriter().addUnsigned(count + 1);
  for (let i = 0; i < count; i++) {
    const start = reader.position;
    reader.skipType();
    reader.byte();
    out.add(work.input.subarray(start, reader.position));
    copyInstructions(reader, out, work.plan);
  }
  return ADDED[SECTION.global]!(work, out);
}

function rewriteExports(work: Work): WasmWriter {
  const { reader } = work;
  const count = reader.unsigned();
  const out = makeWasmWriter().addUnsigned(count);
  for (let i = 0; i < count; i++) {
    const start = reader.position;
    reader.skip(reader.unsigned());
    const kind = reader.byte();
    out.add(work.input.subarray(start, reader.position));
    const index = reader.unsigned();
    out.addUnsigned(kind === 0 ? work.plan.shift(index) : index);
  }
  return out;
}

function rewriteElements(work: Work): WasmWriter {
  const { reader, plan } = work;
  const count = reader.unsigned();
  const out = makeWasmWriter().addUnsigned(count);
  for (let i = 0; i < count; i++) {
    let start = reader.position;
    const flags = reader.unsigned();
    if (flags > 7) throw wasmError("unknown flags of an element segment");
    const active = (flags & 1) === 0;
    const expressions = (flags & 4) !== 0;
    if (active && (flags & 2) !== 0) reader.unsigned();
    out.add(work.input.subarray(start, reader.position));
    if (active) copyInstructions(reader, out, plan);
    start = reader.position;
    if ((flags & 3) !== 0) {
      if (expressions) reader.skipType();
      else reader.byte();
    }
    const length = reader.unsigned();
    out.add(work.input.subarray(start, reader.position));
    for (let j = 0; j < length; j++) {
      if (expressions) copyInstructions(reader, out, plan);
      else out.addUnsigned(plan.shift(reader.unsigned()));
    }
  }
  return out;
}

function rewriteCode(work: Work): WasmWriter {
  const { reader, plan } = work;
  const count = reader.unsigned();
  const out = makeWasmWriter().addUnsigned(count);
  for (let i = 0; i < count; i++) {
    const length = reader.unsigned();
    const end = reader.position + length;
    const groups = reader.unsigned();
    const start = reader.position;
    let sizeLocal = work.layout.parameterCounts[i] ?? 0;
    for (let group = 0; group < groups; group++) {
      sizeLocal += reader.unsigned();
      reader.skipType();
    }
    const locals = makeWasmWriter().addUnsigned(groups + 1);
    locals.add(work.input.subarray(start, reader.position)).add([1, 0x7f]);
    const body = makeWasmWriter();
    const calls = copyInstructions(reader, body, plan, sizeLocal);
    if (reader.position !== end) throw wasmError("a function has another length than it says");
    if (calls) {
      locals.add(plan.check);
      work.counts.entries++;
    }
    out
      .addUnsigned(locals.length + body.length)
      .addAll(locals)
      .addAll(body);
  }
  return out;
}
