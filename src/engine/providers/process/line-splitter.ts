/** Bytes in, whole lines out; the rest waits. Pure. Called by read-logs.ts. */
import { LIMITS } from "../../../base/limits.ts";

export interface LineSplitter {
  add(bytes: Buffer): readonly string[];
  /** What was written without an end of line. */
  finish(): readonly string[];
}

export function makeLineSplitter(): LineSplitter {
  let rest: Buffer[] = [];
  let restBytes = 0;

  function take(): string {
    const line = Buffer.concat(rest).toString("utf8").replace(/\r$/, "");
    [rest, restBytes] = [[], 0];
    return line;
  }
  function keep(bytes: Buffer): void {
    rest.push(bytes);
    restBytes += bytes.length;
  }

  return {
    add(bytes) {
      const lines: string[] = [];
      let at = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
        keep(bytes.subarray(at, end));
        lines.push(take());
        at = end + 1;
      }
      if (at < bytes.length) keep(bytes.subarray(at));
      if (restBytes >= LIMITS.logLineBytes) lines.push(take());
      return lines;
    },
    finish: () => (restBytes === 0 ? [] : [take()]),
  };
}

// --- internal ---

const NEWLINE = 0x0a;
