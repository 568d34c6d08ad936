/**
 * What one plugin may ask of the daemon: so many calls a second, so many at a time, so many bytes a second both ways together,
 * and so much of its time. Beyond it a call is refused, and says when there is room again; a stream waits. No plugin's use counts
 * for another. Called by broker.ts.
 */
import { makeBucket, type Rate } from "../../base/bucket.ts";
import type { Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";

/** The operator's: `[plugins.quota]` of the configuration. */
export interface QuotaRates {
  readonly calls_per_second: number;
  readonly concurrent_calls: number;
  readonly bytes_per_second: number;
}

export const DEFAULT_QUOTA: QuotaRates = {
  calls_per_second: LIMITS.callsPerSecond,
  concurrent_calls: LIMITS.guestPendingCalls,
  bytes_per_second: LIMITS.callBytesPerSecond,
};

export interface Quota {
  /** A call begins; the result is called when it ends. Throws `capability.limit`. */
  enter(): () => void;
  /** Bytes went through the door. */
  count(bytes: number): void;
  /** A call had the daemon for itself so long. */
  spend(ms: number): void;
  /** Throws `capability.limit` while more went through, or was spent, than may. */
  checkUse(): void;
  /** Waits for as long as that. */
  awaitUse(signal: AbortSignal): Promise<void>;
}

export function makeQuota(clock: Clock, plugin: string, rates: () => QuotaRates): Quota {
  const calls = makeBucket(clock, () => withBurst(rates().calls_per_second));
  const bytes = makeBucket(clock, () => withBurst(rates().bytes_per_second));
  const time = makeBucket(clock, () => withBurst(LIMITS.callMsPerSecond));
  let running = 0;

  return {
    enter() {
      const { calls_per_second, concurrent_calls } = rates();
      if (running >= concurrent_calls)
        throw fail("capability.limit", `more than ${concurrent_calls} calls wait for an answer already`);
      if (!calls.take())
        throw exceeded(plugin, `makes more than ${calls_per_second} calls a second`, calls.waitMs());
      running++;
      return () => void running--;
    },
    count: (amount) => bytes.owe(amount),
    spend: (ms) => time.owe(ms),
    checkUse() {
      const waitMs = bytes.waitMs();
      if (waitMs > 0)
        throw exceeded(plugin, `moves more than ${formatBytes(rates().bytes_per_second)} a second`, waitMs);
      const timeMs = time.waitMs();
      if (timeMs > 0)
        throw fail(
          "capability.limit",
          `the calls of plugin ${plugin} keep the daemon from its work for more than ${LIMITS.callMsPerSecond} ms of a second; there is room again in ${timeMs} ms`,
          { details: { plugin, waitMs: timeMs } },
        );
    },
    async awaitUse(signal) {
      const wait = (): number => Math.max(bytes.waitMs(), time.waitMs());
      for (let waitMs = wait(); waitMs > 0; waitMs = wait()) await clock.sleep(waitMs, signal);
    },
  };
}

// --- internal ---

/** Plugins work in bursts, one for each event. */
const BURST_SECONDS = 5;

function withBurst(perSecond: number): Rate {
  return { burst: BURST_SECONDS * perSecond, perSecond };
}

function exceeded(plugin: string, does: string, waitMs: number): VoxError {
  return fail("capability.limit", `plugin ${plugin} ${does}; there is room again in ${waitMs} ms`, {
    details: { plugin, waitMs },
    hint: "the operator can allow more: [plugins.quota] in the daemon's configuration",
  });
}
