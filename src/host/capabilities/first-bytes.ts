/**
 * Looks how a body begins: a small one that comes at once is taken whole, so that it needs no stream; of any other nothing is lost.
 * Called by net-fetch.ts.
 */
import type { Clock } from "../../base/clock.ts";

export type Beginning =
  | { readonly whole: Uint8Array }
  /** All of it, from its first byte. */
  | { readonly rest: AsyncIterable<Uint8Array> };

/** Takes up to `bytes`, and waits `ms` at most for its end. */
export async function takeFirstBytes(
  pieces: AsyncIterable<Uint8Array>,
  { bytes, ms }: { readonly bytes: number; readonly ms: number },
  clock: Clock,
): Promise<Beginning> {
  const iterator = pieces[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let size = 0;
  const late = Promise.withResolvers<undefined>();
  const cancel = clock.after(ms, () => late.resolve(undefined));
  try {
    for (;;) {
      const next = iterator.next();
      const result = await Promise.race([next, late.promise]);
      if (result === undefined) {
        // Who reads the rest hears of its failure.
        next.catch(() => {});
        return { rest: resumed(taken, next, iterator) };
      }
      if (result.done === true) return { whole: Buffer.concat(taken) };
      taken.push(result.value);
      size += result.value.byteLength;
      if (size > bytes) return { rest: resumed(taken, undefined, iterator) };
    }
  } finally {
    cancel();
  }
}

// --- internal ---

async function* resumed(
  taken: readonly Uint8Array[],
  next: Promise<IteratorResult<Uint8Array>> | undefined,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* taken;
    for (let result = await (next ?? iterator.next()); result.done !== true; result = await iterator.next())
      yield result.value;
  } finally {
    await iterator.return?.();
  }
}
