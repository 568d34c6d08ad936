/**
 * Work over the network under one bound for everything together: what the caller's signal says ends it too, and a step that
 * knows no signals is left alone then. Used by the HTTP and the SMTP client.
 */
import type { Clock } from "../base/clock.ts";
import { fail, isVoxError } from "../base/errors.ts";

export interface Deadline {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Throws `network.timeout`, and for the caller's signal its reason or `operation.interrupted`. */
export async function withDeadline<T>(
  clock: Pick<Clock, "after">,
  bounds: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const cancel = clock.after(bounds.timeoutMs, () =>
    deadline.abort(fail("network.timeout", `no complete answer within ${bounds.timeoutMs / 1000} s`)),
  );
  const signal =
    bounds.signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, bounds.signal]);
  try {
    return await work(signal);
  } catch (error) {
    throw signal.aborted ? cancelled(signal.reason) : error;
  } finally {
    cancel();
  }
}

/** Rejects with the signal's reason as soon as it aborts, whatever becomes of `work`. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** What work that was ended by its signal rejects with. */
export function cancelled(reason: unknown): Error {
  return isVoxError(reason) ? reason : fail("operation.interrupted", "the request was cancelled");
}
