/**
 * Reads a TOML document that a person wrote and checks it against a schema. Every error names file, line, key, what was
 * found and what is allowed, with the key that was probably meant. Used for the daemon's configuration and for manifests.
 */
import { parse, TomlError } from "smol-toml";
import * as v from "valibot";
import { fail, type ErrorCode } from "./errors.ts";
import { wantedBy } from "./schema-words.ts";
import { didYouMean, printable, quote } from "./text.ts";

export interface TomlSource {
  readonly text: string;
  /** How errors call it: a path, or `plugin.toml`. */
  readonly file: string;
  readonly code: Extract<ErrorCode, "config.invalid" | "manifest.invalid">;
  /** Keys whose values must not be repeated in an error. */
  readonly isSecret?: (path: readonly string[]) => boolean;
  /** Where the value of a key is from, if not from the text. */
  readonly elsewhere?: (path: readonly string[]) => string | undefined;
}

/** The document's plain value. Throws `source.code` with line and column for bad syntax. */
export function parseToml(source: TomlSource): Record<string, unknown> {
  try {
    return parse(source.text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const problem = error.message.split("\n")[0] ?? "bad syntax";
    throw fail(source.code, `${source.file}:${error.line}:${error.column}: ${printable(problem)}`, {
      details: { file: source.file, line: error.line, column: error.column },
    });
  }
}

/** `value` (from `parseToml`, perhaps completed since) as the schema's output. */
export function checkToml<S extends v.GenericSchema>(
  source: TomlSource,
  value: Record<string, unknown>,
  schema: S,
): v.InferOutput<S> {
  // The first problem is what is told; thousands of them would each be put into words.
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  // A key that is misspelled is often one that is missing too, and says more.
  const issue = deepest(result.issues.find(isUnknownKey) ?? result.issues[0]);
  const path = (issue.path ?? []).map((item) => String(item.key));
  const key = path.map((part) => printable(part)).join(".");
  const says = explain(source, issue, path, schema);
  const elsewhere = source.elsewhere?.(path);
  if (elsewhere !== undefined) throw fail(source.code, `${elsewhere}: ${says}`, { details: { key } });
  const line = lineOf(source.text, path);
  const place = line === undefined ? source.file : `${source.file}:${line}`;
  throw fail(source.code, `${place}: ${key === "" ? "the file" : key}: ${says}`, {
    details: { file: source.file, line, key },
  });
}

// --- internal ---

type Issue = v.BaseIssue<unknown>;

/** In a union, the branch that got furthest says the most. */
function deepest(issue: Issue): Issue {
  const branches = (issue.issues ?? []).filter((branch) => (branch.path?.length ?? 0) > 0);
  const best = branches[0];
  if (best === undefined) return issue;
  return { ...best, path: [...(issue.path ?? []), ...(best.path ?? [])] } as Issue;
}

function explain(source: TomlSource, issue: Issue, path: readonly string[], schema: v.GenericSchema): string {
  if (isUnknownKey(issue)) return unknownKey(path, schema);
  if (issue.received === "undefined") return "is missing";
  const found = source.isSecret?.(path) === true ? "" : `found ${describe(issue.input)}, `;
  return `${found}wanted ${wantedBy(issue, "a table")}`;
}

function isUnknownKey({ type, expected }: Issue): boolean {
  return type === "strict_object" && expected === "never";
}

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

/** The line (from 1) where the last part of `path` that exists in the text is written. */
function lineOf(text: string, path: readonly string[]): number | undefined {
  let table = "";
  let best: { readonly depth: number; readonly line: number } | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    // A stranger wrote it: a longer line is no key, and patterns would go over it again and again.
    const line = raw.slice(0, KEY_LINE_CHARS).trim();
    const header = /^\[\[?\s*([^\]]+)\]/.exec(line);
    if (header?.[1] !== undefined) table = unquote(header[1].trim());
    const key =
      header === null ? /^("[^"]*"|'[^']*'|[\w-]+(?:\s*\.\s*[\w-]+)*)\s*=/.exec(line)?.[1] : undefined;
    const here = [table, key === undefined ? "" : unquote(key)].filter((part) => part !== "").join(".");
    const depth = matchDepth(here, path);
    if (depth > (best?.depth ?? 0)) best = { depth, line: index + 1 };
  }
  return best?.line;
}

const KEY_LINE_CHARS = 1_000;

function unquote(key: string): string {
  return key.replaceAll(/["']/g, "").replaceAll(/\s*\.\s*/g, ".");
}

function matchDepth(here: string, path: readonly string[]): number {
  if (here === "") return 0;
  for (let depth = path.length; depth > 0; depth--) if (path.slice(0, depth).join(".") === here) return depth;
  return 0;
}
