/** Does the same with many, so many at a time. Called by metrics/collector.ts and workspaces/workspace-view.ts. */
export async function fewAtATime<T>(
  items: readonly T[],
  count: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const lane = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: count }, lane));
}
