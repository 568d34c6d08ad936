/** What the broker answers in pieces, as an async iterator: read when the plugin asks for more, closed when it stops asking. */
import { callHost } from "./host-calls.ts";
import { apply, promiseThen } from "./primordials.ts";

/** `opened`: the broker's answer, `{stream}`. It is asked for at once, so that nothing is missed that happens from now on. */
export function openStream(opened: Promise<unknown>): AsyncIterableIterator<unknown> {
  // Whoever reads it hears of the failure; nobody has to read it.
  apply(promiseThen, opened, [() => {}, () => {}]);
  let items: readonly unknown[] = [];
  let taken = 0;
  let isDone = false;
  /** One after the other, in the order in which they were asked for. */
  let last: Promise<unknown> = opened;

  async function take(): Promise<IteratorResult<unknown>> {
    while (!isDone && taken === items.length) {
      const batch = await nextBatch(await opened);
      [items, taken, isDone] = [batch.items, 0, batch.done];
    }
    if (taken < items.length) return { done: false, value: items[taken++] };
    return { done: true, value: undefined };
  }

  async function after(before: Promise<unknown>): Promise<IteratorResult<unknown>> {
    try {
      await before;
    } catch {
      // It was told to whoever asked then.
    }
    try {
      return await take();
    } catch (error) {
      isDone = true;
      throw error;
    }
  }

  const iterator: AsyncIterableIterator<unknown> = {
    next() {
      const result = after(last);
      last = result;
      return result;
    },
    async return(value?: unknown) {
      [items, taken] = [[], 0];
      if (!isDone) {
        isDone = true;
        await callHost("stream.close", await opened);
      }
      return { done: true, value };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

// --- internal ---

interface Batch {
  readonly items: readonly unknown[];
  readonly done: boolean;
}

/** `handle` is `{stream}`, which is what the method takes. */
async function nextBatch(handle: unknown): Promise<Batch> {
  return (await callHost("stream.next", handle)) as Batch;
}
