/** What Request and Response share: bytes that may be read once. No streams: a body is whole or absent. */
import { copyBytes, encodeUtf8, isBytes } from "./bytes.ts";
import { stringOf } from "./primordials.ts";
import { TextDecoder } from "./text-coding.ts";
import { URLSearchParams } from "./url-search-params.ts";

export class Body {
  readonly #bytes: Uint8Array<ArrayBuffer> | null;
  #used = false;

  constructor(bytes: Uint8Array<ArrayBuffer> | null) {
    this.#bytes = bytes;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#take();
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#take().buffer;
  }
  async text(): Promise<string> {
    return new TextDecoder().decode(this.#take());
  }
  async json(): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(this.#take()));
  }

  #take(): Uint8Array<ArrayBuffer> {
    if (this.#used) throw new TypeError("the body was already read");
    if (this.#bytes === null) return new Uint8Array(0);
    this.#used = true;
    return copyBytes(this.#bytes);
  }

  static {
    bodyBytes = (body) => {
      if (body.#used) throw new TypeError("the body was already read");
      return body.#bytes;
    };
    useBody = (body) => {
      const bytes = bodyBytes(body);
      if (bytes !== null) body.#used = true;
      return bytes;
    };
  }
}

/** The bytes without reading them away; throws where they were read. */
export function peekBody(body: Body): Uint8Array<ArrayBuffer> | null {
  return bodyBytes(body);
}

/** The bytes, which are then used up. */
export function takeBody(body: Body): Uint8Array<ArrayBuffer> | null {
  return useBody(body);
}

/** The bytes of a `body` argument, and the content type that it brings. */
export function extractBody(body: unknown): {
  bytes: Uint8Array<ArrayBuffer> | null;
  type: string | undefined;
} {
  if (body === undefined || body === null) return { bytes: null, type: undefined };
  if (isBytes(body)) return { bytes: copyBytes(body), type: undefined };
  if (body instanceof URLSearchParams) {
    return { bytes: encodeUtf8(body.toString()), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  }
  return { bytes: encodeUtf8(stringOf(body)), type: "text/plain;charset=UTF-8" };
}

// --- internal ---

var bodyBytes: (body: Body) => Uint8Array<ArrayBuffer> | null;
var useBody: (body: Body) => Uint8Array<ArrayBuffer> | null;
