/**
 * The only door to time. Code that waits or stamps takes a Clock, so that a test can turn the hands;
 * `systemClock` is passed in where the daemon is composed.
 */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds that never go backwards; only differences mean anything. */
  monotonic(): number;
  /** Runs `task` once after `ms`; the returned function cancels it. Does not keep the process alive. */
  after(ms: number, task: () => void): () => void;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, Math.min(ms, TIMER_MAX_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const timer = setTimeout(done, Math.min(ms, TIMER_MAX_MS));
      function done(): void {
        signal?.removeEventListener("abort", abort);
        resolve();
      }
      function abort(): void {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      }
      signal?.addEventListener("abort", abort, { once: true });
    });
  },
};

/** RFC 3339 in UTC, as every stamp in state, events and answers is written. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

// --- internal ---

/** setTimeout fires at once for anything above a signed 32-bit number of milliseconds. */
const TIMER_MAX_MS = 2 ** 31 - 1;
