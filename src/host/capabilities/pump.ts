/**
 * Reads one stream ahead of its plugin, by a bounded number of items and characters: what comes faster than it is taken waits at its
 * source. Called by streams.ts.
 */
import { fail } from "../../base/errors.ts";
import { jsonSize } from "../../base/json-size.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";

export interface Batch {
  readonly items: readonly unknown[];
  /** Nothing more comes. */
  readonly done: boolean;
}

export interface Pump {
  /** Waits for the first item, or the end; gives all that is there. Rejects with what the source failed with, and with the signal's reason. */
  next(signal: AbortSignal): Promise<Batch>;
  /** Nothing more comes from the source, though something of it may be unread. */
  readonly isOver: () => boolean;
  /** Ends the source now, and what was read ahead is gone. `reason`: what `next` rejects with; undefined: it says that the stream is done. */
  stop(reason: unknown): void;
  /** Ends the source now: what was read ahead can still be taken, then `next` rejects with `reason`. */
  fail(reason: unknown): void;
}

/** `end` is what the source listens to. */
export function makePump(source: AsyncIterable<unknown>, end: AbortController): Pump {
  let ahead: unknown[] = [];
  let chars = 0;
  let over: { readonly failure: unknown } | undefined;
  /** Resolved at each change, then made anew by whoever waits. */
  let change = Promise.withResolvers<void>();

  function changed(): void {
    change.resolve();
    change = Promise.withResolvers();
  }

  function finish(failure: unknown): void {
    if (over !== undefined) return;
    over = { failure };
    changed();
  }

  const isOver = (): boolean => over !== undefined;
  const isFull = (): boolean => chars >= LIMITS.streamAheadChars || ahead.length >= LIMITS.streamAheadItems;

  async function run(): Promise<void> {
    try {
      for await (const item of source) {
        if (isOver()) return;
        chars += sizeOf(item);
        ahead.push(item);
        changed();
        while (isFull() && !isOver()) await change.promise;
      }
      finish(undefined);
    } catch (error) {
      finish(end.signal.aborted ? undefined : error);
    }
  }

  function endSource(reason: unknown): void {
    finish(reason);
    end.abort(reason);
  }

  void run();
  end.signal.addEventListener("abort", () => finish(undefined), { once: true });
  return {
    async next(signal) {
      const aborted = Promise.withResolvers<never>();
      const abort = (): void => aborted.reject(signal.reason as Error);
      signal.throwIfAborted();
      signal.addEventListener("abort", abort, { once: true });
      try {
        while (ahead.length === 0 && !isOver()) await Promise.race([change.promise, aborted.promise]);
      } finally {
        signal.removeEventListener("abort", abort);
      }
      if (ahead.length === 0 && over?.failure !== undefined) throw over.failure as Error;
      const items = ahead;
      [ahead, chars] = [[], 0];
      changed();
      return { items, done: over !== undefined && items.length === 0 };
    },
    isOver: () => over !== undefined,
    stop(reason) {
      // What was read ahead was read with a right that is gone; how the source ended, if it has, counts no more either.
      [ahead, chars, over] = [[], 0, undefined];
      endSource(reason);
    },
    fail: endSource,
  };
}

// --- internal ---

/** Two items of this size, read ahead, still fit into one message. */
const ITEM_CHARS = LIMITS.messageBytes / 2 - LIMITS.streamAheadChars;

function sizeOf(item: unknown): number {
  const size = jsonSize(item);
  if (size <= ITEM_CHARS) return size;
  throw fail(
    "capability.limit",
    `an item of the stream has ${formatBytes(size)}, at most ${formatBytes(ITEM_CHARS)} can be given`,
  );
}
