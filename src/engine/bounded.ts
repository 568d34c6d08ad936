/**
 * Waits for a provider, but not for ever: it may hang, and whoever asked must get an answer. Called by everything here that
 * talks to a provider.
 */
import type { Clock } from "../base/clock.ts";
import { fail } from "../base/errors.ts";

export interface Bounds {
  readonly clock: Clock;
  /** Without it only the signal ends the wait. */
  readonly timeoutMs?: number | undefined;
  /** Names the one who is waited for, as the error says it: "docker". */
  readonly who: string;
  readonly signal?: AbortSignal | undefined;
  /** Told when the work ends after nobody waits for it any more. */
  readonly late?: (() => void) | undefined;
}

/** The work's result; `provider.unavailable` after `timeoutMs`; the signal's reason as soon as it aborts. */
export async function bounded<T>(work: Promise<T>, bounds: Bounds): Promise<T> {
  const { clock, timeoutMs, who, signal, late } = bounds;
  const { promise: given, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(signal?.reason);
  const cancel =
    timeoutMs === undefined
      ? undefined
      : clock.after(timeoutMs, () =>
          reject(fail("provider.unavailable", `${who} did not answer within ${timeoutMs / 1000} s`)),
        );
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted === true) giveUp();
  let over = false;
  const ended = (): void => {
    if (over) late?.();
  };
  work.then(ended, ended);
  try {
    return await Promise.race([work, given]);
  } finally {
    over = true;
    cancel?.();
    signal?.removeEventListener("abort", giveUp);
  }
}
