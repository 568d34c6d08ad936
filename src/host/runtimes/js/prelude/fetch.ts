/** fetch: one call of the broker's `net.fetch`. Where the plugin may connect to is decided in the daemon alone. */
import type { AbortSignal } from "./abort.ts";
import { takeBody } from "./body.ts";
import { callHost } from "./host-calls.ts";
import { ReadableStream, type ByteSource } from "./readable-stream.ts";
import { Request, type RequestInit } from "./request.ts";
import { networkResponse, type Response, type ResponseParts } from "./response.ts";
import { openStream } from "./stream.ts";

export async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const body = takeBody(request);
  let stop: (() => void) | undefined;
  try {
    const answer = (await callHost(
      "net.fetch",
      {
        url: request.url,
        method: request.method,
        headers: [...request.headers],
        ...(body === null ? {} : { body }),
        redirect: request.redirect,
        stream: true,
      },
      (cancel) => {
        stop = () => cancel(signal.reason);
        signal.addEventListener("abort", stop, { once: true });
      },
    )) as Answer;
    return networkResponse(contentOf(answer, signal), answer);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}

// --- internal ---

/** A body that was there at once, or the stream of one that is still to come. */
interface Answer extends ResponseParts {
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly stream?: string;
}

function contentOf(
  { body, stream }: Answer,
  signal: AbortSignal,
): Uint8Array<ArrayBuffer> | ReadableStream | null {
  if (stream === undefined) return body ?? null;
  const pieces = openStream(Promise.resolve({ stream })) as ByteSource;
  return new ReadableStream(endingWith(signal, pieces));
}

/** The signal of a request ends its body too. */
function endingWith(signal: AbortSignal, pieces: ByteSource): ByteSource {
  const stop = (): void => {
    // It ends what waits for a piece; nobody waits for the end itself.
    close().catch(() => {});
  };
  signal.addEventListener("abort", stop, { once: true });

  function close(): Promise<IteratorResult<Uint8Array<ArrayBuffer>, unknown>> {
    signal.removeEventListener("abort", stop);
    return pieces.return?.() ?? Promise.resolve({ done: true, value: undefined });
  }

  return {
    async next() {
      signal.throwIfAborted();
      const result = await pieces.next();
      signal.throwIfAborted();
      if (result.done === true) signal.removeEventListener("abort", stop);
      return result;
    },
    return: close,
  };
}
