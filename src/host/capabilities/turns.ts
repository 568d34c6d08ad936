/**
 * Keeps one plugin's burst of calls from holding the daemon: between two of them the event loop goes round, however soon
 * each is answered or refused. Called by broker.ts.
 */
export type Turns = <T>(work: () => Promise<T>, ready?: () => Promise<void>) => Promise<T>;

/** Work begins in the order in which it came, and once it is `ready`; what it waits for then, it waits for beside the others. */
export function makeTurns(): Turns {
  let last: Promise<void> | undefined;
  return async (work, ready) => {
    const before = last;
    const { promise, resolve } = Promise.withResolvers<void>();
    last = promise;
    if (before !== undefined) await before;
    if (ready !== undefined) await ready();
    setImmediate(() => {
      if (last === promise) last = undefined;
      resolve();
    });
    return work();
  };
}

/**
 * For work that holds the loop by itself: resolves when the loop has gone round since it was asked, and not for two in the same round.
 */
export function makeRounds(): () => Promise<void> {
  const turn = makeTurns();
  return async () => {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    await turn(async () => {});
  };
}
