/**
 * The value types that a module may use. Those of the garbage collector and references to exceptions are refused: what they
 * hold lies outside the memory that has a cap, and there is no bound on it. Called by read-sections.ts.
 */
import { GuestRefusal } from "./guest-errors.ts";
import type { ModuleReader } from "./module-reader.ts";

/** The letter of a value type (see Signature); throws for one that is not taken. */
export function readValueType(reader: ModuleReader): string {
  const code = reader.byte();
  const letter = LETTERS[code];
  if (letter !== undefined) return letter;
  throw refusedType(code) ?? reader.malformed(`${hex(code)} is no type of a value`);
}

/** The type of a table's elements: funcref or externref. */
export function readElementType(reader: ModuleReader): number {
  const code = reader.byte();
  if (code === FUNCREF || code === EXTERNREF) return code;
  if (code === INITIALIZED)
    throw new GuestRefusal("one of the module's tables has an initialiser, and those are not taken");
  throw refusedType(code) ?? reader.malformed(`${hex(code)} is no type of a table's elements`);
}

/** The form of an entry in the section of types: only functions are taken. */
export function checkTypeForm(reader: ModuleReader): void {
  const code = reader.byte();
  if (code === FUNCTION) return;
  if (GC_FORMS.has(code)) throw garbageCollected();
  throw reader.malformed(`${hex(code)} is no form of a type`);
}

// --- internal ---

const FUNCTION = 0x60;
const FUNCREF = 0x70;
const EXTERNREF = 0x6f;
/** Stands before a table's type where an expression follows that fills it. */
const INITIALIZED = 0x40;

const LETTERS: Readonly<Record<number, string>> = {
  0x7f: "i",
  0x7e: "I",
  0x7d: "f",
  0x7c: "F",
  0x7b: "v",
  [FUNCREF]: "r",
  [EXTERNREF]: "e",
};

/** struct, array, rec, sub, sub final. */
const GC_FORMS: ReadonlySet<number> = new Set([0x5f, 0x5e, 0x4e, 0x50, 0x4f]);

/** exnref and noexn; typed references; any, eq, i31, struct, array, none, noextern, nofunc. */
const EXCEPTION_TYPES: ReadonlySet<number> = new Set([0x69, 0x74]);
const TYPED_REFERENCES: ReadonlySet<number> = new Set([0x63, 0x64]);
const GC_TYPES: ReadonlySet<number> = new Set([0x6e, 0x6d, 0x6c, 0x6b, 0x6a, 0x71, 0x72, 0x73]);

function refusedType(code: number): GuestRefusal | undefined {
  if (EXCEPTION_TYPES.has(code))
    return new GuestRefusal(
      "the module keeps references to exceptions (exnref), which no bound holds",
      "build it without exceptions, or with those of the first proposal (try, catch)",
    );
  if (TYPED_REFERENCES.has(code))
    return new GuestRefusal(
      "the module uses typed references",
      "build it without function references and without garbage collection",
    );
  return GC_TYPES.has(code) ? garbageCollected() : undefined;
}

function garbageCollected(): GuestRefusal {
  return new GuestRefusal(
    "the module uses garbage-collected types, which no bound holds",
    "build it for linear memory: without the GC proposal",
  );
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
