/** A token bucket: a burst, then a steady rate. Pure but for the clock it is given. For whoever has to bound how often or how much. */
import type { Clock } from "./clock.ts";

export interface Bucket {
  /** Takes one where there is one. */
  take(): boolean;
  /** Takes so many, even where they are not there: then they are owed, and have to come in before `take` gives again. */
  owe(amount: number): void;
  /** Until `take` gives again; 0 where it would now. */
  waitMs(): number;
}

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** `rate` is asked at each look, so that a new setting counts at once. */
export function makeBucket(clock: Pick<Clock, "monotonic">, rate: () => Rate): Bucket {
  let tokens = rate().burst;
  let last = clock.monotonic();

  function fill(): Rate {
    const now = clock.monotonic();
    const current = rate();
    tokens = Math.min(current.burst, tokens + ((now - last) / 1000) * current.perSecond);
    last = now;
    return current;
  }

  return {
    take() {
      fill();
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
    owe(amount) {
      fill();
      tokens -= amount;
    },
    waitMs() {
      const { perSecond } = fill();
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1000);
    },
  };
}
