/**
 * Guards what a process does between its calls, by the processor time that it takes: waiting costs nothing. Each call gives it a
 * full budget again. Called by process-link.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { FreeTime } from "../wire/guest-link.ts";

/** The returned function ends the watch. */
export function watchFreeTime(
  clock: Clock,
  { cpuMs, budgetMs }: { readonly cpuMs: () => number | undefined; readonly budgetMs: number },
  { isFree, asked, overrun }: FreeTime,
): () => void {
  /** After which call the process has been free since the look before, and what it had used then. */
  let since: number | undefined;
  let usedThen = 0;
  let usedLast = 0;
  let cancel = (): void => {};

  function look(): void {
    const used = cpuMs();
    if (used === undefined) return;
    if (!isFree() || asked() !== since) {
      since = isFree() ? asked() : undefined;
      usedThen = used;
    } else if (used - usedThen > budgetMs) {
      overrun();
      return;
    }
    const isStill = used - usedLast < STILL_MS;
    usedLast = used;
    cancel = clock.after(isStill ? LIMITS.freeSlowLookMs : LIMITS.freeLookMs, look);
  }
  look();
  return () => cancel();
}

// --- internal ---

/** An engine that waits uses some time all the same, to collect garbage for instance. */
const STILL_MS = 20;
