/**
 * Deadlines of many connections, looked at together a few times a second: a timer for each would cost more than most requests do.
 * Whoever is watched moves its own deadline. Composed by proxy.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";

export interface Watch {
  add(item: Watched): void;
  delete(item: Watched): void;
  /** The clock's monotonic milliseconds, for deadlines. */
  now(): number;
  close(): void;
}

export interface Watched {
  /** Monotonic; infinity: none. */
  deadlineMs: number;
  /** Told at the first look after its deadline, which is none from then on. */
  expire(): void;
}

export const NEVER = Number.POSITIVE_INFINITY;

export function makeWatch(clock: Clock): Watch {
  const items = new Set<Watched>();
  let cancel: (() => void) | undefined;

  function look(): void {
    cancel = undefined;
    const now = clock.monotonic();
    for (const item of items) {
      if (item.deadlineMs > now) continue;
      item.deadlineMs = NEVER;
      item.expire();
    }
    wait();
  }

  function wait(): void {
    if (items.size > 0) cancel ??= clock.after(LIMITS.proxyLookMs, look);
  }

  return {
    add(item) {
      items.add(item);
      wait();
    },
    delete: (item) => void items.delete(item),
    now: () => clock.monotonic(),
    close() {
      items.clear();
      cancel?.();
    },
  };
}
