/**
 * Waits for a room, but not for ever: one that breaks its word must not stop the line. Called by room-keeper.ts and room-caller.ts,
 * which share one; supervisor.ts cuts a wait short.
 */
import type { Clock } from "../../base/clock.ts";

export interface Patience {
  /** The work's result, or after `ms` the error that `late` makes. One wait at a time. */
  within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T>;
  /** Ends the wait that is under way, if there is one, with this error. */
  giveUp(reason: Error): void;
}

export function makePatience(clock: Clock): Patience {
  let giveUp = (_reason: Error): void => {};
  return {
    async within(work, ms, late) {
      const other = Promise.withResolvers<never>();
      const cancel = clock.after(ms, () => other.reject(late()));
      giveUp = other.reject;
      try {
        return await Promise.race([work, other.promise]);
      } finally {
        cancel();
      }
    },
    giveUp: (reason) => giveUp(reason),
  };
}
