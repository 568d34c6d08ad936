/**
 * Lines on their way to stdout and stderr, many in one write: a log can have more of them a second than a process can make writes.
 * What waits goes out as soon as nothing more comes at once. Called by `logs`.
 */
import type { Clock } from "../base/clock.ts";
import type { Sink } from "./io.ts";

export interface LineOutput {
  /** Resolves at the reader's pace. Throws what an earlier write met. */
  add(sink: Sink, text: string): Promise<void> | void;
  /** Resolves when all is written. */
  flush(): Promise<void>;
}

export function makeLineOutput(clock: Clock): LineOutput {
  let waiting: { readonly sink: Sink; text: string }[] = [];
  let size = 0;
  let isPlanned = false;
  let writing: Promise<void> = Promise.resolve();

  async function writeAll(): Promise<void> {
    const parts = waiting;
    waiting = [];
    size = 0;
    for (const { sink, text } of parts) await sink.write(text);
  }

  function flush(): Promise<void> {
    writing = writing.then(writeAll);
    // Whoever adds or flushes next is told.
    writing.catch(() => {});
    return writing;
  }

  return {
    flush,
    add(sink, text) {
      const last = waiting.at(-1);
      if (last?.sink === sink) last.text += text;
      else waiting.push({ sink, text });
      size += text.length;
      if (size >= WRITE_CHARS) return flush();
      if (isPlanned) return undefined;
      isPlanned = true;
      clock.after(0, () => {
        isPlanned = false;
        void flush();
      });
      return writing;
    },
  };
}

// --- internal ---

const WRITE_CHARS = 64 * 1024;
