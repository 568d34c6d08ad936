/**
 * Checks a document that a person wrote against a schema. Every error names file, line, key, what was found and what is allowed, with
 * the key that was probably meant. What the document is written in is the business of toml.ts and yaml.ts, which call this.
 */
import * as v from "valibot";
import { CHECK_LIMITS } from "./check-limits.ts";
import { fail, type ErrorCode, type VoxError } from "./errors.ts";
import { wantedBy } from "./schema-words.ts";
import { isObject } from "./is-object.ts";
import { didYouMean, printable, quote } from "./text.ts";

export interface DocumentSource {
  readonly text: string;
  /** How errors call it: a path, or `plugin.toml`. */
  readonly file: string;
  readonly code: Extract<ErrorCode, "config.invalid" | "manifest.invalid">;
  /** Keys whose values must not be repeated in an error. */
  readonly isSecret?: (path: readonly string[]) => boolean;
  /** Where the value of a key is from, if not from the text. */
  readonly elsewhere?: (path: readonly string[]) => string | undefined;
}

/** Where in the text something is written, from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column?: number;
}

/** `value` as the schema's output. `placeOf` finds the last part of a path that is there. Throws `source.code`. */
export function checkDocument<S extends v.GenericSchema>(
  source: DocumentSource,
  value: Record<string, unknown>,
  schema: S,
  placeOf: PlaceOf,
): v.InferOutput<S> {
  // The first problem is what is told; thousands of them would each be put into words.
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw problemOf({ source, value, schema, placeOf }, result.issues[0]);
}

/** For an author who mends all at once: each problem that `checkDocument` could throw, up to a number of them, in the text's order. */
export function documentProblems(
  source: DocumentSource,
  value: Record<string, unknown>,
  schema: v.GenericSchema,
  placeOf: PlaceOf,
): readonly VoxError[] {
  const byText = new Map<string, VoxError>();
  let rest = value;
  // Of unknown keys a schema tells one at a time.
  for (let round = 0; round < CHECK_LIMITS.documentProblems; round++) {
    const result = v.safeParse(schema, rest);
    if (result.success) break;
    for (const issue of result.issues) {
      if (byText.size >= CHECK_LIMITS.documentProblems) break;
      // A misspelled key is one that is missing and one that is unknown: both are told in the same words.
      const problem = problemOf({ source, value, schema, placeOf }, issue);
      byText.set(problem.message, problem);
    }
    const unknown = result.issues.filter((issue) => isUnknownKey(issue));
    if (unknown.length === 0) break;
    for (const { path = [] } of unknown)
      rest = without(
        rest,
        path.map((item) => String(item.key)),
      );
  }
  return [...byText.values()].toSorted((one, other) => lineOf(one) - lineOf(other));
}

/** Where the last part of a path that is there is written. */
export type PlaceOf = (path: readonly string[]) => TextPlace | undefined;

/** `plugin.toml:3:1`. */
export function placeText(file: string, place: TextPlace | undefined): string {
  return [file, place?.line, place?.column].filter((part) => part !== undefined).join(":");
}

// --- internal ---

type Issue = v.BaseIssue<unknown>;

interface Document {
  readonly source: DocumentSource;
  readonly value: Record<string, unknown>;
  readonly schema: v.GenericSchema;
  readonly placeOf: PlaceOf;
}

function problemOf({ source, value, schema, placeOf }: Document, first: Issue): VoxError {
  const issue = deepest(first);
  const found = (issue.path ?? []).map((item) => String(item.key));
  // A key that is misspelled is often one that is missing too, and says more.
  const typo = isMissing(issue) ? misspelled(value, found, schema) : undefined;
  const path = typo ?? found;
  const key = path.map((part) => printable(part)).join(".");
  const says = typo === undefined ? explain(source, issue, path, schema) : unknownKey(path, schema);
  const elsewhere = source.elsewhere?.(path);
  if (elsewhere !== undefined) return fail(source.code, `${elsewhere}: ${says}`, { details: { key } });
  const place = placeOf(path);
  return fail(source.code, `${placeText(source.file, place)}: ${key === "" ? "the file" : key}: ${says}`, {
    details: { file: source.file, ...place, key },
  });
}

/** A copy that lacks what is at the end of the path. */
function without(
  table: Record<string, unknown>,
  [key = "", ...path]: readonly string[],
): Record<string, unknown> {
  const { [key]: value, ...others } = table;
  return path.length > 0 && isObject(value) ? { ...others, [key]: without(value, path) } : others;
}

function lineOf({ details }: VoxError): number {
  return typeof details["line"] === "number" ? details["line"] : 0;
}

/** In a union, the branch that got furthest says the most. */
function deepest(issue: Issue): Issue {
  const branches = (issue.issues ?? []).filter((branch) => (branch.path?.length ?? 0) > 0);
  const best = branches[0];
  if (best === undefined) return issue;
  return { ...best, path: [...(issue.path ?? []), ...(best.path ?? [])] } as Issue;
}

function explain(
  source: DocumentSource,
  issue: Issue,
  path: readonly string[],
  schema: v.GenericSchema,
): string {
  if (isUnknownKey(issue)) return unknownKey(path, schema);
  if (isMissing(issue)) return "is missing";
  const found = source.isSecret?.(path) === true ? "" : `found ${describe(issue.input)}, `;
  return `${found}wanted ${wantedBy(issue, "a table")}`;
}

function isUnknownKey({ type, expected }: Issue): boolean {
  return type === "strict_object" && expected === "never";
}

function isMissing({ received }: Issue): boolean {
  return received === "undefined";
}

/** The path of a key beside the missing one that is nearly that one; of so many keys and characters as people write. */
function misspelled(value: unknown, path: readonly string[], schema: v.GenericSchema): string[] | undefined {
  const parent = path.slice(0, -1);
  const table = parent.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), value);
  if (!isObject(table)) return undefined;
  const known = keysAt(schema, parent);
  const typo = Object.keys(table)
    .slice(0, TYPO_KEYS)
    .filter((key) => key.length <= TYPO_CHARS && !known.includes(key))
    .find((key) => didYouMean(key, known) === path.at(-1));
  return typo === undefined ? undefined : [...parent, typo];
}

const TYPO_KEYS = 100;
const TYPO_CHARS = 64;

function unknownKey(path: readonly string[], schema: v.GenericSchema): string {
  const known = keysAt(schema, path.slice(0, -1));
  const meant = didYouMean(path.at(-1) ?? "", known);
  const advice = meant === undefined ? `known here: ${known.join(", ")}` : `did you mean ${quote(meant)}?`;
  return `is not a known key; ${advice}`;
}

/** The keys that a schema allows at `path`, as far as it is made of plain objects. */
function keysAt(schema: unknown, path: readonly string[]): readonly string[] {
  const node = unwrap(schema);
  if (node.options !== undefined) return [...new Set(node.options.flatMap((option) => keysAt(option, path)))];
  if (path.length === 0) return Object.keys(node.entries ?? {});
  const [head = "", ...rest] = path;
  return keysAt(node.entries?.[head] ?? node.value, rest);
}

interface SchemaNode {
  readonly entries?: Record<string, unknown>;
  readonly wrapped?: unknown;
  /** Of a variant. */
  readonly options?: readonly unknown[];
  readonly pipe?: readonly unknown[];
  readonly value?: unknown;
}

function unwrap(schema: unknown): SchemaNode {
  const node = (schema ?? {}) as SchemaNode;
  if (node.wrapped !== undefined) return unwrap(node.wrapped);
  return node;
}

function describe(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  return typeof value === "object" ? "a table" : `${value as number | boolean | bigint}`;
}
