/**
 * How many notifications one plugin may send: a burst, then a steady rate. Each plugin has its own share, whatever the others
 * do. Called by notify.ts.
 */
import { makeBucket, type Bucket, type Rate } from "../../base/bucket.ts";
import type { Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

export interface NotifyRate {
  /** Throws `capability.limit` (details: waitMs) where the plugin has used up its share. */
  take(plugin: string): void;
}

export interface NotifyRateOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** Asked at each call, so that a reload of the configuration counts. */
  readonly perMinute: () => number;
}

export function makeNotifyRate({ clock, perMinute }: NotifyRateOptions): NotifyRate {
  // By plugin: names that the host gives, so there are never more than were installed.
  const shares = new Map<string, Bucket>();
  return {
    take(plugin) {
      const share = shares.get(plugin) ?? makeBucket(clock, () => rateOf(perMinute()));
      shares.set(plugin, share);
      if (!share.take()) throw exhausted(plugin, perMinute(), share.waitMs());
    },
  };
}

// --- internal ---

function rateOf(perMinute: number): Rate {
  return { burst: Math.min(LIMITS.notifyBurst, perMinute), perSecond: perMinute / 60 };
}

function exhausted(plugin: string, perMinute: number, waitMs: number): Error {
  return fail(
    "capability.limit",
    `plugin ${plugin} sends more than ${perMinute} notifications a minute; there is room again in ${waitMs} ms`,
    {
      details: { plugin, waitMs },
      hint: "the operator can allow more: [plugins.quota] in the daemon's configuration",
    },
  );
}
