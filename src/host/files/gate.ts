/**
 * Work that goes on side by side, and work that needs to be alone: it begins when all that is under way has ended, and what comes
 * later waits for it. Called by quota.ts.
 */
export interface Gate {
  together<T>(work: () => Promise<T>): Promise<T>;
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function makeGate(): Gate {
  const underWay = new Set<Promise<unknown>>();
  let last: Promise<unknown> = Promise.resolve();

  async function started<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    const quiet = running.catch(() => {});
    underWay.add(quiet);
    try {
      return await running;
    } finally {
      underWay.delete(quiet);
    }
  }

  return {
    async together(work) {
      let waitedFor: Promise<unknown>;
      do {
        waitedFor = last;
        await waitedFor;
      } while (waitedFor !== last);
      return started(work);
    },
    alone(work) {
      const mine = last.then(async () => {
        await Promise.all(underWay);
        return work();
      });
      last = mine.catch(() => {});
      return mine;
    },
  };
}
