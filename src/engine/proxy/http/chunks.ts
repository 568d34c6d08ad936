/**
 * Finds where a chunked body ends, and what is data in it. As strict as the heads are: a size is hexadecimal and nothing else, a
 * line ends with CR LF, extensions and trailers are bounded and without control characters. Pure. Called by both sides.
 */
import { LIMITS } from "../../../base/limits.ts";

export interface ChunkScanner {
  readonly done: boolean;
  readonly bad: boolean;
  /** Looks at `bytes` from `from` on, hands out what is data, and gives the place behind the last byte of the body. */
  scan(bytes: Uint8Array, from: number, data?: (slice: Uint8Array) => void): number;
}

export function makeChunkScanner(): ChunkScanner {
  const progress: Progress = { state: "size", done: false, size: 0, digits: 0, more: 0, isLineEmpty: true };
  return {
    get done() {
      return progress.done;
    },
    get bad() {
      return progress.state === "bad";
    },
    scan(bytes, from, data) {
      let at = from;
      while (at < bytes.length && !progress.done && progress.state !== "bad") {
        if (progress.state !== "data") {
          progress.state = STEPS[progress.state](progress, bytes[at] ?? 0);
          at++;
          continue;
        }
        const end = Math.min(bytes.length, at + progress.size);
        progress.size -= end - at;
        data?.(bytes.subarray(at, end));
        at = end;
        if (progress.size === 0) progress.state = "data end";
      }
      return at;
    },
  };
}

/** One chunk with its frame. */
export function chunkOf(data: Uint8Array): Buffer {
  const size = Buffer.from(`${data.length.toString(16)}\r\n`, "latin1");
  return Buffer.concat([size, data, LINE_END], size.length + data.length + 2);
}

export const LAST_CHUNK = Buffer.from("0\r\n\r\n", "latin1");

// --- internal ---

type State =
  | "size"
  | "extension"
  | "size end"
  | "data"
  | "data end"
  | "data line end"
  | "trailer"
  | "trailer end"
  | "bad";

interface Progress {
  state: State;
  done: boolean;
  /** Of the chunk: read so far, or left. */
  size: number;
  digits: number;
  /** Characters of the extension, or of all trailers. */
  more: number;
  isLineEmpty: boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
/** A chunk of four petabytes is none. */
const SIZE_DIGITS = 13;
const LINE_END = Buffer.from("\r\n", "latin1");

/** What each byte outside of data leads to. */
const STEPS: Readonly<Record<Exclude<State, "data" | "bad">, (progress: Progress, byte: number) => State>> = {
  size(progress, byte) {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      progress.size = progress.size * 16 + digit;
      return ++progress.digits <= SIZE_DIGITS ? "size" : "bad";
    }
    if (progress.digits === 0) return "bad";
    if (byte === CR) return "size end";
    return byte === SEMICOLON ? "extension" : "bad";
  },
  extension(progress, byte) {
    if (byte === CR) return "size end";
    return isPrintable(byte) && ++progress.more <= LIMITS.proxyChunkExtensionBytes ? "extension" : "bad";
  },
  "size end"(progress, byte) {
    if (byte !== LF) return "bad";
    progress.digits = 0;
    progress.more = 0;
    return progress.size > 0 ? "data" : "trailer";
  },
  "data end": (_, byte) => (byte === CR ? "data line end" : "bad"),
  "data line end": (_, byte) => (byte === LF ? "size" : "bad"),
  trailer(progress, byte) {
    if (byte === CR) return "trailer end";
    progress.isLineEmpty = false;
    return isPrintable(byte) && ++progress.more <= LIMITS.proxyTrailerBytes ? "trailer" : "bad";
  },
  "trailer end"(progress, byte) {
    if (byte !== LF) return "bad";
    progress.done = progress.isLineEmpty;
    progress.isLineEmpty = true;
    return "trailer";
  },
};

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte !== 0x7f) || byte === 0x09;
}
