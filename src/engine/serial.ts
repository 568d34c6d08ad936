/** One thing after the other: what is handed in runs when all before it has settled. Called by instances of processes, logs/ and proxy/proxy.ts. */
export type Serial = <T>(work: () => Promise<T>) => Promise<T>;

export function makeSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
}
