/**
 * The calls of one plugin that are under way. One whose right is taken away meanwhile is told to stop, and ends as refused whatever it
 * still brings. Made by broker.ts.
 */
export interface Running {
  /** `check` throws once the plugin may not do this any more; `work` listens to a signal that says so, and to `signal`. */
  run<T>(
    check: () => void,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  recheck(): void;
}

export function makeRunning(): Running {
  const calls = new Set<Call>();

  return {
    async run(check, signal, work) {
      const end = new AbortController();
      const call: Call = { check, end, refusal: undefined };
      const stop = (): void => end.abort(signal?.reason);
      if (signal?.aborted === true) stop();
      signal?.addEventListener("abort", stop, { once: true });
      calls.add(call);
      try {
        const answer = await work(end.signal);
        if (call.refusal !== undefined) throw call.refusal.reason as Error;
        return answer;
      } catch (error) {
        throw call.refusal === undefined ? error : call.refusal.reason;
      } finally {
        calls.delete(call);
        signal?.removeEventListener("abort", stop);
      }
    },
    recheck() {
      for (const call of calls) {
        try {
          call.check();
        } catch (reason) {
          call.refusal ??= { reason };
          call.end.abort(reason);
        }
      }
    },
  };
}

// --- internal ---

interface Call {
  readonly check: () => void;
  readonly end: AbortController;
  refusal: { readonly reason: unknown } | undefined;
}
