/**
 * What the instrumenter must know of a module before it writes a byte: where the sections are, and how many types,
 * imports, functions and globals there are. Refuses what it does not know.
 */
import { makeWasmReader, wasmError, type WasmReader } from "./wasm-binary.ts";

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  dataCount: 12,
  tag: 13,
} as const;

export interface WasmSection {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

export interface WasmLayout {
  readonly sections: readonly WasmSection[];
  readonly typeCount: number;
  readonly importCount: number;
  readonly importedFunctions: number;
  /** Imported and defined. */
  readonly globalCount: number;
  /** For each function that the module defines: its number of parameters. */
  readonly parameterCounts: readonly number[];
}

export function readWasmLayout(bytes: Uint8Array): WasmLayout {
  const reader = makeWasmReader(bytes);
  const sections = readSections(reader);
  const find = (id: number) => sections.find((section) => section.id === id);
  const imports = readImports(reader, find(SECTION.import));
  return {
    sections,
    ...imports,
    typeCount: count(reader, find(SECTION.type)),
    globalCount: imports.importedGlobals + count(reader, find(SECTION.global)),
    parameterCounts: readParameterCounts(reader, find(SECTION.type), find(SECTION.function)),
  };
}

// --- internal ---

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

function readSections(reader: WasmReader): WasmSection[] {
  if (HEADER.some((byte, i) => reader.bytes[i] !== byte))
    throw wasmError("it is not a core module, version 1");
  reader.position = HEADER.length;
  const sections: WasmSection[] = [];
  while (reader.position < reader.bytes.length) {
    const id = reader.byte();
    const length = reader.unsigned();
    const start = reader.position;
    reader.skip(length);
    sections.push({ id, start, end: reader.position });
  }
  return sections;
}

/** The number of entries that a section begins with. */
function count(reader: WasmReader, section: WasmSection | undefined): number {
  if (section === undefined) return 0;
  reader.position = section.start;
  return reader.unsigned();
}

function readImports(
  reader: WasmReader,
  section: WasmSection | undefined,
): { importCount: number; importedFunctions: number; importedGlobals: number } {
  const importCount = count(reader, section);
  let importedFunctions = 0;
  let importedGlobals = 0;
  for (let i = 0; i < importCount; i++) {
    reader.skip(reader.unsigned());
    reader.skip(reader.unsigned());
    const kind = reader.byte();
    if (kind === 0) {
      reader.unsigned();
      importedFunctions++;
    } else if (kind === 1) {
      reader.skipType();
      reader.skipLimits();
    } else if (kind === 2) {
      reader.skipLimits();
    } else if (kind === 3) {
      reader.skipType();
      reader.byte();
      importedGlobals++;
    } else if (kind === 4) {
      reader.byte();
      reader.unsigned();
    } else throw wasmError(`import kind ${kind}`);
  }
  return { importCount, importedFunctions, importedGlobals };
}

function readParameterCounts(
  reader: WasmReader,
  types: WasmSection | undefined,
  functions: WasmSection | undefined,
): number[] {
  if (types === undefined || functions === undefined) throw wasmError("it defines no functions");
  const typeCount = count(reader, types);
  const parametersOf: number[] = [];
  for (let i = 0; i < typeCount; i++) {
    if (reader.byte() !== 0x60) throw wasmError("only plain function types are supported");
    const parameters = reader.unsigned();
    for (let j = 0; j < parameters; j++) reader.skipType();
    for (let j = reader.unsigned(); j > 0; j--) reader.skipType();
    parametersOf.push(parameters);
  }
  if (reader.position !== types.end) throw wasmError("the type section has another length than it says");
  return Array.from({ length: count(reader, functions) }, () => {
    const parameters = parametersOf[reader.unsigned()];
    if (parameters === undefined) throw wasmError("a function has an unknown type");
    return parameters;
  });
}
