/**
 * Looks at the resident memory and the threads of all confined processes in turn, with one timer, and says when one has too much. It
 * looks often while any of them grows or shrinks and seldom while all are still. What grows between two looks is bounded by the
 * limit on data, and threads by the limit on processes where the process has a user of its own.
 */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { readPageBytes } from "../libc.ts";
import type { ProcessStat } from "./process-stat.ts";
import { threadsMax } from "./threads-max.ts";

export interface MemoryWatch {
  /** Calls `tooMuch` once; the returned function ends the watch. Whoever opened `stat` closes it. */
  watch(stat: Pick<ProcessStat, "read">, memoryBytes: number, tooMuch: (excess: Excess) => void): () => void;
}

/** What a process had too much of: the bytes found, or the threads that it may have. */
export type Excess =
  | { readonly kind: "memory"; readonly bytes: number }
  | { readonly kind: "threads"; readonly most: number };

export function makeMemoryWatch(clock: Clock): MemoryWatch {
  const watched = new Set<Watched>();
  const mostThreads = threadsMax();
  /** Read at the first watch: a system that has no process to watch may have no way to ask. */
  let pageBytes = 0;
  let cancel: (() => void) | undefined;
  let stillLooks = 0;

  function look(): void {
    let moved = false;
    for (const one of watched) {
      const { residentPages, threads } = one.stat.read() ?? NOTHING;
      moved ||= residentPages !== one.residentPages || threads !== one.threads;
      one.residentPages = residentPages;
      one.threads = threads;
      const bytes = residentPages * pageBytes;
      if (bytes > one.memoryBytes) tell(one, { kind: "memory", bytes });
      else if (threads > mostThreads) tell(one, { kind: "threads", most: mostThreads });
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
    watch(stat, memoryBytes, tooMuch) {
      pageBytes ||= readPageBytes();
      const one: Watched = { stat, memoryBytes, tooMuch, residentPages: 0, threads: 0, told: false };
      watched.add(one);
      cancel?.();
      stillLooks = 0;
      schedule();
      return () => void watched.delete(one);
    },
  };
}

// --- internal ---

interface Watched {
  readonly stat: Pick<ProcessStat, "read">;
  readonly memoryBytes: number;
  readonly tooMuch: (excess: Excess) => void;
  residentPages: number;
  threads: number;
  told: boolean;
}

function tell(one: Watched, excess: Excess): void {
  if (one.told) return;
  one.told = true;
  one.tooMuch(excess);
}

/** Of a process that has ended. */
const NOTHING = { residentPages: 0, threads: 0 };
