/**
 * Takes secret values out of text. Pure. A value is found as it is and as JSON, URLs and base64 write it; of a value with several
 * lines each line is found too. Made by redaction.ts.
 */
import { LIMITS } from "../../base/limits.ts";
import type { Redact } from "../../base/redact.ts";

export const REDACTED = "[redacted]";

/** Whether a value is long enough to be told from other text. */
export function canRedact(value: string): boolean {
  return value.trim().length >= LIMITS.secretRedactedChars;
}

/**
 * `isCut`: texts may have been cut by `printable`, in the middle of a value. Not for text that a stranger can write into and read
 * again: he would find a value out by its beginnings, one character after the other.
 *
 * @example
 * const redact = makeRedact(["hunter22"]);
 * redact("login with hunter22 failed"); // "login with [redacted] failed"
 */
export function makeRedact(values: Iterable<string>, { isCut = false } = {}): Redact {
  const needles = [...new Set(Array.from(values, spellings).flat())];
  const mayHold = beginnings(needles);
  return (text) => {
    // Almost every text holds none, and one pattern for all of them sees that fifty times faster.
    if (!mayHold.test(text)) return text;
    const ranges = needles.flatMap((needle) => occurrences(text, needle));
    if (isCut && text.endsWith(CUT)) ranges.push(...needles.flatMap((needle) => cutOccurrence(text, needle)));
    return ranges.length === 0 ? text : replaceRanges(text, ranges);
  };
}

// --- internal ---

interface Range {
  readonly from: number;
  readonly to: number;
}

/** What `printable` leaves where it cut. */
const CUT = "…";

function spellings(value: string): readonly string[] {
  if (!canRedact(value)) return [];
  const core = value.trim();
  const lines = core.split(/\r?\n/).map((line) => line.trim());
  const base64 = Buffer.from(value).toString("base64").replace(/=+$/, "");
  return [
    core,
    JSON.stringify(core).slice(1, -1),
    encodeURIComponent(core.toWellFormed()),
    base64,
    base64.replaceAll("+", "-").replaceAll("/", "_"),
    ...(lines.length === 1 ? [] : lines.filter((line) => line.length >= LIMITS.secretLineChars)),
  ];
}

/** No longer ones: a cut text may hold no more of a value, and a pattern of whole values could be megabytes. */
function beginnings(needles: readonly string[]): RegExp {
  const heads = new Set(needles.map((needle) => needle.slice(0, LIMITS.secretLineChars)));
  if (heads.size === 0) return /(?!)/;
  return new RegExp([...heads].map((head) => head.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|"));
}

function occurrences(text: string, needle: string): Range[] {
  const found: { from: number; to: number }[] = [];
  // From the next character on: a value may overlap itself. What touches is one: a service may write its secret a million times.
  for (let from = text.indexOf(needle); from !== -1; from = text.indexOf(needle, from + 1)) {
    const last = found.at(-1);
    const to = from + needle.length;
    if (last !== undefined && from <= last.to) last.to = to;
    else found.push({ from, to });
  }
  return found;
}

/** The beginning of a value, right before the place where the text was cut. */
function cutOccurrence(text: string, needle: string): Range[] {
  const end = text.length - CUT.length;
  const beginning = needle.slice(0, LIMITS.secretLineChars);
  if (beginning.length < LIMITS.secretLineChars) return [];
  const at = text.indexOf(beginning, Math.max(0, end - needle.length));
  return at !== -1 && needle.startsWith(text.slice(at, end)) ? [{ from: at, to: end }] : [];
}

/** Ranges that touch become one, so that nothing between two of them is left. */
function replaceRanges(text: string, ranges: readonly Range[]): string {
  let result = "";
  let done = 0;
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    if (to <= done) continue;
    if (from > done || done === 0) result += text.slice(done, from) + REDACTED;
    done = to;
  }
  return result + text.slice(done);
}
