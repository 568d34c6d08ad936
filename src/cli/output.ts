/**
 * What results and errors look like: aligned tables and plain lines for people, JSON for programs. Results go to stdout,
 * the rest to stderr. Text that others wrote (manifests, plugins, services' names) passes `printable` on its way.
 */
import { isVoxError, toWire } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import type { Io, Sink } from "./io.ts";

/** Columns are as wide as their widest cell; the last is not padded, and cut only when it is very long. Without rows there is only `empty`. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], empty: string): string {
  if (rows.length === 0) return `${empty}\n`;
  const last = header.length - 1;
  const lines = [
    header,
    ...rows.map((row) => row.map((cell, at) => (at === last ? longText(cell) : cellText(cell)))),
  ];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ""))));
  return lines.map((line) => `${padded(line, widths).trimEnd()}\n`).join("");
}

export type Cell = string | number | boolean | null | undefined;

/** `name: value` lines with aligned values; what is null is left out. */
export function facts(rows: readonly (readonly [string, Cell])[]): string {
  const present = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const width = Math.max(0, ...present.map(([name]) => name.length)) + 1;
  return present.map(([name, value]) => `${`${name}:`.padEnd(width)} ${longText(value)}\n`).join("");
}

/** One JSON document, indented for the eye; programs do not mind. */
export function json(value: unknown): string {
  return `${harmless(JSON.stringify(value, undefined, 2))}\n`;
}

/** One line of NDJSON. */
export function jsonLine(value: unknown): string {
  return `${harmless(JSON.stringify(value))}\n`;
}

/** `error:` and `hint:` lines, or the error document. A bug also shows its stack: there is no log to find it in. */
export async function reportError(io: Io, error: unknown, asJson: boolean): Promise<void> {
  if (asJson) return io.stderr.write(json({ error: toWire(error) }));
  const wire = toWire(error);
  const stack = !isVoxError(error) && error instanceof Error ? `${error.stack ?? error.message}\n` : "";
  const hint = isVoxError(error) ? wire.hint : undefined;
  await io.stderr.write(
    `${paint(io, io.stderr, "error:")} ${printable(wire.message, LIMITS.errorTextChars)}\n${stack}` +
      evidence(wire.details) +
      (hint === undefined ? "" : `hint: ${printable(hint, LIMITS.errorTextChars)}\n`),
  );
}

// --- internal ---

/**
 * The same JSON for a program. JSON leaves most of what moves a cursor or hides a text as it is, and people look at it on terminals: a
 * plugin's answer may hold anything.
 */
function harmless(text: string): string {
  return text.replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    Array.from({ length: found.length }, (_, at) => escaped(found.charCodeAt(at))).join(""),
  );
}

function escaped(code: number): string {
  return `\\u${code.toString(16).padStart(4, "0")}`;
}

/** Where a plugin's code failed, and what an instance wrote last: without them the message is half the story. */
function evidence(details: Readonly<Record<string, unknown>> | undefined): string {
  const frames = texts(details?.["stack"]).map((frame) => `  at ${frame}\n`);
  const written = texts(details?.["logs"]).map((line) => `  | ${line}\n`);
  return [...frames, ...(written.length === 0 ? [] : ["its last lines:\n", ...written])].join("");
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each) => typeof each === "string").map((text) => printable(text));
}

function cellText(value: Cell, chars?: number): string {
  return value === null || value === undefined || value === "" ? "-" : printable(String(value), chars);
}

/** Where nothing stands beside it: it may end with a command to paste. */
function longText(value: Cell): string {
  return cellText(value, LIMITS.errorTextChars);
}

function padded(line: readonly string[], widths: readonly number[]): string {
  return line.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell))).join("  ");
}

function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

function paint(io: Io, sink: Sink, text: string): string {
  const plain = !sink.isTerminal || (io.environment["NO_COLOR"] ?? "") !== "";
  return plain ? text : `\u001B[1;31m${text}\u001B[0m`;
}
