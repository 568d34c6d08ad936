/** TextEncoder and TextDecoder (UTF-8). The host does the work; what a stream holds back between chunks stays here. */
import { askText } from "./bridge.ts";
import { copyBytes, encodeUtf8, isBytes, type BytesLike } from "./bytes.ts";

export class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }

  encode(text: unknown = ""): Uint8Array<ArrayBuffer> {
    return encodeUtf8(String(text));
  }

  encodeInto(source: unknown, destination: Uint8Array): { read: number; written: number } {
    if (!(destination instanceof Uint8Array)) throw new TypeError("encodeInto needs a Uint8Array");
    const text = String(source);
    let bytes = encodeUtf8(text.slice(0, destination.length));
    let end = Math.min(bytes.length, destination.length);
    while (end > 0 && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
    bytes = bytes.subarray(0, end);
    destination.set(bytes);
    let read = 0;
    for (const byte of bytes) if ((byte & 0xc0) !== 0x80) read += byte >= 0xf0 ? 2 : 1;
    return { read, written: end };
  }

  get [Symbol.toStringTag](): string {
    return "TextEncoder";
  }
}

export class TextDecoder {
  readonly #fatal: boolean;
  readonly #ignoreBom: boolean;
  #held = new Uint8Array(0);
  #begun = false;

  constructor(label: unknown = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const name = String(label).trim().toLowerCase();
    if (!LABELS.has(name))
      throw new RangeError(`the encoding "${name.slice(0, 40)}" is not supported, only utf-8 is`);
    this.#fatal = Boolean(options.fatal);
    this.#ignoreBom = Boolean(options.ignoreBOM);
  }

  get encoding(): string {
    return "utf-8";
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreBom;
  }

  decode(input?: BytesLike, options: { stream?: boolean } = {}): string {
    if (input !== undefined && !isBytes(input))
      throw new TypeError("decode needs an ArrayBuffer or a view of one");
    const stream = Boolean(options.stream);
    let rest = concat(this.#held, input === undefined ? new Uint8Array(0) : copyBytes(input));
    let text = "";
    this.#held = new Uint8Array(0);
    while (rest.length > 0) {
      const isLast = rest.length <= CHUNK;
      const chunk = rest.slice(0, CHUNK);
      const held = stream || !isLast ? incompleteTail(chunk) : 0;
      if (held < chunk.length) text += this.#piece(chunk.slice(0, chunk.length - held));
      rest = rest.subarray(chunk.length - held);
      if (!isLast) continue;
      this.#held = rest;
      break;
    }
    if (!stream) this.#begun = false;
    return text;
  }

  #piece(bytes: Uint8Array<ArrayBuffer>): string {
    const keepBom = this.#ignoreBom || this.#begun;
    const answer = askText("utf8.decode", bytes.buffer, `${this.#fatal ? "f" : ""}${keepBom ? "b" : ""}`);
    this.#begun = answer !== "";
    if (answer === "") throw new TypeError("the data is not valid UTF-8");
    return JSON.parse(answer) as string;
  }

  get [Symbol.toStringTag](): string {
    return "TextDecoder";
  }
}

// --- internal ---

/** Bytes that go to the host at a time: as JSON they may become six times as many. */
const CHUNK = 256 * 1024;

const LABELS = new Set([
  "utf-8",
  "utf8",
  "unicode-1-1-utf-8",
  "unicode11utf8",
  "unicode20utf8",
  "x-unicode20utf8",
]);

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** How many bytes at the end begin a sequence that may still become valid. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const lead = bytes[bytes.length - back]!;
    if ((lead & 0xc0) === 0x80) continue;
    const needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
    if (lead > 0xf4 || needed <= back) return 0;
    return back === 1 || secondByteFits(lead, bytes[bytes.length - back + 1]!) ? back : 0;
  }
  return 0;
}

function secondByteFits(lead: number, second: number): boolean {
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}
