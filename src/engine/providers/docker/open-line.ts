/** The last line of a stream while it has no end: messages of the engine in, whole lines out. Pure. Called by log-reader.ts. */
import { LIMITS } from "../../../base/limits.ts";
import { linesText, wholeLines } from "../log-text.ts";

export interface OpenLine {
  /** The text of the line, or of a piece of it, that these bytes bring to an end. */
  add(bytes: Buffer): string | undefined;
  /** Bytes that wait for the line's end. */
  bytes(): number;
  /** Forgets all of them but the last `count`. */
  keepLast(count: number): void;
  /** What there is, as if the line ended here. */
  finish(): string | undefined;
}

export function makeOpenLine(): OpenLine {
  let parts: Buffer[] = [];
  let size = 0;

  function set(rest: Buffer | undefined): void {
    parts = rest === undefined || rest.length === 0 ? [] : [rest];
    size = rest?.length ?? 0;
  }

  return {
    add(bytes) {
      if (size === 0 && bytes.at(-1) === NEWLINE) return linesText(bytes);
      // A copy: the bytes are a window into a buffer that would be kept alive by it.
      parts.push(Buffer.from(bytes));
      size += bytes.length;
      if (bytes.at(-1) !== NEWLINE && size < LIMITS.logLineBytes) return undefined;
      const all = Buffer.concat(parts);
      const length = wholeLines(all);
      set(all.subarray(length));
      return linesText(all.subarray(0, length));
    },
    bytes: () => size,
    keepLast(count) {
      const all = Buffer.concat(parts);
      set(all.subarray(Math.max(0, all.length - count)));
    },
    finish() {
      const text = size === 0 ? undefined : linesText(Buffer.concat(parts));
      set(undefined);
      return text;
    },
  };
}

// --- internal ---

const NEWLINE = 0x0a;
