/**
 * The streams that one plugin has open: what it follows (logs, events) and what it is connected to. Each is read ahead a little and no
 * further, and ends with its room, when the plugin closes it, or when the right to it is gone. Made by broker.ts for each plugin;
 * families begin streams with `start`, and stream.ts has the methods with which a plugin reads them.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import { makePump, type Batch, type Pump } from "./pump.ts";

/** Items that are JSON, as they come. What can be written to has `write`; it resolves when more can be taken. */
export interface StreamSource extends AsyncIterable<unknown> {
  readonly write?: (data: unknown, signal: AbortSignal) => Promise<void>;
  /** Throws where it may not go on for a reason that the right to it does not know: the operator's configuration may have changed. */
  readonly check?: () => void;
  /** Aborts when it has failed though nobody reads; its reason goes to whoever reads on after what came before. */
  readonly failed?: AbortSignal;
}

/** What one call may do with its plugin's streams. */
export interface CallStreams {
  /** Gives the handle. Throws `capability.limit`, and what `begin` throws. */
  start(begin: (signal: AbortSignal) => StreamSource | Promise<StreamSource>): Promise<string>;
  /** What has come, once something has. Throws `stream.not_found`, and what the stream failed with. */
  next(handle: string, signal: AbortSignal): Promise<Batch>;
  /** Throws `stream.not_found`, and `capability.invalid_params` where nothing can be written to it. */
  write(handle: string, data: unknown, signal: AbortSignal): Promise<void>;
  /** Harmless when repeated. */
  close(handle: string): void;
}

/** What a stream belongs to. */
export interface StreamOwner {
  /** Aborts when the room ends. */
  readonly life: AbortSignal;
  /** Throws where the plugin may not do any more what opened the stream. */
  readonly check: () => void;
}

export interface Streams {
  during(owner: StreamOwner): CallStreams;
  /** Ends the streams whose right is gone. */
  recheck(): void;
}

export function makeStreams(): Streams {
  const open = new Map<string, OpenStream>();
  let opening = 0;
  let last = 0;

  function find(handle: string): OpenStream {
    const found = open.get(handle);
    if (found === undefined)
      throw fail("stream.not_found", `no stream ${quote(handle)} is open: it has ended, or was closed`);
    return found;
  }

  /** A plugin need not read what it asked for: a stream that has ended and is still unread makes room for one that is wanted. */
  function forgetOneThatIsOver(): void {
    for (const stream of open.values()) {
      if (stream.pump.isOver()) return stream.forget();
    }
  }

  /** The reason goes to whoever reads it next. */
  function checkOpen(stream: OpenStream): void {
    try {
      stream.owner.check();
      stream.source.check?.();
    } catch (reason) {
      stream.pump.stop(reason);
    }
  }

  async function begin(owner: StreamOwner, start: Parameters<CallStreams["start"]>[0]): Promise<string> {
    const { life } = owner;
    life.throwIfAborted();
    const end = new AbortController();
    const endWithRoom = (): void => end.abort(life.reason);
    life.addEventListener("abort", endWithRoom, { once: true });
    try {
      const source = await start(end.signal);
      end.signal.throwIfAborted();
      const handle = `${++last}`;
      const forget = (): void => {
        open.delete(handle);
        life.removeEventListener("abort", endWithRoom);
      };
      const pump = makePump(source, end);
      open.set(handle, { owner, source, pump, forget });
      const { failed } = source;
      failed?.addEventListener("abort", () => pump.fail(failed.reason), { once: true });
      end.signal.addEventListener("abort", () => life.aborted && forget(), { once: true });
      return handle;
    } catch (error) {
      life.removeEventListener("abort", endWithRoom);
      end.abort(error);
      throw error;
    }
  }

  return {
    during: (owner) => ({
      async start(start) {
        if (open.size + opening >= LIMITS.streamsPerPlugin) forgetOneThatIsOver();
        if (open.size + opening >= LIMITS.streamsPerPlugin)
          throw fail(
            "capability.limit",
            `a plugin may have ${LIMITS.streamsPerPlugin} streams open; close one first`,
          );
        opening++;
        try {
          return await begin(owner, start);
        } finally {
          opening--;
        }
      },
      async next(handle, signal) {
        const stream = find(handle);
        checkOpen(stream);
        try {
          const batch = await stream.pump.next(signal);
          if (batch.done) stream.forget();
          return batch;
        } catch (error) {
          if (!signal.aborted) stream.forget();
          throw error;
        }
      },
      async write(handle, data, signal) {
        const stream = find(handle);
        stream.owner.check();
        if (stream.source.write === undefined)
          throw fail("capability.invalid_params", `stream ${handle} can be read, not written to`);
        await stream.source.write(data, signal);
      },
      close(handle) {
        const stream = open.get(handle);
        stream?.forget();
        stream?.pump.stop(undefined);
      },
    }),
    recheck() {
      for (const stream of open.values()) checkOpen(stream);
    },
  };
}

// --- internal ---

interface OpenStream {
  readonly owner: StreamOwner;
  readonly source: StreamSource;
  readonly pump: Pump;
  readonly forget: () => void;
}
