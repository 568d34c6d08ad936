/**
 * What a hostile author may hand in as a module, made by mutation: capModule refuses it with a reason, or gives bytes that the engine
 * refuses, or bytes whose memory and tables keep to the caps: read once more by a reader of its own, and tried on a real instance.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../src/base/limits.ts";
import { capModule } from "../../src/host/runtimes/wasm/cap-module.ts";
import { GuestRefusal } from "../../src/host/runtimes/wasm/guest-errors.ts";
import { seededRandom } from "../random.ts";
import { module, name, number, section } from "../wasm/binary.ts";

export interface ModuleFuzz {
  /** By capModule. */
  readonly refused: number;
  /** By the engine, after the caps were put on. */
  readonly notCompiled: number;
  readonly compiled: number;
  /** Of those, modules of which an instance was made and tried. */
  readonly started: number;
  readonly slowestMs: number;
}

/** What is tried: capModule, or for a control something that is no good. */
export type Cap = (code: Uint8Array) => Uint8Array<ArrayBuffer>;

/** Throws with the seed, the number and the bytes of the first module that gets past. */
export function fuzzModules({
  seed,
  count,
  cap = (code) => capModule(code).bytes,
}: {
  readonly seed: number;
  readonly count: number;
  readonly cap?: Cap;
}): ModuleFuzz {
  const random = seededRandom(seed);
  const seeds = [...SAMPLES, ...builtModules()];
  for (const whole of seeds)
    if (!judge(whole, cap).includes("started")) throw new Error(`no use to begin with: ${whole.toHex()}`);
  const totals = { refused: 0, notCompiled: 0, compiled: 0, started: 0, slowestMs: 0 };
  for (let i = 0; i < count; i++) {
    const code = mutated(seeds, random);
    const start = performance.now();
    try {
      for (const outcome of judge(code, cap)) totals[outcome]++;
    } catch (error) {
      throw new Error(`seed ${seed}, module ${i}: ${code.toHex().slice(0, 20_000)}`, { cause: error });
    }
    totals.slowestMs = Math.max(totals.slowestMs, performance.now() - start);
    // Their memories are reserved in large pieces, of which there are not many.
    if (i % 200 === 199) Bun.gc(true);
  }
  return totals;
}

// --- internal ---

type Outcome = "refused" | "notCompiled" | "compiled" | "started";

const PAGE = 65_536;

function judge(code: Uint8Array, cap: Cap): Outcome[] {
  const bytes = capped(code, cap);
  if (bytes === undefined) return ["refused"];
  const compiled = compile(bytes);
  if (compiled === undefined) return ["notCompiled"];
  checkLimits(bytes);
  // What starts by itself may run for ever.
  const still = compile(without(bytes, START));
  const started = still === undefined ? undefined : instance(still);
  if (started === undefined) return ["compiled"];
  tryToGrow(started);
  return ["compiled", "started"];
}

function capped(code: Uint8Array, cap: Cap): Uint8Array<ArrayBuffer> | undefined {
  try {
    return cap(code);
  } catch (error) {
    if (error instanceof GuestRefusal && error.message.length > 10) return undefined;
    throw error;
  }
}

function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined;
    throw error;
  }
}

