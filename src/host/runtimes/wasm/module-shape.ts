/** What is known of a module once its sections were read: what it imports, exports and holds. Types and words only. */

/**
 * A function's type: a letter for each value, parameters before the `>`. `i` i32, `I` i64, `f` f32, `F` f64, `v` v128,
 * `r` funcref, `e` externref: `II>i` takes two i64 and gives an i32.
 */
export type Signature = string;

export type EntityKind = "function" | "table" | "memory" | "global" | "tag";

export interface ImportShape {
  readonly module: string;
  readonly name: string;
  readonly kind: EntityKind;
  /** Of a function. */
  readonly type: Signature | undefined;
}

export interface ExportShape {
  readonly name: string;
  readonly kind: EntityKind;
  /** Of a function. */
  readonly type: Signature | undefined;
}

export interface TableShape {
  readonly element: number;
  readonly initial: number;
  readonly maximum: number | undefined;
}

export interface MemoryShape {
  /** In pages of 64 KiB. */
  readonly initial: number;
  readonly maximum: number | undefined;
}

export interface ModuleShape {
  readonly imports: readonly ImportShape[];
  readonly exports: readonly ExportShape[];
  readonly tables: readonly TableShape[];
  readonly memory: MemoryShape | undefined;
}

/** "(i64, i64) → i32", for people. */
export function signatureText(type: Signature): string {
  const [params = "", results = ""] = type.split(">").map(namesOf);
  return `(${params}) → ${results === "" ? "nothing" : results}`;
}

// --- internal ---

function namesOf(letters: string): string {
  return [...letters].map((letter) => NAMES[letter] ?? letter).join(", ");
}

const NAMES: Readonly<Record<string, string>> = {
  i: "i32",
  I: "i64",
  f: "f32",
  F: "f64",
  v: "v128",
  r: "funcref",
  e: "externref",
};
