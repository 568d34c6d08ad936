/** Marks the days on which the daemon runs, from the start on, until it is stopped. Made in daemon/compose-host.ts. */
import { timestamp, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { WatchedDayRows } from "../../state/watched-days.ts";
import { dayOf } from "./unused.ts";

export function watchDays(days: WatchedDayRows, clock: Clock, log: Log): WatchedDays {
  let cancel = (): void => {};
  const today = (): string => dayOf(timestamp(clock.now()));
  function mark(): void {
    try {
      days.mark(today());
    } catch (error) {
      // A day that is missing makes unused grants look used for longer, and nothing else.
      log.warn("the day could not be marked", { problem: messageOf(error) });
    }
    cancel = clock.after(LIMITS.watchedDayMs, mark);
  }
  return {
    start: mark,
    stop: () => cancel(),
    after: (day) => days.countBetween(day, today()),
  };
}

export interface WatchedDays {
  start(): void;
  stop(): void;
  /** Days after that one, up to today, on which the daemon ran. */
  after(day: string): number;
}
