/**
 * The second guard of what a guest does after its hook, such as in a timer: the same entry seen twice, a whole budget apart, has
 * overrun although the guest's own checks did not end it. Called by worker-link.ts.
 */
import type { Clock } from "../../../base/clock.ts";

/** `entries` is odd while the guest runs. The returned function ends the watch. */
export function watchFreeEntries(
  clock: Clock,
  budgetMs: number,
  guest: { readonly entries: () => number; readonly isFree: () => boolean; readonly overrun: () => void },
): () => void {
  let seen = 0;
  let cancel = (): void => {};
  function look(): void {
    const now = guest.entries();
    if (now % 2 === 1 && now === seen && guest.isFree()) {
      guest.overrun();
      return;
    }
    seen = guest.isFree() ? now : 0;
    cancel = clock.after(budgetMs, look);
  }
  look();
  return () => cancel();
}
