/**
 * Reads a TOML document that a person wrote and checks it against a schema (see document.ts). Used for the daemon's configuration and
 * for plugin.toml.
 */
import { parse, TomlError } from "smol-toml";
import type * as v from "valibot";
import {
  checkDocument,
  documentProblems,
  placeText,
  type DocumentSource,
  type TextPlace,
} from "./document.ts";
import { fail, isVoxError, type VoxError } from "./errors.ts";
import { printable } from "./text.ts";

export type TomlSource = DocumentSource;

/** The document's plain value. Throws `source.code` with line and column for bad syntax. */
export function parseToml(source: TomlSource): Record<string, unknown> {
  try {
    return parse(source.text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const problem = error.message.split("\n")[0] ?? "bad syntax";
    const place = { line: error.line, column: error.column };
    throw fail(source.code, `${placeText(source.file, place)}: ${printable(problem)}`, {
      details: { file: source.file, ...place },
    });
  }
}

/** `value` (from `parseToml`, perhaps completed since) as the schema's output. */
export function checkToml<S extends v.GenericSchema>(
  source: TomlSource,
  value: Record<string, unknown>,
  schema: S,
): v.InferOutput<S> {
  return checkDocument(source, value, schema, (path) => placeOf(source.text, path));
}

/** All that is wrong with it: its syntax, or else what the schema finds. */
export function tomlProblems(source: TomlSource, schema: v.GenericSchema): readonly VoxError[] {
  let value: Record<string, unknown>;
  try {
    value = parseToml(source);
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return [error];
  }
  return documentProblems(source, value, schema, (path) => placeOf(source.text, path));
}

// --- internal ---

/** Where the last part of `path` that exists in the text is written: its line and column, from 1. */
function placeOf(text: string, path: readonly string[]): TextPlace | undefined {
  let table = "";
  const entries = new Map<string, number>();
  let best: { readonly depth: number; readonly line: number; readonly column: number } | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    // A stranger wrote it: a longer line is no key, and patterns would go over it again and again.
    const start = raw.slice(0, KEY_LINE_CHARS);
    const line = start.trim();
    const header = /^\[\[?\s*([^\]]+)\]/.exec(line);
    if (header?.[1] !== undefined) table = tableOf(header, entries);
    const key =
      header === null ? /^("[^"]*"|'[^']*'|[\w-]+(?:\s*\.\s*[\w-]+)*)\s*=/.exec(line)?.[1] : undefined;
    const here = [table, key === undefined ? "" : unquote(key)].filter((part) => part !== "").join(".");
    const depth = matchDepth(here, path);
    const column = start.length - start.trimStart().length + 1;
    if (depth > (best?.depth ?? 0)) best = { depth, line: index + 1, column };
  }
  return best === undefined ? undefined : { line: best.line, column: best.column };
}

/** `[[alerts]]` is the next entry of a list: `alerts.0`, `alerts.1` … */
function tableOf([header, written = ""]: readonly string[], entries: Map<string, number>): string {
  const name = unquote(written.trim());
  if (header?.startsWith("[[") !== true) return name;
  const index = entries.get(name) ?? 0;
  entries.set(name, index + 1);
  return `${name}.${index}`;
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
