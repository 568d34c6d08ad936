/**
 * The file that `[proxy] access_log` names. Lines are collected for a moment and appended together; where the disk can't keep up, or
 * takes none, they are counted instead of kept: a request never waits for its line. Composed by the daemon.
 */
import { appendFile } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";

export interface AccessFile {
  isWanted(): boolean;
  write(line: string): void;
  /** Writes what waits. */
  close(): Promise<void>;
}

/** `path` is asked at each write: after a reload another file may be meant. The file is opened each time, so that it can be moved away. */
export function makeAccessFile(path: () => string | undefined, clock: Clock, log: Log): AccessFile {
  let waiting: string[] = [];
  let chars = 0;
  let lost = 0;
  let isFailing = false;
  let cancel: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function append(): Promise<void> {
    const file = path();
    const text = waiting.join("");
    waiting = [];
    chars = 0;
    if (file === undefined || text === "") return;
    try {
      await appendFile(file, text, { mode: 0o640 });
      if (lost > 0) log.warn("lines of the access log were lost", { lost });
      lost = 0;
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.error("the access log can't be written", { file, error: messageOf(error) });
      isFailing = true;
    }
  }

  function flush(): void {
    cancel = undefined;
    writing = writing.then(append);
  }

  return {
    isWanted: () => path() !== undefined,
    write(line) {
      if (chars + line.length > LIMITS.accessLogBytes) return void lost++;
      waiting.push(line);
      chars += line.length;
      cancel ??= clock.after(LIMITS.accessLogMs, flush);
    },
    async close() {
      cancel?.();
      flush();
      await writing;
    },
  };
}
