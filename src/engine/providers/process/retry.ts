/** One thing that is planned for later, at most. Called by run.ts. */
import type { Clock } from "../../../base/clock.ts";

export interface Retry {
  /** Instead of what was planned before. */
  plan(delayMs: number, task: () => void): void;
  cancel(): void;
  /** Milliseconds until then, or nothing when nothing is planned. */
  dueInMs(): number | undefined;
}

export function makeRetry(clock: Clock): Retry {
  let planned: { readonly atMs: number; readonly cancel: () => void } | undefined;
  function cancel(): void {
    planned?.cancel();
    planned = undefined;
  }
  return {
    plan(delayMs, task) {
      cancel();
      const cancelTimer = clock.after(delayMs, () => {
        planned = undefined;
        task();
      });
      planned = { atMs: clock.now() + delayMs, cancel: cancelTimer };
    },
    cancel,
    dueInMs: () => (planned === undefined ? undefined : planned.atMs - clock.now()),
  };
}
