/**
 * Reads the sections of a module that say what it holds and wants, and refuses what no bound could be put on. The rest is the
 * engine's to check. Pure. Called by cap-module.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes, quote } from "../../../base/text.ts";
import { skipInitializer } from "./constant-expression.ts";
import { GuestRefusal } from "./guest-errors.ts";
import type { ModuleReader } from "./module-reader.ts";
import type {
  EntityKind,
  ExportShape,
  ImportShape,
  MemoryShape,
  Signature,
  TableShape,
} from "./module-shape.ts";
import { checkTypeForm, readElementType, readValueType } from "./value-types.ts";

/** What was read so far: sections come in an order in which each knows what it refers to. */
export interface Findings {
  types: Signature[];
  imports: ImportShape[];
  /** The type of each function, imported ones first. */
  functions: (Signature | undefined)[];
  tables: TableShape[];
  memory: MemoryShape | undefined;
  exports: ExportShape[];
}

export const SECTION = {
  types: 1,
  imports: 2,
  functions: 3,
  tables: 4,
  memory: 5,
  globals: 6,
  exports: 7,
  tags: 13,
} as const;

/** By section. One that is not here is not looked into. */
export const SECTION_READERS: Readonly<Record<number, (reader: ModuleReader, found: Findings) => void>> = {
  [SECTION.types]: (reader, found) => {
    found.types = reader.vector("types", LIMITS.wasmFunctions, () => readFunctionType(reader));
  },
  [SECTION.imports]: (reader, found) => {
    found.imports = reader.vector("imports", LIMITS.wasmImports, () => readImport(reader, found));
    for (const { kind, type } of found.imports) if (kind === "function") found.functions.push(type);
  },
  [SECTION.functions]: (reader, found) => {
    const own = reader.vector("functions", LIMITS.wasmFunctions, () => typeAt(reader, found));
    found.functions = found.functions.concat(own);
  },
  [SECTION.tables]: (reader, found) => {
    found.tables = reader.vector("tables", LIMITS.wasmTables, () => readTable(reader));
  },
  [SECTION.memory]: (reader, found) => {
    found.memory = readMemories(reader);
  },
  [SECTION.globals]: (reader) => {
    reader.vector("globals", Number.POSITIVE_INFINITY, () => {
      readValueType(reader);
      reader.skip(1);
      skipInitializer(reader);
    });
  },
  [SECTION.exports]: (reader, found) => {
    found.exports = reader.vector("exports", LIMITS.wasmExports, () => readExport(reader, found));
  },
  [SECTION.tags]: (reader, found) => {
    reader.vector("tags", LIMITS.wasmImports, () => readTag(reader, found));
  },
};

// --- internal ---

const KINDS: readonly EntityKind[] = ["function", "table", "memory", "global", "tag"];

function readFunctionType(reader: ModuleReader): Signature {
  checkTypeForm(reader);
  const params = readLetters(reader);
  return `${params}>${readLetters(reader)}`;
}

function readLetters(reader: ModuleReader): string {
  return reader.vector("values in one type", MOST_VALUES, () => readValueType(reader)).join("");
}

/** What the engine takes. */
const MOST_VALUES = 1_000;

function typeAt(reader: ModuleReader, found: Findings): Signature {
  const type = found.types[reader.u32()];
  if (type === undefined) throw reader.malformed("it refers to a type that is not there");
  return type;
}

function readKind(reader: ModuleReader): EntityKind {
  const kind = KINDS[reader.byte()];
  if (kind === undefined) throw reader.malformed("it has an import or export of a kind that is not known");
  return kind;
}

function readImport(reader: ModuleReader, found: Findings): ImportShape {
  const [module, name, kind] = [reader.name(), reader.name(), readKind(reader)];
  if (kind === "function") return { module, name, kind, type: typeAt(reader, found) };
  if (kind === "memory" || kind === "table")
    throw new GuestRefusal(
      `the module imports its ${kind} (${quote(`${module}.${name}`)})`,
      `build it so that it has a ${kind} of its own${kind === "memory" ? ": without --import-memory" : ""}`,
    );
  if (kind === "global") {
    readValueType(reader);
    reader.skip(1);
  } else readTag(reader, found);
  return { module, name, kind, type: undefined };
}

function readTable(reader: ModuleReader): TableShape {
  const element = readElementType(reader);
  const flags = reader.byte();
  if (flags > 1)
    throw new GuestRefusal(`one of the module's tables is ${flags >= 4 ? "a 64-bit one" : "shared"}`);
  const initial = reader.u32();
  if (initial > LIMITS.wasmTableElements)
    throw new GuestRefusal(
      `one of the module's tables begins with ${initial} elements, at most ${LIMITS.wasmTableElements} are taken`,
    );
  return { element, initial, maximum: flags === 1 ? reader.u32() : undefined };
}

function readMemories(reader: ModuleReader): MemoryShape | undefined {
  const memories = reader.vector("memories", 1, () => readMemory(reader));
  return memories[0];
}

function readMemory(reader: ModuleReader): MemoryShape {
  const flags = reader.byte();
  const problem = MEMORY_FLAGS.find(([bit]) => (flags & bit) !== 0)?.[1];
  if (problem !== undefined)
    throw new GuestRefusal(`the module's memory ${problem}`, "build it for one plain 32-bit memory");
  const initial = reader.u32();
  if (initial > LIMITS.guestMemoryPages)
    throw new GuestRefusal(
      `the module's memory begins with ${formatBytes(initial * PAGE)}, at most ${formatBytes(LIMITS.guestMemoryPages * PAGE)} are taken`,
      "give the linker a smaller --initial-memory, or asc a smaller --initialMemory",
    );
  return { initial, maximum: (flags & 1) === 0 ? undefined : reader.u32() };
}

const PAGE = 65_536;

const MEMORY_FLAGS: readonly (readonly [bit: number, problem: string])[] = [
  [0x02, "is shared between threads"],
  [0x04, "has 64-bit addresses"],
  [0x08, "has pages of its own size"],
  [0xf0, "has properties that are not known"],
];

function readExport(reader: ModuleReader, found: Findings): ExportShape {
  const [name, kind, index] = [reader.name(), readKind(reader), reader.u32()];
  return { name, kind, type: kind === "function" ? found.functions[index] : undefined };
}

/** What an exception carries lies outside the capped memory, so it may not be much, and nothing that could make a chain. */
function readTag(reader: ModuleReader, found: Findings): void {
  reader.skip(1);
  const [params = ""] = typeAt(reader, found).split(">");
  if (params.length <= LIMITS.wasmTagParams && /^[iIfFv]*$/.test(params)) return;
  throw new GuestRefusal(
    `the module throws exceptions of ${params.length} values, at most ${LIMITS.wasmTagParams} numbers are taken`,
  );
}
