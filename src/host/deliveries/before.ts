/** Waits, but not for ever. Called by dispatcher.ts and gates.ts. */
import type { Clock } from "../../base/clock.ts";

/** Resolves when `work` has ended, well or badly, when the time is up, or at the signal. */
export function before(
  ms: number,
  work: Promise<unknown>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, done);
    function done(): void {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done, { once: true });
    void work.catch(() => {}).finally(done);
  });
}
