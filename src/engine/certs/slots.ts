/** So many at a time; who comes later waits for his turn, in order. Called by keeper.ts and expiry-watch.ts. */

export type Slots = <T>(work: () => Promise<T>) => Promise<T>;

export function makeSlots(count: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
