/**
 * The client's side of the contract: typed by the operations table, spoken over the daemon's Unix socket. It carries; it
 * decides nothing and checks only the outer shape of an answer, because the daemon has checked the rest (and importing the
 * schemas would cost every command its start-up time). Whatever goes wrong becomes a VoxError. Used by cli/.
 */
import { fail, fromWire, isVoxError, type WireError } from "../base/errors.ts";
import { isObject } from "../base/is-object.ts";
import { LIMITS } from "../base/limits.ts";
import { foreignAnswer, translateFetchError } from "./client-errors.ts";
import { readBytes, readLines } from "./client-reading.ts";
import type { Input, Item, Output, StreamName, UnaryName, UploadAnswer, UploadKind } from "./operations.ts";

export interface Client {
  /** Where it knocks; no connection is made before the first call. */
  readonly socket: string;
  /** @example const { plugins } = await client.call("plugin.list", {}); */
  call<N extends UnaryName>(name: N, input: Input<N>, options?: CallOptions): Promise<Output<N>>;
  /**
   * Each item as it comes; the generator's return value is the stream's end. Leaving the loop, or aborting the signal,
   * closes the connection. Errors: what the daemon says, or `connection.lost` where the stream breaks off.
   */
  stream<N extends StreamName>(
    name: N,
    input: Input<N>,
    options?: CallOptions,
  ): AsyncGenerator<Item<N>, Output<N>, undefined>;
  /** Sends a tar stream; the id it answers is good for one use. An error of `body` itself is thrown as it is. */
  upload(kind: UploadKind, body: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<UploadAnswer>;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** `startCommand`: what would start the daemon that belongs to `socket`, for the error when none is there. */
export function makeClient(socket: string, startCommand = "voxeltron daemon"): Client {
  const post = makePost(socket, startCommand);
  return {
    socket,
    async call(name, input, options) {
      const response = await post(name, JSON.stringify(input), "application/json", options);
      return readDocument(socket, response);
    },
    async *stream(name, input, options) {
      const controller = new AbortController();
      const signal = anySignal(controller.signal, options?.signal);
      try {
        const response = await post(name, JSON.stringify(input), "application/json", { signal });
        for await (const line of readLines(response, LIMITS.answerLineBytes, lost)) {
          const document = parseObject(socket, line);
          if ("end" in document) return document["end"] as Output<typeof name>;
          if ("error" in document) throw fromWire(asWireError(socket, document["error"]));
          yield document["item"] as Item<typeof name>;
        }
        throw lost();
      } catch (error) {
        options?.signal?.throwIfAborted();
        throw error;
      } finally {
        controller.abort();
      }
    },
    async upload(kind, body, options) {
      const source = rememberError(body);
      try {
        const response = await post(`upload?kind=${kind}`, source.stream, "application/x-tar", options);
        return (await readDocument(socket, response)) as UploadAnswer;
      } catch (error) {
        throw source.error() ?? error;
      }
    },
  };
}

// --- internal ---

type Post = (
  path: string,
  body: string | ReadableStream<Uint8Array>,
  contentType: string,
  options?: CallOptions,
) => Promise<Response>;

/** One request; its answer has been accepted when this resolves. */
function makePost(socket: string, startCommand: string): Post {
  return async (path, body, contentType, options = {}) => {
    let response: Response;
    try {
      response = await fetch(`http://voxeltron/v1/${path}`, {
        unix: socket,
        method: "POST",
        body,
        headers: { "content-type": contentType },
        signal: options.signal ?? null,
        redirect: "manual",
        decompress: false,
        keepalive: false,
        proxy: false,
        // A followed log may be silent for hours; Bun's own limit is five minutes.
        timeout: false,
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      throw isVoxError(error) ? error : translateFetchError(socket, startCommand, error);
    }
    if (response.ok) return response;
    const document = parseObject(socket, await readAnswer(response));
    throw fromWire(asWireError(socket, document["error"]));
  };
}

async function readDocument(socket: string, response: Response): Promise<Record<string, unknown>> {
  return parseObject(socket, await readAnswer(response));
}

async function readAnswer(response: Response): Promise<string> {
  return new TextDecoder().decode(await readBytes(response, LIMITS.answerBytes, lost));
}

function parseObject(socket: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Falls through: not JSON is as foreign as JSON of another shape.
  }
  throw foreignAnswer(socket);
}

function asWireError(socket: string, value: unknown): WireError {
  const error = value as Partial<WireError> | undefined | null;
  if (typeof error?.code === "string" && typeof error.message === "string") return error as WireError;
  throw foreignAnswer(socket);
}

function lost(): Error {
  return fail("connection.lost", "the daemon closed the connection before its answer was complete", {
    hint: "see whether it still runs: voxeltron daemon info",
  });
}

function anySignal(own: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other === undefined ? own : AbortSignal.any([own, other]);
}

/** fetch reports a body that failed in its own words; the caller wants the body's. */
function rememberError(body: AsyncIterable<Uint8Array>): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly error: () => unknown;
} {
  const chunks = body[Symbol.asyncIterator]();
  let failure: unknown;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        failure = error;
        controller.error(error);
      }
    },
    async cancel() {
      await chunks.return?.(undefined);
    },
  });
  return { stream, error: () => failure };
}
