/**
 * From the bytes of an output to the text that is kept: whole lines, without the carriage returns of other systems. A line
 * without end is cut into pieces, where it can at a blank, so that no word (no password) is cut in two. Pure. Called by every
 * provider that reads logs.
 */
import { LIMITS } from "../../base/limits.ts";
import type { LogPart } from "./provider.ts";

/** How many of the first `length` bytes are whole lines, or a piece of one that is too long; 0: wait for more. */
export function wholeLines(bytes: Buffer, length: number = bytes.length): number {
  const end = bytes.lastIndexOf(NEWLINE, length - 1) + 1;
  if (end > 0 || length < LIMITS.logLineBytes) return end;
  return pieceEnd(bytes, length);
}

/** The text of whole lines, without the end of the last one. What is no UTF-8 becomes U+FFFD. */
export function linesText(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return (text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text).replace(/[\r\n]$/, "");
}

/** The last `count` lines of all these. */
export function lastParts(parts: readonly LogPart[], count: number): readonly LogPart[] {
  const found: LogPart[] = [];
  let missing = count;
  for (let index = parts.length - 1; index >= 0 && missing > 0; index--) {
    const part = parts[index];
    if (part === undefined) break;
    const lines = part.text.split("\n");
    found.unshift(lines.length <= missing ? part : { ...part, text: lines.slice(-missing).join("\n") });
    missing -= lines.length;
  }
  return found;
}

/** A line in the place of output that nobody could take in time. */
export function lostText(bytes?: number): string {
  const what = bytes === undefined ? "output is" : `${bytes} bytes of output are`;
  return `[voxeltron] ${what} missing here: more was written than could be kept until it was read`;
}

// --- internal ---

const NEWLINE = 0x0a;
const BLANK = 0x20;
const WORD_BYTES = 64 * 1024;

function pieceEnd(bytes: Buffer, length: number): number {
  const blank = bytes.lastIndexOf(BLANK, length - 1) + 1;
  if (blank > length - WORD_BYTES) return blank;
  // Not within a character: back to the byte that begins the last one.
  let end = length;
  while (end > length - 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  return ((bytes[end - 1] ?? 0) & 0xc0) === 0xc0 && end > 1 ? end - 1 : length;
}
