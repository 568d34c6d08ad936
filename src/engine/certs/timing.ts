/** When a certificate is next looked after: renewed in time, or tried again after a failure. Pure. Called by keeper.ts. */
import { LIMITS } from "../../base/limits.ts";

export interface Life {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * With a third of its life left, or up to a tenth of that third earlier, so that not all of a machine's certificates come at once; but never
 * soon after it came, for a clock that is far ahead would have it renewed again and again. `random` is from 0 to 1.
 */
export function renewAt({ notBefore, notAfter }: Life, now: number, random: number): number {
  const life = notAfter - notBefore;
  return Math.round(Math.max(notAfter - life / 3 - (life / 30) * random, now + life / 8));
}

export interface Failed {
  readonly now: number;
  /** In a row, this one among them. */
  readonly failures: number;
  /** What the authority asks to wait. */
  readonly waitMs: number | undefined;
  /** Of the certificate that there is. */
  readonly notAfter: number | undefined;
}

/** Longer after each failure; more often where what is served has little time left; never before the authority wants to be asked. */
export function retryAt({ now, failures, waitMs, notAfter }: Failed, random: number): number {
  const steps = LIMITS.certRetryMs;
  const step = steps[Math.min(failures, steps.length) - 1] ?? steps[0];
  const left = notAfter === undefined || notAfter <= now ? Number.POSITIVE_INFINITY : notAfter - now;
  const pause = Math.min(step, Math.max(steps[0], left / 8)) * (0.9 + 0.2 * random);
  return Math.round(now + Math.max(pause, holdMs(waitMs)));
}

export function holdMs(waitMs: number | undefined): number {
  return Math.min(waitMs ?? 0, LIMITS.certHoldMs);
}
