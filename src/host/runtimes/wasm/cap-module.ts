/**
 * Puts the caps on a WebAssembly module: the greatest size of its memory and of its tables is written into it, so that the
 * engine itself keeps to them. What no cap can be put on is refused. Pure: bytes in, bytes out. Called by wasm-guest.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import { GuestRefusal } from "./guest-errors.ts";
import { makeModuleReader, type ModuleReader } from "./module-reader.ts";
import type { MemoryShape, ModuleShape, TableShape } from "./module-shape.ts";
import { SECTION, SECTION_READERS, type Findings } from "./read-sections.ts";

export interface CappedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly shape: ModuleShape;
}

/** Throws a GuestRefusal that says what was found, and nothing else, whatever the bytes are. */
export function capModule(code: Uint8Array): CappedModule {
  checkHeader(code);
  const found: Findings = {
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memory: undefined,
    exports: [],
  };
  const pieces: Uint8Array[] = [code.subarray(0, HEADER_BYTES)];
  const reader = makeModuleReader(code, HEADER_BYTES);
  let rank = 0;
  while (!reader.atEnd()) {
    const start = reader.position();
    const id = reader.byte();
    const body = reader.part(reader.u32());
    if (id !== CUSTOM) rank = nextRank(reader, id, rank);
    readSection(id, body, found);
    pieces.push(cappedSection(id, found) ?? code.subarray(start, reader.position()));
  }
  const { imports, exports, tables, memory } = found;
  return { bytes: joined(pieces), shape: { imports, exports, tables, memory } };
}

// --- internal ---

const HEADER_BYTES = 8;
const MAGIC = "0061736d";
const MODULE = "01000000";
/** How the version of a component ends: its second half says what the bytes are. */
const COMPONENT = "0100";
const CUSTOM = 0;

/** Sections in the order that the format wants; each at most once. 12 is the count of data segments. */
const ORDER: readonly number[] = [
  SECTION.types,
  SECTION.imports,
  SECTION.functions,
  SECTION.tables,
  SECTION.memory,
  SECTION.tags,
  SECTION.globals,
  SECTION.exports,
  8,
  9,
  12,
  10,
  11,
];

function checkHeader(code: Uint8Array): void {
  if (code.length > LIMITS.bundleBytes)
    throw new GuestRefusal(
      `the module has ${formatBytes(code.length)}, at most ${formatBytes(LIMITS.bundleBytes)} are taken`,
      "strip its debug information (wasm-strip, -ldflags=-s, -C strip=symbols)",
    );
  const header = code.subarray(0, HEADER_BYTES).toHex();
  if (!header.startsWith(MAGIC)) throw notAModule(code);
  const version = header.slice(MAGIC.length);
  if (version === MODULE) return;
  if (version.endsWith(COMPONENT))
    throw new GuestRefusal(
      "it is a WebAssembly component, and a core module is wanted",
      "build for WASI preview 1 or for no system at all: wasm32-wasip1 or wasm32-unknown-unknown, not wasm32-wasip2",
    );
  throw new GuestRefusal(
    `it is WebAssembly of a version that is not known (${version || "none"}), wanted ${MODULE}`,
  );
}

function notAModule(code: Uint8Array): GuestRefusal {
  if (code.length === 0) return new GuestRefusal("it is no WebAssembly module: it is empty", BUILD_IT);
  const text = new TextDecoder().decode(code.subarray(0, 200)).trimStart();
  if (text.startsWith("(module"))
    return new GuestRefusal(
      "it is WebAssembly in text, and a binary module is wanted",
      "translate it: wat2wasm",
    );
  const begin = [...code.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new GuestRefusal(
    `it is no WebAssembly module: it begins with ${begin}, wanted 00 61 73 6d`,
    BUILD_IT,
  );
}

const BUILD_IT = "build it for wasm32: docs/wasm.md says how, for each language";

function nextRank(reader: ModuleReader, id: number, rank: number): number {
  const next = ORDER.indexOf(id) + 1;
  if (next === 0) throw reader.malformed(`there is no section ${id}`);
  if (next <= rank) throw reader.malformed(`section ${id} is there twice, or out of its place`);
  return next;
}

function readSection(id: number, body: ModuleReader, found: Findings): void {
  const read = SECTION_READERS[id];
  if (read === undefined) return;
  read(body, found);
  if (!body.atEnd()) throw body.malformed(`section ${id} is longer than what it holds`);
}

/** The sections that say how large something may grow are written anew. */
function cappedSection(id: number, found: Findings): Uint8Array | undefined {
  if (id === SECTION.tables)
    return section(id, [...varint(found.tables.length), ...found.tables.flatMap(tableBytes)]);
  if (id === SECTION.memory)
    return section(id, found.memory === undefined ? [0] : [1, ...memoryBytes(found.memory)]);
  return undefined;
}

function tableBytes({ element, initial, maximum }: TableShape): number[] {
  return [element, ...limits(initial, maximum, LIMITS.wasmTableElements)];
}

function memoryBytes({ initial, maximum }: MemoryShape): number[] {
  return limits(initial, maximum, LIMITS.guestMemoryPages);
}

function limits(initial: number, maximum: number | undefined, cap: number): number[] {
  return [WITH_MAXIMUM, ...varint(initial), ...varint(Math.min(maximum ?? cap, cap))];
}

const WITH_MAXIMUM = 1;

function section(id: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([id, ...varint(body.length), ...body]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