/** With something for each import, as far as that can be guessed; undefined where that was not enough. */
function instance(compiled: WebAssembly.Module): WebAssembly.Instance | undefined {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = Object.create(null) as never;
  for (const { module, name, kind } of WebAssembly.Module.imports(compiled)) {
    const space = (imports[module] ??= Object.create(null) as Record<string, WebAssembly.ImportValue>);
    // `false` is a number of every type.
    if (kind === "function") space[name] = () => false;
    else if (kind === "global") space[name] = new WebAssembly.Global({ value: "i32" }, 0);
    else if (kind !== ("tag" as string)) throw new Error(`an imported ${kind} got past`);
  }
  try {
    return new WebAssembly.Instance(compiled, imports);
  } catch (error) {
    if (error instanceof WebAssembly.LinkError || error instanceof WebAssembly.RuntimeError) return undefined;
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function tryToGrow({ exports }: WebAssembly.Instance): void {
  const memories = new Set(Object.values(exports).filter((each) => each instanceof WebAssembly.Memory));
  if (memories.size > 1) throw new Error(`${memories.size} memories`);
  for (const memory of memories) {
    const pages = memory.buffer.byteLength / PAGE;
    growBeyond(LIMITS.guestMemoryPages - pages + 1, (by) => memory.grow(by));
    if (memory.buffer.byteLength > LIMITS.guestMemoryPages * PAGE) throw new Error("a memory beyond the cap");
  }
  const tables = Object.values(exports).filter((each) => each instanceof WebAssembly.Table);
  for (const table of new Set(tables)) {
    growBeyond(LIMITS.wasmTableElements - table.length + 1, (by) => table.grow(by));
    if (table.length > LIMITS.wasmTableElements) throw new Error("a table beyond the cap");
  }
}

function growBeyond(by: number, grow: (by: number) => unknown): void {
  try {
    grow(by);
  } catch {
    return;
  }
  throw new Error(`it grew by ${by}`);
}

const TYPES = 1;
const IMPORTS = 2;
const TABLES = 4;
const MEMORY = 5;
const START = 8;

interface Section {
  readonly id: number;
  readonly body: Uint8Array;
}

/** A reader that shares nothing with the one that is tested. The engine took these bytes, so they are whole. */
function sections(bytes: Uint8Array): Section[] {
  const found: Section[] = [];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at] ?? 0;
    const [size, body] = readNumber(bytes, at + 1);
    found.push({ id, body: bytes.subarray(body, body + size) });
    at = body + size;
  }
  return found;
}

function readNumber(bytes: Uint8Array, start: number): readonly [value: number, next: number] {
  let value = 0n;
  for (let at = start, shift = 0n; ; at++, shift += 7n) {
    const byte = BigInt(bytes[at] ?? 0);
    value |= (byte & 127n) << shift;
    if (byte < 128n) return [Number(value), at + 1];
  }
}

function checkLimits(bytes: Uint8Array): void {
  const found = sections(bytes);
  const body = (id: number): Uint8Array | undefined => found.find((each) => each.id === id)?.body;
  if (found.filter(({ id }) => id === MEMORY).length > 1) throw new Error("two sections of memories");
  checkEach(body(MEMORY), 0, 1, LIMITS.guestMemoryPages);
  checkEach(body(TABLES), 1, LIMITS.wasmTables, LIMITS.wasmTableElements);
  if (body(TYPES)?.some((byte) => byte === 0x5f || byte === 0x5e || byte === 0x69) === true)
    // Only as the count of something, never as a form or a type: the smallest count of values is far below.
    checkForms(body(TYPES) ?? new Uint8Array());
}

/** Each entry: so many bytes of a type, flags, initial, maximum. */
function checkEach(body: Uint8Array | undefined, typeBytes: number, most: number, cap: number): void {
  if (body === undefined) return;
  let [count, at] = readNumber(body, 0);
  if (count > most) throw new Error(`${count} entries`);
  for (; count > 0; count--) {
    const flags = body[at + typeBytes];
    if (flags !== 1) throw new Error(`flags ${flags}: a maximum and nothing else was wanted`);
    const [initial, afterInitial] = readNumber(body, at + typeBytes + 1);
    const [maximum, next] = readNumber(body, afterInitial);
    if (initial > cap || maximum > cap) throw new Error(`from ${initial} to ${maximum}, the cap is ${cap}`);
    at = next;
  }
}

function checkForms(body: Uint8Array): void {
  let [count, at] = readNumber(body, 0);
  for (; count > 0; count--) {
    if (body[at] !== 0x60) throw new Error(`a type of the form ${body[at]}`);
    at++;
    for (let list = 0; list < 2; list++) {
      const [values, first] = readNumber(body, at);
      at = first + values;
      const strange = body
        .subarray(first, at)
        .find((byte) => !(byte >= 0x7b && byte <= 0x7f) && byte !== 0x70 && byte !== 0x6f);
      if (strange !== undefined) throw new Error(`a value of the type ${strange}`);
    }
  }
}

