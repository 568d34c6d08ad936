/** What `ctx.net.connect` gives: a connection to read from and write to, until it is closed. */
import { LIMITS } from "../../../../base/limits.ts";
import { copyBytes, encodeUtf8, isBytes } from "./bytes.ts";
import { callHost } from "./host-calls.ts";
import { freeze } from "./primordials.ts";
import { openStream } from "./stream.ts";

export interface Connection extends AsyncIterable<Uint8Array> {
  read(): Promise<Uint8Array | null>;
  write(data: unknown): Promise<void>;
  close(): Promise<void>;
}

/** `opened`: the broker's answer, `{stream}`. */
export async function openConnection(opened: Promise<unknown>): Promise<Connection> {
  const handle = (await opened) as { readonly stream: string };
  const incoming = openStream(opened) as AsyncIterableIterator<Uint8Array>;
  /** One after the other, so that nothing is mixed. */
  let last: Promise<unknown> = Promise.resolve();

  async function read(): Promise<Uint8Array | null> {
    const { done, value } = await incoming.next();
    return done === true ? null : value;
  }

  async function send(before: Promise<unknown>, bytes: Uint8Array): Promise<void> {
    try {
      await before;
    } catch {
      // It was told to whoever wrote then.
    }
    for (let at = 0; at < bytes.length; at += LIMITS.connectionPieceBytes) {
      const data = bytes.slice(at, at + LIMITS.connectionPieceBytes);
      await callHost("stream.write", { stream: handle.stream, data });
    }
  }

  return freeze({
    read,
    write(data: unknown) {
      const sent = send(last, isBytes(data) ? copyBytes(data) : encodeUtf8(String(data)));
      last = sent;
      return sent;
    },
    async close() {
      await incoming.return?.();
    },
    /** Whoever stops reading has not closed it: there may be something to write. */
    [Symbol.asyncIterator]: () => ({ next: () => incoming.next() }),
  });
}
