/** One thing after the other: what is handed in runs when all before it has settled. Called by whatever may not overlap: instances of providers, logs. */
export type Serial = <T>(work: () => Promise<T>) => Promise<T>;

export function makeSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
}
