/**
 * Lets through a burst and then a steady rate, and reports how many did not pass: nothing is dropped in silence.
 * Keeps a plugin from filling the daemon's logs and its inbox. Made by plugin-log.ts, audit-desk.ts, and the ends of a room's wire.
 */
import { makeBucket, type Rate } from "../../base/bucket.ts";
import type { Clock } from "../../base/clock.ts";

export interface FloodGate {
  /** False where this one must be dropped; it is then counted. */
  pass(): boolean;
}

/** `report` is called with the count a second after the first drop, and again as long as there are more. */
export function makeFloodGate(
  clock: Pick<Clock, "monotonic" | "after">,
  rate: Rate,
  report: (dropped: number) => void,
): FloodGate {
  const bucket = makeBucket(clock, () => rate);
  let dropped = 0;

  function flush(): void {
    const count = dropped;
    dropped = 0;
    report(count);
  }

  return {
    pass() {
      if (bucket.take()) return true;
      if (dropped === 0) clock.after(1000, flush);
      dropped++;
      return false;
    },
  };
}
