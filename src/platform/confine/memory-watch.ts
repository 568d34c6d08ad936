/**
 * Looks at the resident memory and the threads of all confined processes in turn, with one timer, and says when one has too much. It
 * looks often while any of them grows or shrinks and seldom while all are still. What grows between two looks is bounded by the
 * limit on data, and threads by the limit on processes where the process has a user of its own.
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { readPageBytes } from "../libc.ts";
import { threadsMax } from "./threads-max.ts";

export interface MemoryWatch {
  /** Calls `tooMuch` once, with the bytes found, for too many threads too; the returned function ends the watch. Throws where /proc can't be read. */
  watch(pid: number, memoryBytes: number, tooMuch: (bytes: number) => void): () => void;
}

export function makeMemoryWatch(clock: Clock): MemoryWatch {
  const watched = new Set<Watched>();
  /** Read at the first watch: a system that has no process to watch may have no way to ask. */
  let pageBytes = 0;
  let cancel: (() => void) | undefined;
  let stillLooks = 0;

  function look(): void {
    let moved = false;
    for (const one of watched) {
      const { pages, threads } = readUse(one.descriptor);
      moved ||= pages !== one.pages || threads !== one.threads;
      one.pages = pages;
      one.threads = threads;
      if (!one.told && (pages * pageBytes > one.memoryBytes || threads > threadsMax())) {
        one.told = true;
        one.tooMuch(pages * pageBytes);
      }
    }
    stillLooks = moved ? 0 : stillLooks + 1;
    schedule();
  }

  function schedule(): void {
    const still = stillLooks > LIMITS.confinedStillLooks;
    cancel =
      watched.size === 0
        ? undefined
        : clock.after(still ? LIMITS.confinedSlowLookMs : LIMITS.confinedLookMs, look);
  }

  return {
    watch(pid, memoryBytes, tooMuch) {
      pageBytes ||= readPageBytes();
      const one: Watched = {
        descriptor: openSync(`/proc/${pid}/stat`, "r"),
        memoryBytes,
        tooMuch,
        pages: 0,
        threads: 0,
        told: false,
      };
      watched.add(one);
      cancel?.();
      stillLooks = 0;
      schedule();
      return () => {
        if (watched.delete(one)) closeSync(one.descriptor);
      };
    },
  };
}

// --- internal ---

interface Watched {
  /** Open from the start: later the process may be another user's, and hidden. */
  readonly descriptor: number;
  readonly memoryBytes: number;
  readonly tooMuch: (bytes: number) => void;
  pages: number;
  threads: number;
  told: boolean;
}

const buffer = Buffer.alloc(1024);
/** Numbers of fields of /proc/PID/stat, counted from the one after the name, which may hold anything. */
const FIELD = { threads: 17, residentPages: 21 };
const NOTHING = { pages: 0, threads: 0 };

/** Nothing for a process that has ended. */
function readUse(descriptor: number): { readonly pages: number; readonly threads: number } {
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, 0);
    const text = buffer.toString("latin1", 0, length);
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { pages: Number(fields[FIELD.residentPages] ?? 0), threads: Number(fields[FIELD.threads] ?? 0) };
  } catch {
    return NOTHING;
  }
}
