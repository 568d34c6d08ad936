/** Work on one thing at a time, in order of arrival; work on different things goes on side by side. */
export function makeKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = tails.get(key);
    const mine = (before ?? Promise.resolve()).then(work);
    const tail = mine.catch(() => {});
    tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}

export type KeyedLock = <T>(key: string, work: () => Promise<T>) => Promise<T>;
