/**
 * `response.body`: bytes as they come. The part of the web's ReadableStream with which one reads: a reader, an async iterator, cancel.
 * Plugins can't make one, and what can't be read here (pipes, tees) is not there at all.
 */

/** What a stream is read from, and closed by. */
export type ByteSource = AsyncIterator<Uint8Array<ArrayBuffer>, unknown>;

export class ReadableStream {
  readonly #source: ByteSource;
  #reader: Reader | undefined;
  #disturbed = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get locked(): boolean {
    return this.#reader !== undefined;
  }
  getReader(options: { readonly mode?: unknown } = {}): Reader {
    if (options.mode !== undefined) throw new TypeError("only a reader of no mode can be had");
    if (this.#reader !== undefined) throw new TypeError("the stream has a reader already");
    const reader = new Reader({
      read: () => this.#read(),
      cancel: () => this.#cancel(),
      release: () => {
        if (this.#reader === reader) this.#reader = undefined;
      },
    });
    this.#reader = reader;
    return reader;
  }
  async cancel(): Promise<void> {
    if (this.locked) throw new TypeError("the stream has a reader: cancel it there");
    await this.#cancel();
  }
  values({
    preventCancel = false,
  }: { readonly preventCancel?: boolean } = {}): AsyncIterableIterator<Uint8Array> {
    const reader = this.getReader();
    const iterator: AsyncIterableIterator<Uint8Array> = {
      async next() {
        const result = await reader.read();
        if (result.done === true) reader.releaseLock();
        return result;
      },
      async return(value?: unknown) {
        const cancelled = preventCancel ? undefined : reader.cancel();
        // At once: not every engine waits here before it goes on.
        reader.releaseLock();
        await cancelled;
        return { done: true, value };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this.values();
  }
  get [Symbol.toStringTag](): string {
    return "ReadableStream";
  }

  #read(): Promise<IteratorResult<Uint8Array<ArrayBuffer>, unknown>> {
    this.#disturbed = true;
    return this.#source.next();
  }
  async #cancel(): Promise<void> {
    this.#disturbed = true;
    await this.#source.return?.();
  }

  static {
    wasRead = (stream) => stream.#disturbed;
  }
}

/** Whether anything was read from it, or it was cancelled. */
export function isDisturbed(stream: ReadableStream): boolean {
  return wasRead(stream);
}

/** A stream of these bytes, in one piece. */
export function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream {
  let left: Uint8Array<ArrayBuffer> | undefined = bytes.length === 0 ? undefined : bytes;
  return new ReadableStream({
    async next() {
      const value = left;
      left = undefined;
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    async return(value) {
      left = undefined;
      return { done: true, value };
    },
  });
}

// --- internal ---

var wasRead: (stream: ReadableStream) => boolean;

interface Hold {
  readonly read: () => Promise<IteratorResult<Uint8Array<ArrayBuffer>, unknown>>;
  readonly cancel: () => Promise<void>;
  readonly release: () => void;
}

class Reader {
  #hold: Hold | undefined;
  readonly closed: Promise<undefined>;
  #settle!: { readonly resolve: (value: undefined) => void; readonly reject: (error: unknown) => void };

  constructor(hold: Hold) {
    this.#hold = hold;
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Nobody has to look at it.
    this.closed.catch(() => {});
  }

  async read(): Promise<IteratorResult<Uint8Array<ArrayBuffer>, undefined>> {
    try {
      const { done, value } = await this.#held().read();
      if (done !== true) return { done: false, value };
      this.#settle.resolve(undefined);
      return { done: true, value: undefined };
    } catch (error) {
      this.#settle.reject(error);
      throw error;
    }
  }
  async cancel(): Promise<void> {
    await this.#held().cancel();
    this.#settle.resolve(undefined);
  }
  releaseLock(): void {
    this.#hold?.release();
    this.#hold = undefined;
    this.#settle.reject(new TypeError("the reader was released"));
  }

  #held(): Hold {
    if (this.#hold === undefined) throw new TypeError("the reader was released");
    return this.#hold;
  }
}
