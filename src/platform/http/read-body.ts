/**
 * Reads an answer's body under a bound that holds for the bytes on the wire and for what they unpack to: Bun's own
 * decompression has no bound, so it is switched off and done here. Called by http-client.ts.
 */
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { fail, systemCode } from "../../base/errors.ts";
import { formatBytes } from "../../base/text.ts";

export interface BodyBounds {
  /** 0: the body is not read at all. */
  readonly bodyBytes: number;
  /** Told of each piece before it is kept; may throw to stop the transfer. */
  readonly reserve?: ((bytes: number) => void) | undefined;
}

export interface Body {
  readonly bytes: Uint8Array;
  /** True where `bytes` is no longer what the content-encoding header says. */
  readonly decoded: boolean;
}

/** Throws `network.failed`; the transfer is then cancelled. An encoding that is not known is left as it is. */
export async function readBody(response: Response, bounds: BodyBounds): Promise<Body> {
  const raw = await readBounded(response, bounds);
  const encoding = response.headers.get("content-encoding")?.trim().toLowerCase();
  const decode = encoding === undefined ? undefined : DECODERS[encoding];
  if (decode === undefined || raw.byteLength === 0) return { bytes: raw, decoded: false };
  const bytes = await decode(raw, { maxOutputLength: bounds.bodyBytes }).catch((error: unknown) => {
    if (systemCode(error) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(bounds);
    throw fail("network.failed", `the answer is not what its content-encoding ${encoding} says`);
  });
  bounds.reserve?.(bytes.byteLength);
  return { bytes, decoded: true };
}

// --- internal ---

const DECODERS: Readonly<
  Record<string, (raw: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>>
> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

async function readBounded(response: Response, bounds: BodyBounds): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let total = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(pieces);
      total += value.byteLength;
      if (total > bounds.bodyBytes) throw tooLarge(bounds);
      bounds.reserve?.(value.byteLength);
      pieces.push(value);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function tooLarge(bounds: BodyBounds): Error {
  return fail("network.failed", `the answer's body is larger than ${formatBytes(bounds.bodyBytes)}`);
}
