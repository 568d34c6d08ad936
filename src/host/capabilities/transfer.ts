/**
 * The life of bytes that come to a plugin over time: it ends with the signal that it follows, where nothing moves for too long, and
 * after a longest time. Whatever ends it closes what is below. Called by net-fetch.ts and net-connect.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import { wireBytes, type WireBytes } from "./bytes.ts";

export interface Transfer {
  /** Aborts when it is over; its reason says why. */
  readonly signal: AbortSignal;
  /** Ends it when `other` aborts; the result ends that. */
  follow(other: AbortSignal): () => void;
  /** Bytes went through, or were taken by the plugin: it is not idle. */
  moved(): void;
  /** The pieces as items of a stream. `check` throws where the plugin may not have them any more. */
  items(pieces: AsyncIterable<Uint8Array>, check: () => void): TransferItems;
  /** Harmless when repeated. */
  end(reason?: Error): void;
}

export interface TransferItems extends AsyncIterable<WireBytes> {
  /** Aborts where nothing moved for too long, or it took too long. */
  readonly failed: AbortSignal;
}

export interface TransferBounds {
  readonly idleMs: number;
  readonly totalMs: number;
  /** What it is, as an error names it: "the answer of a.test". */
  readonly what: string;
  /** Called once, whatever the end is. */
  readonly ended: () => void;
}

export function makeTransfer(clock: Clock, { idleMs, totalMs, what, ended }: TransferBounds): Transfer {
  const life = new AbortController();
  const late = new AbortController();
  function timeout(words: string): void {
    const reason = fail("network.timeout", `${what} ${words}`);
    life.abort(reason);
    late.abort(reason);
  }
  const cancelTotal = clock.after(totalMs, () => timeout(`took longer than ${totalMs / 1000} s`));
  let cancelIdle = (): void => {};

  life.signal.addEventListener(
    "abort",
    () => {
      cancelTotal();
      cancelIdle();
      ended();
    },
    { once: true },
  );

  function moved(): void {
    cancelIdle();
    if (!life.signal.aborted)
      cancelIdle = clock.after(idleMs, () => timeout(`did not move for ${idleMs / 1000} s`));
  }

  async function* passedOn(pieces: AsyncIterable<Uint8Array>, check: () => void): AsyncGenerator<WireBytes> {
    moved();
    try {
      for await (const piece of pieces) {
        check();
        moved();
        yield wireBytes(piece);
        moved();
      }
    } catch (error) {
      throw life.signal.aborted ? life.signal.reason : error;
    } finally {
      over();
    }
  }

  /** Whoever comes later is told so: a reason that is no word of ours would look like a bug. */
  function over(reason: Error = fail("network.failed", `${what} is over`)): void {
    life.abort(reason);
  }

  return {
    signal: life.signal,
    moved,
    follow(other) {
      const stop = (): void => life.abort(other.reason);
      if (other.aborted) stop();
      else other.addEventListener("abort", stop, { once: true });
      return () => other.removeEventListener("abort", stop);
    },
    items: (pieces, check) => ({
      [Symbol.asyncIterator]: () => passedOn(pieces, check),
      failed: late.signal,
    }),
    end: over,
  };
}
