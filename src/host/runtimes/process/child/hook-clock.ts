/**
 * A clock for a process that blocks: nothing can happen at a time, so what falls due waits until a hook is over. Used by
 * daemon-line.ts.
 */
import type { Clock } from "../../../../base/clock.ts";

export interface HookClock extends Pick<Clock, "monotonic" | "after"> {
  /** Runs what is due. */
  runDue(): void;
}

export function makeHookClock(): HookClock {
  const waiting = new Set<{ readonly at: number; readonly task: () => void }>();
  const monotonic = (): number => performance.now();
  return {
    monotonic,
    after(ms, task) {
      const entry = { at: monotonic() + ms, task };
      waiting.add(entry);
      return () => void waiting.delete(entry);
    },
    runDue() {
      const due = [...waiting].filter(({ at }) => at <= monotonic());
      for (const entry of due) {
        waiting.delete(entry);
        entry.task();
      }
    },
  };
}
