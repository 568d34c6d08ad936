/**
 * What a failed delivery means, as a table: whether it is tried again, when, and whether the plugin is to blame at all.
 * Pure. Called by queue.ts; gates.ts shares the words.
 */
import { isVoxError, toWire, type ErrorCode, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";

export type Verdict =
  /** The plugin had its chance; another after `waitMs`. */
  | { readonly kind: "retry"; readonly waitMs: number }
  /** No more chances for this event. */
  | { readonly kind: "dead" }
  /** The plugin was not run and may be later: nothing is counted, the whole queue rests. */
  | { readonly kind: "park"; readonly waitMs: number }
  /** The plugin is gone, and with it everything that waits for it. */
  | { readonly kind: "bury" };

/**
 * A delivery is run at most `LIMITS.deliveryAttempts` (5) times in all, the first at once. After the n-th failure its queue
 * waits the n-th entry of `LIMITS.deliveryBackoffMs`, so the runs are at 0 s, +1 s, +5 s, +30 s and +2 min. After the fifth
 * failure it is dead at once, and the next event has its turn. The last entry (5 min) is how long a queue rests when its
 * plugin may not run at all and nobody says that this has changed. `attempts` counts the run that has just failed.
 */
export function verdictOn(error: unknown, attempts: number): Verdict {
  const special = isVoxError(error) ? specialVerdict(error) : undefined;
  if (special !== undefined) return special;
  return attempts >= LIMITS.deliveryAttempts
    ? { kind: "dead" }
    : { kind: "retry", waitMs: backoffMs(attempts) };
}

/** The wait after so many failures. */
export function backoffMs(attempts: number): number {
  return LIMITS.deliveryBackoffMs[attempts - 1] ?? LONGEST_MS;
}

/** What state keeps and `voxeltron events` prints of a failure. A bug of ours keeps its text for the log. */
export function errorText(error: unknown): string {
  const { code, message, hint } = toWire(error);
  const advice = code === "plugin.failed" && hint !== undefined ? `; ${messageText(hint)}` : "";
  return `${code}: ${messageText(message)}${advice}`;
}

/** One printable line; plugins may throw megabytes. */
export function messageText(message: string): string {
  return printable(message.slice(0, 2 * LIMITS.errorTextChars), LIMITS.errorTextChars);
}

// --- internal ---

const LONGEST_MS = Math.max(...LIMITS.deliveryBackoffMs);

const PARK: Verdict = { kind: "park", waitMs: LONGEST_MS };

/** Until the operator put something right, of which nobody tells the queue. */
const PARK_SHORTLY: Verdict = { kind: "park", waitMs: LIMITS.deliveryBackoffMs[2] };

function specialVerdict({ code, details }: VoxError): Verdict | undefined {
  const waitMs = details["retryMs"];
  if (code === "plugin.suspended" && typeof waitMs === "number") return { kind: "park", waitMs };
  return SPECIAL[code];
}

const SPECIAL: Partial<Record<ErrorCode, Verdict>> = {
  "plugin.disabled": PARK,
  "plugin.tampered": PARK,
  "plugin.paused": PARK,
  "plugin.suspended": PARK,
  "config.invalid": PARK_SHORTLY,
  "manifest.invalid": PARK_SHORTLY,
  "confinement.unavailable": PARK_SHORTLY,
  // An executable may not run. What a guest is refused is the guest's own affair, and not told with this code.
  "capability.denied": PARK_SHORTLY,
  "daemon.stopping": PARK,
  // Cut off or turned away because the operator changed the plugin meanwhile.
  "plugin.stopped": { kind: "park", waitMs: LIMITS.deliveryBackoffMs[0] },
  "plugin.not_found": { kind: "bury" },
  // Its present version does not handle the hook: trying again can't help.
  "plugin.no_hook": { kind: "dead" },
};
