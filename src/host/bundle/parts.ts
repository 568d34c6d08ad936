/**
 * What passes between the daemon and the bundler's process: one message each way, made of parts (a head and files) and sent in
 * frames. Pure, and on either side the other's bytes may be anything.
 */
import { LIMITS } from "../../base/limits.ts";

/** Each part is a u32 (little-endian) length, then that many bytes. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + HEAD_BYTES + part.length, 0));
  const view = new DataView(joined.buffer);
  let position = 0;
  for (const part of parts) {
    view.setUint32(position, part.length, true);
    joined.set(part, position + HEAD_BYTES);
    position += HEAD_BYTES + part.length;
  }
  return joined;
}

/** Undefined where the bytes are not whole parts, or more than `partsMax`: a message has room for millions of empty ones. */
export function splitParts(bytes: Uint8Array, partsMax: number): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let position = 0;
  while (position < bytes.length) {
    if (parts.length === partsMax || position + HEAD_BYTES > bytes.length) return undefined;
    const end = position + HEAD_BYTES + view.getUint32(position, true);
    if (end > bytes.length) return undefined;
    parts.push(bytes.subarray(position + HEAD_BYTES, end));
    position = end;
  }
  return parts;
}

/** The frames of a message. All but the last are full and the last is not, so that its end is seen. */
export function cutFrames(message: Uint8Array): Uint8Array[] {
  const count = Math.floor(message.length / PIECE_BYTES) + 1;
  return Array.from({ length: count }, (_, i) => message.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
}

export function isLastFrame(frame: Uint8Array): boolean {
  return frame.length < PIECE_BYTES;
}

// --- internal ---

const HEAD_BYTES = 4;
const PIECE_BYTES = LIMITS.codeFrameBytes;
