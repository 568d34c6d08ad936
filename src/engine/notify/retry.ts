/**
 * Tries again what may go better the next time, with pauses, and as long as the caller waits. What an endpoint asks for is
 * honoured up to a bound. Called by notify.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

export type Outcome =
  /** `refused`: recipients that did not get it, where others did. */
  { readonly ok: true; readonly refused: number } | Failure;

export interface Failure {
  readonly ok: false;
  /** Whether the same may go better later. */
  readonly again: boolean;
  /** The endpoint's answer: of HTTP or of SMTP. */
  readonly status?: number | undefined;
  /** Completes "the channel …". */
  readonly problem: string;
  /** What the endpoint asks to wait. */
  readonly waitMs?: number | undefined;
  /** So many recipients are without it, where others have it: then a sender who tried again would send those it twice. */
  readonly partly?: number | undefined;
}

export interface Tried {
  readonly outcome: Outcome;
  readonly attempts: number;
}

/** Rejects with what `attempt` throws, and as an attempt does where the signal ends a pause. */
export async function tryAgain(
  attempt: () => Promise<Outcome>,
  clock: Pick<Clock, "sleep">,
  signal: AbortSignal | undefined,
  onPause: (failure: Failure) => void,
): Promise<Tried> {
  for (let attempts = 1; ; attempts++) {
    const outcome = await attempt();
    const pause = LIMITS.notifyRetryMs[attempts - 1];
    if (outcome.ok || !outcome.again || pause === undefined) return { outcome: settled(outcome), attempts };
    const { waitMs = 0 } = outcome;
    if (waitMs > LIMITS.notifyRetryAfterMs)
      return { outcome: settled(askedTooMuch(outcome, waitMs)), attempts };
    onPause(outcome);
    await clock.sleep(Math.max(pause, waitMs), signal).catch(givenUp);
  }
}

// --- internal ---

function givenUp(reason: unknown): never {
  throw isVoxError(reason) ? reason : fail("operation.interrupted", "the notification was given up");
}

function settled(outcome: Outcome): Outcome {
  return outcome.ok || outcome.partly === undefined ? outcome : { ok: true, refused: outcome.partly };
}

function askedTooMuch(failure: Failure, waitMs: number): Failure {
  return {
    ...failure,
    problem: `${failure.problem} and asks to wait ${Math.ceil(waitMs / 1000)} s`,
  };
}
