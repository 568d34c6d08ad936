/**
 * What a hostile process may write to its descriptor, made by mutation: frames in pieces of any size, with lengths that lie. The
 * reader gives each frame or stops for good; it never throws, never gives more than a frame may have, and what it was given whole
 * it gives whole.
 */
import { FRAME_BYTES_MAX, frameHead, textFrame } from "../../src/host/frames/frame.ts";
import { makeFrameReader, type FrameReader } from "../../src/host/frames/frame-reader.ts";
import { seededRandom } from "../random.ts";

export interface FrameFuzz {
  readonly frames: number;
  /** Streams that were cut off because a length was too large. */
  readonly refused: number;
}

/** Throws with the seed at the first breach. */
export function fuzzFrames(seed: number, count: number): FrameFuzz {
  const random = seededRandom(seed);
  let frames = 0;
  let refused = 0;
  while (frames < count) {
    const sent = Array.from({ length: 1 + Math.floor(random() * 20) }, () => someText(random));
    const lie = random() < 0.3 ? lyingHead(random) : undefined;
    const stream = Buffer.concat([...sent.map(textFrame), ...(lie === undefined ? [] : [lie])]);
    const got: string[] = [];
    const reader = makeFrameReader((bytes) => got.push(new TextDecoder().decode(bytes)));
    readInPieces(reader, stream, random);
    if (JSON.stringify(got) !== JSON.stringify(sent))
      throw new Error(`seed ${seed}: frames came out changed, after ${frames}`);
    if (reader.broken() !== isTooLong(lie))
      throw new Error(`seed ${seed}: a length was judged wrongly, after ${frames}`);
    if (reader.broken() && !refuses(reader, got))
      throw new Error(`seed ${seed}: it went on after a breach, after ${frames}`);
    if (reader.broken()) refused++;
    frames += sent.length + 1;
  }
  return { frames, refused };
}

// --- internal ---

type Random = () => number;

function someText(random: Random): string {
  const length = random() < 0.05 ? Math.floor(random() * 70_000) : Math.floor(random() * 40);
  return Array.from({ length }, () => CHARACTERS[Math.floor(random() * CHARACTERS.length)]).join("");
}

const CHARACTERS = ["a", "{", '"', "\0", "é", "\u{1f600}", "\n"];

/** A head that announces anything; 0 would be a frame of its own. */
function lyingHead(random: Random): Buffer {
  const head = Buffer.from(frameHead(1));
  head.writeUInt32LE(1 + Math.floor(random() * 0xff_ff_ff_fe), 0);
  return head;
}

function isTooLong(head: Buffer | undefined): boolean {
  return head !== undefined && head.readUInt32LE(0) > FRAME_BYTES_MAX;
}

/** Pieces as the kernel gives them, of which the reader may take a part at a time. */
function readInPieces(reader: FrameReader, stream: Uint8Array, random: Random): void {
  const largest = random() < 0.5 ? 7 : 100_000;
  for (let at = 0; at < stream.length && !reader.broken();) {
    const piece = stream.subarray(at, at + 1 + Math.floor(random() * largest));
    at += reader.read(piece, 1 + Math.floor(random() * 5));
  }
}

function refuses(reader: FrameReader, got: readonly string[]): boolean {
  const before = got.length;
  reader.read(textFrame("more"), 1);
  return got.length === before;
}
