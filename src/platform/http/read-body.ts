/**
 * Reads an answer's body piece by piece, under a bound that holds for the bytes on the wire and for what they unpack to: Bun's own
 * decompression has no bound, so it is switched off and done here, by libraries that are loaded with the first packed answer. Nothing
 * is read ahead of whoever reads. Called by open-http.ts.
 */
import type { Duplex } from "node:stream";
import type * as Zlib from "node:zlib";
import { fail, isVoxError } from "../../base/errors.ts";
import { formatBytes } from "../../base/text.ts";

export interface BodyBounds {
  /** 0: the body is not read at all. */
  readonly bodyBytes: number;
  /** Told of each piece before it is kept; may throw to stop the transfer. */
  readonly reserve?: ((bytes: number) => void) | undefined;
}

export interface OpenBody {
  /** Iterating throws `network.failed`; the transfer is then cancelled. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** True where the pieces are no longer what the content-encoding header says. */
  readonly decoded: boolean;
}

/** An encoding that is not known is left as it is. */
export function openBody(
  response: Response,
  { target, method }: { readonly target: { readonly origin: string }; readonly method: string },
  bounds: BodyBounds,
): OpenBody {
  if (bounds.bodyBytes === 0 || method === "HEAD" || response.body === null) {
    void response.body?.cancel().catch(() => {});
    return { pieces: nothing(), decoded: false };
  }
  const encoding = response.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  const makeDecoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  const raw = wirePieces(response.body, target.origin, bounds);
  if (makeDecoder === undefined) return { pieces: raw, decoded: false };
  return { pieces: unpacked(raw, makeDecoder, encoding, bounds), decoded: true };
}

/** All pieces as one. */
export async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(pieces));
}

// --- internal ---

const OPTIONS = { chunkSize: 64 * 1024 };

/** RFC 9659: of zstd in HTTP. Who sends may otherwise have us keep 128 MiB of what was unpacked before. */
const ZSTD_WINDOW_BITS = 23;

type MakeDecoder = (zlib: typeof Zlib) => Duplex;

const DECODERS: Readonly<Record<string, MakeDecoder>> = {
  gzip: (zlib) => zlib.createGunzip(OPTIONS),
  "x-gzip": (zlib) => zlib.createGunzip(OPTIONS),
  deflate: (zlib) => zlib.createInflate(OPTIONS),
  br: (zlib) => zlib.createBrotliDecompress(OPTIONS),
  zstd: (zlib) =>
    zlib.createZstdDecompress({
      ...OPTIONS,
      params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_BITS },
    }),
};

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* wirePieces(
  body: ReadableStream<Uint8Array>,
  origin: string,
  bounds: BodyBounds,
): AsyncGenerator<Uint8Array> {
  const count = counter(bounds);
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      count(value.byteLength);
      yield value;
    }
  } catch (error) {
    throw isVoxError(error) ? error : fail("network.failed", `${origin}: the answer broke off`);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function* unpacked(
  raw: AsyncGenerator<Uint8Array>,
  makeDecoder: MakeDecoder,
  encoding: string,
  bounds: BodyBounds,
): AsyncGenerator<Uint8Array> {
  const first = await raw.next();
  // No bytes at all are no packed bytes either.
  if (first.done === true) return;
  const count = counter(bounds);
  const [{ pipeline, Readable }, zlib] = await Promise.all([import("node:stream"), import("node:zlib")]);
  const decoder = makeDecoder(zlib);
  pipeline(Readable.from(startingWith(first.value, raw), { highWaterMark: 1 }), decoder, () => {});
  try {
    for await (const piece of decoder as AsyncIterable<Uint8Array>) {
      count(piece.byteLength);
      yield piece;
    }
  } catch (error) {
    if (isVoxError(error)) throw error;
    throw fail("network.failed", `the answer is not what its content-encoding ${encoding} says`);
  }
}

async function* startingWith(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

function counter({ bodyBytes, reserve }: BodyBounds): (bytes: number) => void {
  let total = 0;
  return (bytes) => {
    total += bytes;
    if (total > bodyBytes)
      throw fail("network.failed", `the answer's body is larger than ${formatBytes(bodyBytes)}`);
    reserve?.(bytes);
  };
}
