/** Work on one thing at a time, in order of arrival; work on different things goes on side by side. */
export function makeKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>();

  async function run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = tails.get(key);
    const mine = (before ?? Promise.resolve()).then(work);
    const tail = mine.catch(() => {});
    tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  }

  return {
    run,
    async settled() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}

export interface KeyedLock {
  readonly run: <T>(key: string, work: () => Promise<T>) => Promise<T>;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}
