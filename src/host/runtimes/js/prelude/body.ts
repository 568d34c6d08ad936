/** What Request and Response share: bytes that may be read once, at a time or as they come. */
import { LIMITS } from "../../../../base/limits.ts";
import { copyBytes, encodeUtf8, isBytes } from "./bytes.ts";
import { stringOf } from "./primordials.ts";
import { isDisturbed, streamOf, type ReadableStream } from "./readable-stream.ts";
import { TextDecoder } from "./text-coding.ts";
import { URLSearchParams } from "./url-search-params.ts";

export class Body {
  readonly #bytes: Uint8Array<ArrayBuffer> | null;
  #stream: ReadableStream | null = null;
  #used = false;

  constructor(bytes: Uint8Array<ArrayBuffer> | null) {
    this.#bytes = bytes;
  }

  get body(): ReadableStream | null {
    if (this.#stream === null && this.#bytes !== null) {
      this.#stream = streamOf(this.#used ? new Uint8Array(0) : copyBytes(this.#bytes));
    }
    return this.#stream;
  }
  get bodyUsed(): boolean {
    return this.#used || (this.#stream !== null && isDisturbed(this.#stream));
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#take();
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.#take()).buffer;
  }
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.#take());
  }
  async json(): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.#take()));
  }

  async #take(): Promise<Uint8Array<ArrayBuffer>> {
    this.#checkUnread();
    if (this.#bytes !== null) {
      this.#used = true;
      return copyBytes(this.#bytes);
    }
    return this.#stream === null ? new Uint8Array(0) : collect(this.#stream);
  }

  #checkUnread(): void {
    if (this.bodyUsed) throw new TypeError("the body was already read");
    if (this.#stream?.locked === true) throw new TypeError("the body has a reader: it is read there");
  }

  static {
    bodyBytes = (body) => {
      body.#checkUnread();
      if (body.#bytes === null && body.#stream !== null) {
        throw new TypeError("a body that is still to come can't be copied: read it first");
      }
      return body.#bytes;
    };
    setStream = (body, stream) => {
      body.#stream = stream;
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

/** A body without bytes has those that come from this stream. */
export function giveStream(body: Body, stream: ReadableStream): void {
  setStream(body, stream);
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
  if (typeof body === "object" && Symbol.asyncIterator in body) {
    throw new TypeError("a body is sent whole: text, bytes or URLSearchParams, not a stream");
  }
  return { bytes: encodeUtf8(stringOf(body)), type: "text/plain;charset=UTF-8" };
}

// --- internal ---

var bodyBytes: (body: Body) => Uint8Array<ArrayBuffer> | null;
var setStream: (body: Body, stream: ReadableStream) => void;
var useBody: (body: Body) => Uint8Array<ArrayBuffer> | null;

async function collect(stream: ReadableStream): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > LIMITS.fetchCollectBytes) throw new RangeError(TOO_LARGE);
    pieces.push(piece);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const TOO_LARGE = `the body has more than ${LIMITS.fetchCollectBytes / 1024 / 1024} MiB: read it piece by piece, with \`for await (const piece of response.body)\``;
