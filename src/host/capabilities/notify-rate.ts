/**
 * How many notifications one plugin may send: a burst, then a steady rate. Each plugin has its own share, whatever the others
 * do. Called by notify.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

export interface NotifyRate {
  /** Throws `capability.limit` (details: retryAfterMs) where the plugin has used up its share. */
  take(plugin: string): void;
}

export interface NotifyRateOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** Asked at each call, so that a reload of the configuration counts. */
  readonly perMinute: () => number;
}

export function makeNotifyRate({ clock, perMinute }: NotifyRateOptions): NotifyRate {
  // By plugin: names that the host gives, so there are never more than were installed.
  const shares = new Map<string, Share>();
  return {
    take(plugin) {
      const rate = perMinute();
      const burst = Math.min(LIMITS.notifyBurst, rate);
      const now = clock.monotonic();
      const { left, at } = shares.get(plugin) ?? { left: burst, at: now };
      const grown = Math.min(burst, left + ((now - at) / MINUTE_MS) * rate);
      const isEnough = grown >= 1;
      shares.set(plugin, { left: isEnough ? grown - 1 : grown, at: now });
      if (!isEnough) throw exhausted(rate, Math.ceil(((1 - grown) / rate) * MINUTE_MS));
    },
  };
}

// --- internal ---

interface Share {
  readonly left: number;
  readonly at: number;
}

const MINUTE_MS = 60_000;

function exhausted(rate: number, retryAfterMs: number): Error {
  const seconds = Math.ceil(retryAfterMs / 100) / 10;
  return fail(
    "capability.limit",
    `a plugin may send ${rate} notifications a minute; the next one can go in ${seconds} s`,
    { details: { retryAfterMs } },
  );
}
