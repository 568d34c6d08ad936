/**
 * Keeps a plugin whose rooms die, or do not open, from being started again and again: each further room in a row comes after a
 * longer pause; after too many the plugin is suspended, and then may try once in a while. What a plugin merely throws is no
 * reason. Called by health.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { fail, isVoxError, messageOf, type ErrorCode, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

export interface Breaker {
  /** How long to wait before the next room is opened. Throws `plugin.suspended`. */
  pauseMs(): number;
  /** A room died of this, or could not be opened. True where that counts. */
  failed(error: unknown): boolean;
  /** A call ended, and its room lives. */
  worked(): void;
  /** Whatever the reason was, it may have passed: the next call is a first one. */
  reset(): void;
  /** Undefined where a call would be let through now. */
  suspension(): Suspension | undefined;
}

export interface Suspension {
  /** When it may try again. Fixed when the suspension begins. */
  readonly until: string;
  readonly reason: string;
}

export function makeBreaker(plugin: string, clock: Clock): Breaker {
  let failures = 0;
  let reason = "";
  let retryAt = 0;
  let until = "";

  const retryMs = (): number => Math.ceil(retryAt - clock.monotonic());

  function suspension(): Suspension | undefined {
    if (failures < LIMITS.roomFailuresMax || retryMs() <= 0) return undefined;
    return { until, reason: `${failures} ${TIMES}: ${reason}` };
  }

  function refusal(suspended: Suspension): VoxError {
    return fail("plugin.suspended", `${plugin} is suspended until ${until}: ${suspended.reason}`, {
      hint: `to try at once: voxeltron plugin enable ${plugin}`,
      details: { plugin, failures, retryMs: retryMs(), retryAt: until },
    });
  }

  return {
    pauseMs() {
      const suspended = suspension();
      if (suspended !== undefined) throw refusal(suspended);
      return failures < LIMITS.roomFailuresMax ? (LIMITS.roomPauseMs[failures] ?? 0) : 0;
    },
    failed(error) {
      if (!isVoxError(error) || !COUNTED.has(error.code)) return false;
      failures += 1;
      reason = messageOf(error);
      const step = Math.min(failures - LIMITS.roomFailuresMax, LIMITS.suspendMs.length - 1);
      const waitMs = LIMITS.suspendMs[step] ?? 0;
      retryAt = clock.monotonic() + waitMs;
      until = timestamp(clock.now() + waitMs);
      return true;
    },
    worked() {
      failures = 0;
    },
    reset() {
      failures = 0;
    },
    suspension,
  };
}

// --- internal ---

const TIMES = "times in a row its guest had to be stopped or did not start, the last time because";

/** What says that its code, or the process it runs in, is not well. That it may not run at all is told in other ways. */
const COUNTED: ReadonlySet<ErrorCode> = new Set([
  "plugin.load_failed",
  "plugin.timeout",
  "plugin.out_of_memory",
  "plugin.crashed",
  "plugin.protocol",
]);
