/**
 * How long one queue still rests, measured on the monotonic clock so that a jump of the wall clock can't stall it. The wall
 * clock's `nextAt` counts only for the first look at a delivery after a start, and never for more than its own back-off.
 * Called by queue.ts.
 */
import type { Clock } from "../../base/clock.ts";
import type { PendingDelivery } from "../../state/deliveries.ts";
import { backoffMs } from "./verdict.ts";

export interface Rest {
  /** Milliseconds until the head may be run; 0 or less: now. */
  leftMs(head: PendingDelivery): number;
  /** This delivery waits; one that comes before it does not. */
  delay(eventSeq: number, ms: number): void;
  /** Whichever is the head waits; 0 sends the head at once. */
  pause(ms: number): void;
  /** The delivery of this event has no history any more. */
  forget(eventSeq: number): void;
}

export function makeRest(clock: Clock): Rest {
  let rest: { readonly seq: number | undefined; readonly until: number } | undefined;
  return {
    leftMs(head) {
      if (rest === undefined || (rest.seq !== undefined && rest.seq !== head.seq))
        rest = recalled(head, clock);
      return rest.until - clock.monotonic();
    },
    delay(eventSeq, ms) {
      rest = { seq: eventSeq, until: clock.monotonic() + ms };
    },
    pause(ms) {
      rest = { seq: undefined, until: clock.monotonic() + ms };
    },
    forget(eventSeq) {
      if (rest?.seq === eventSeq) rest = undefined;
    },
  };
}

// --- internal ---

function recalled({ seq, attempts, nextAt }: PendingDelivery, clock: Clock) {
  const longestMs = attempts === 0 ? 0 : backoffMs(attempts);
  const leftMs = Math.min(Math.max(nextAt - clock.now(), 0), longestMs);
  return { seq, until: clock.monotonic() + leftMs };
}
