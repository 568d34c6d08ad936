/**
 * From frames of a log with timestamps to lines. The engine cuts long lines into frames of 16 KiB and stamps each piece,
 * so the stamps in the middle are taken out again. Pure. Called by logs.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { LogLine, OutputStream } from "../provider.ts";

export interface LineJoiner {
  add(stream: OutputStream, frame: Buffer): void;
  /** What was written without an end of line. */
  finish(): void;
}

export function makeLineJoiner(onLine: (line: LogLine) => void): LineJoiner {
  const open = new Map<OutputStream, { readonly at: string; bytes: number; readonly parts: Buffer[] }>();

  function close(stream: OutputStream): void {
    const line = open.get(stream);
    if (line === undefined) return;
    open.delete(stream);
    onLine({
      stream,
      at: line.at,
      text: Buffer.concat(line.parts)
        .toString("utf8")
        .replace(/\r?\n$/, ""),
    });
  }

  return {
    add(stream, frame) {
      const space = frame.indexOf(SPACE);
      const at = frame.subarray(0, Math.max(space, 0)).toString("latin1");
      const body = frame.subarray(space + 1);
      const line = open.get(stream) ?? { at, bytes: 0, parts: [] };
      open.set(stream, line);
      // A copy: the frame is a window into a buffer that would be kept alive by it.
      line.parts.push(Buffer.from(body));
      line.bytes += body.length;
      if (body.at(-1) === NEWLINE || line.bytes >= LIMITS.logLineBytes) close(stream);
    },
    finish() {
      for (const stream of open.keys()) close(stream);
    },
  };
}

// --- internal ---

const SPACE = 0x20;
const NEWLINE = 0x0a;
