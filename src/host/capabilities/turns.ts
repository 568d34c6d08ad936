/**
 * Keeps one plugin's burst of calls from holding the daemon: between two of them the event loop goes round, however soon
 * each is answered or refused. Called by broker.ts.
 */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Work begins in the order in which it came; what it waits for, it waits for beside the others. */
export function makeTurns(): Turns {
  let last: Promise<void> | undefined;
  return async (work) => {
    const before = last;
    const { promise, resolve } = Promise.withResolvers<void>();
    last = promise;
    if (before !== undefined) await before;
    setImmediate(() => {
      if (last === promise) last = undefined;
      resolve();
    });
    return work();
  };
}
