/**
 * One frame: a u32 (little-endian) length, then that many bytes. What passes between the daemon and each confined process of its own
 * is frames, both ways. Pure.
 */
import { LIMITS } from "../../base/limits.ts";

export const FRAME_HEAD_BYTES = 4;

/** A longer one ends the process that sent it. */
export const FRAME_BYTES_MAX: number = LIMITS.messageBytes;

/** The frame of a text: its length and its UTF-8 in one piece. */
export function textFrame(text: string): Uint8Array<ArrayBuffer> {
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafeSlow(FRAME_HEAD_BYTES + length);
  frame.writeUInt32LE(checked(length), 0);
  frame.write(text, FRAME_HEAD_BYTES);
  return frame;
}

/** The head that stands before bytes which are sent as they are. */
export function frameHead(length: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(FRAME_HEAD_BYTES);
  new DataView(head.buffer).setUint32(0, checked(length), true);
  return head;
}

/** The text of a frame; undefined where it is not UTF-8. */
export function frameText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

// --- internal ---

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function checked(length: number): number {
  if (length > FRAME_BYTES_MAX) throw new RangeError(`a frame of ${length} bytes`);
  return length;
}
