/**
 * From a place in the bundle to the author's file and line, by the bundle's source map. The map and the stack are a plugin's own
 * words: what comes out is shown to people and trusted with nothing. Runs beside the guest, so that a large map costs its plugin alone.
 */
import * as v from "valibot";
import { printable } from "../../../base/text.ts";

export interface StackMap {
  /** `line` and `column` count from 1, as stacks have them. */
  lookup(
    line: number,
    column: number,
  ): { readonly source: string; readonly line: number; readonly column: number } | undefined;
}

/** Undefined where the text is no source map. */
export function parseStackMap(text: string): StackMap | undefined {
  const parsed = v.safeParse(mapSchema, readJson(text));
  if (!parsed.success) return undefined;
  const { sources, mappings } = parsed.output;
  const lines = mappings.split(";");
  return {
    lookup(line, column) {
      const found = findSegment(lines, line - 1, column - 1);
      const source = sources[found?.source ?? -1];
      if (found === undefined || source === undefined) return undefined;
      return { source: printable(source), line: found.line + 1, column: found.column + 1 };
    },
  };
}

/** The frames of a QuickJS stack that are the plugin's, as `name (file:line:column)`, at most ten. */
export function mapStack(stack: string, map: StackMap | undefined): string {
  const frames: string[] = [];
  for (const raw of stack.split("\n")) {
    const match = FRAME.exec(raw);
    if (match === null) continue;
    const [, name = "", line = "", column = ""] = match;
    const place = map?.lookup(Number(line), Number(column));
    const at =
      place === undefined
        ? `${PLUGIN_FILE}:${line}:${column}`
        : `${place.source}:${place.line}:${place.column}`;
    const shown = printable(name.trim(), 80);
    frames.push(shown === "" || shown === "<anonymous>" || shown === "<eval>" ? at : `${shown} (${at})`);
    if (frames.length === FRAMES_MAX) break;
  }
  return frames.join("\n");
}

/** The name under which a plugin's code is evaluated. */
export const PLUGIN_FILE = "plugin.js";

// --- internal ---

const FRAMES_MAX = 10;
const FRAME = /^ *at (.{0,200}?) ?\(?plugin\.js:(\d{1,9}):(\d{1,9})\)?$/;
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const mapSchema = v.object({ sources: v.array(v.string()), mappings: v.string() });

interface Segment {
  source: number;
  line: number;
  column: number;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The last segment of a generated line that begins at or before `column`. Numbers are differences from the segment before. */
function findSegment(lines: readonly string[], line: number, column: number): Segment | undefined {
  const at: Segment = { source: 0, line: 0, column: 0 };
  for (let i = 0; i <= line && i < lines.length; i++) {
    let generated = 0;
    let found: Segment | undefined;
    for (const segment of (lines[i] ?? "").split(",")) {
      const [step = 0, source, toLine = 0, toColumn = 0] = decodeNumbers(segment);
      generated += step;
      if (i === line && generated > column) return found;
      if (source === undefined) continue;
      at.source += source;
      at.line += toLine;
      at.column += toColumn;
      if (i === line) found = { ...at };
    }
    if (i === line) return found;
  }
  return undefined;
}

/** Base64 VLQ. */
function decodeNumbers(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const char of segment) {
    const digit = BASE64.indexOf(char);
    if (digit === -1) return numbers;
    value += (digit & 31) * 2 ** shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push(value % 2 === 1 ? -Math.floor(value / 2) : value / 2);
    value = 0;
    shift = 0;
  }
  return numbers;
}