function without(bytes: Uint8Array<ArrayBuffer>, id: number): Uint8Array<ArrayBuffer> {
  return framed(sections(bytes).filter((each) => each.id !== id));
}

function framed(parts: readonly Section[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.concat([
      module(),
      ...parts.flatMap(({ id, body }) => [Uint8Array.from([id, ...number(body.length)]), body]),
    ]),
  );
}

type Random = () => number;

const below = (random: Random, n: number): number => Math.floor(random() * n);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;

function mutated(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  const seed = pick(random, seeds);
  if (below(random, 4) === 0) return changed(seed, random, 1 + below(random, 8));
  const parts = sections(seed);
  for (let rounds = 1 + below(random, 3); rounds > 0; rounds--)
    pick(random, PART_MUTATIONS)(parts, random, seeds);
  const whole = framed(parts);
  return below(random, 20) === 0 ? changed(whole, random, 1) : whole;
}

/** Numbers at which something begins or ends, as the format writes them. */
const NUMBERS: readonly (readonly number[])[] = [
  0,
  1,
  2,
  3,
  127,
  128,
  1023,
  1024,
  1025,
  65_535,
  65_536,
  65_537,
  10_000_000,
  2 ** 31,
  2 ** 32 - 1,
].map(number);

/** More of them, in ways in which they are not usually written, and bytes that mean something. */
const PIECES: readonly (readonly number[])[] = [
  ...NUMBERS,
  [0x81, 0x80, 0x80, 0x80, 0x00],
  [0x80, 0x88, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  ...[
    0x60, 0x5f, 0x5e, 0x4e, 0x50, 0x70, 0x6f, 0x69, 0x63, 0x64, 0x6e, 0x40, 0x7b, 0x0b, 0x04, 0x08, 0x80,
  ].map((byte) => [byte]),
  [...name("memory"), 2, 0],
];

/** Near the beginning more often than not: that is where counts and flags are. */
function place(random: Random, length: number): number {
  return below(random, below(random, 2) === 0 ? Math.min(length, 12) : length);
}

function changed(bytes: Uint8Array, random: Random, times: number): Uint8Array {
  let text = bytes.slice();
  for (let i = 0; i < times; i++) {
    const at = place(random, text.length + 1);
    const piece = pick(random, PIECES);
    const kind = below(random, 5);
    if (kind === 0) text[at] = below(random, 256);
    else if (kind === 1) text = text.slice(0, at);
    else {
      const cut = kind === 2 ? 0 : kind === 3 ? 1 : piece.length;
      text = new Uint8Array(
        Buffer.concat([text.subarray(0, at), Uint8Array.from(piece), text.subarray(at + cut)]),
      );
    }
  }
  return text;
}

type PartMutation = (parts: Section[], random: Random, seeds: readonly Uint8Array[]) => void;

const PART_MUTATIONS: readonly PartMutation[] = [
  ...[1, 2, 3].map((): PartMutation => (parts, random) => {
    const at = below(random, parts.length);
    const part = parts[at];
    if (part !== undefined) parts[at] = { ...part, body: changed(part.body, random, 1) };
  }),
  // Limits that are whole, and any.
  ...[MEMORY, TABLES].map((id): PartMutation => (parts, random) => {
    const at = parts.findIndex((part) => part.id === id);
    const flags = pick(random, [0, 1, 1, 1, 2, 3, 4, 5, 7, 8, 0x81]);
    const [initial, maximum] = [pick(random, NUMBERS), pick(random, NUMBERS)];
    const one = [
      ...(id === TABLES ? [pick(random, [0x70, 0x6f, 0x69])] : []),
      flags,
      ...initial,
      ...(flags === 0 ? [] : maximum),
    ];
    const count = pick(random, [1, 1, 1, 2, 9]);
    const body = Uint8Array.from([count, ...Array.from({ length: count }, () => one).flat()]);
    if (at !== -1) parts[at] = { id, body };
  }),
  (parts, random) => void parts.splice(below(random, parts.length), 1),
  (parts, random) => {
    const part = parts[below(random, parts.length)];
    if (part !== undefined) parts.splice(below(random, parts.length + 1), 0, part);
  },
  (parts, random, seeds) => {
    const other = sections(pick(random, seeds));
    const part = other[below(random, other.length)];
    const at = parts.findIndex(({ id }) => id === part?.id);
    if (part !== undefined && at !== -1) parts[at] = part;
  },
  (parts, random) => {
    const at = below(random, parts.length);
    const part = parts[at];
    if (part !== undefined) parts[at] = { ...part, id: below(random, 16) };
  },
  (parts, random) =>
    void parts.splice(below(random, parts.length + 1), 0, { id: 0, body: Uint8Array.of(1, 65, 7) }),
];

/** Small modules with one thing of each kind, all of which is exported. */
const SAMPLES: readonly Uint8Array[] = [
  module(section(MEMORY, [1, 0, 1]), section(7, [1, ...name("memory"), 2, 0])),
  module(
    section(MEMORY, [1, 1, 1, 0x80, 0x20]),
    section(7, [1, ...name("m"), 2, 0]),
    section(11, [1, 0, 0x41, 0, 0x0b, 1, 65]),
  ),
  module(
    section(TABLES, [2, 0x70, 0, 1, 0x6f, 1, 1, 20]),
    section(7, [2, ...name("t"), 1, 0, ...name("u"), 1, 1]),
  ),
  module(
    section(TYPES, [4, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7e, 1, 0x7e, 0x60, 1, 0x7b, 2, 0x70, 0x6f, 0x60, 0, 0]),
    section(IMPORTS, [1, ...name("extism:host/env"), ...name("alloc"), 0, 1]),
    section(3, [2, 0, 3]),
    section(TABLES, [1, 0x70, 0, 2]),
    section(MEMORY, [1, 0, 2]),
    section(13, [1, 0, 3]),
    section(6, [2, 0x7f, 1, 0x41, 5, 0x0b, 0x70, 0, 0xd2, 1, 0x0b]),
    section(7, [3, ...name("on_alert"), 0, 1, ...name("memory"), 2, 0, ...name("t"), 1, 0]),
    section(START, [2]),
    section(9, [1, 0, 0x41, 0, 0x0b, 1, 1]),
    section(12, [1]),
    section(10, [2, 4, 0, 0x41, 0, 0x0b, 2, 0, 0x0b]),
    section(11, [1, 1, 1, 65]),
  ),
  module(
    section(TYPES, [2, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 0]),
    section(3, [2, 0, 0]),
    section(TABLES, [1, 0x70, 1, 2, 3]),
    section(MEMORY, [1, 1, 0, 0xff, 0xff, 3]),
    section(13, [1, 0, 1]),
    section(6, [1, 0x7b, 0, 0xfd, 12, ...Array.from({ length: 16 }, () => 1), 0x0b]),
    section(7, [3, ...name("f"), 0, 0, ...name("memory"), 2, 0, ...name("t"), 1, 0]),
    section(10, [2, 6, 0, 0x41, 1, 0x40, 0, 0x0b, 4, 0, 0x3f, 0, 0x0b]),
  ),
];

/** What the compilers of the test plugins made, where they did: small ones, because each is compiled a thousand times. */
function builtModules(): Uint8Array[] {
  const folder = join(import.meta.dir, "../../dist/wasm");
  const names = existsSync(folder) ? readdirSync(folder).filter((each) => each.endsWith(".wasm")) : [];
  return names
    .toSorted()
    .map((each) => new Uint8Array(readFileSync(join(folder, each))))
    .filter(({ length }) => length < 40_000);
}
