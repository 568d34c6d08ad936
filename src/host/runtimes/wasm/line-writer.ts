/** Cuts a stream of bytes into lines of text: bounded, so that a line without an end does not pile up. Called by wasi.ts. */
import { LIMITS } from "../../../base/limits.ts";

export interface LineWriter {
  /** Does not keep `bytes`. */
  write(bytes: Uint8Array): void;
  /** Gives what has no end of line yet. */
  flush(): void;
}

/** Empty lines say nothing and are left out; what is longer than a line may be comes in pieces. */
export function makeLineWriter(line: (text: string) => void): LineWriter {
  const kept = new Uint8Array(MOST_BYTES);
  let length = 0;

  function flush(): void {
    const text = new TextDecoder().decode(kept.subarray(0, length)).trimEnd();
    length = 0;
    if (text !== "") line(text);
  }

  function keep(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + MOST_BYTES - length);
      kept.set(piece, length);
      length += piece.length;
      at += piece.length;
      if (length === MOST_BYTES) flush();
    }
  }

  return {
    write(bytes) {
      for (let at = 0; at < bytes.length;) {
        const end = bytes.indexOf(NEWLINE, at);
        keep(bytes.subarray(at, end === -1 ? bytes.length : end));
        if (end === -1) return;
        flush();
        at = end + 1;
      }
    },
    flush,
  };
}

// --- internal ---

const NEWLINE = 0x0a;
const MOST_BYTES = LIMITS.logTextChars;
