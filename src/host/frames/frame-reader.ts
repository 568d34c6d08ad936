/**
 * Takes frames out of a stream of bytes that comes in pieces of any size. Each byte is copied once at most, and of a frame that never
 * ends no more is held than it may have. Used on both ends; the bytes may be anything.
 */
import { FRAME_BYTES_MAX, FRAME_HEAD_BYTES } from "./frame.ts";

export interface FrameReader {
  /** Gives whole frames to `frame`, which must not keep them, `framesMax` at most. How many bytes of the piece it took. */
  read(piece: Uint8Array, framesMax: number): number;
  /** A frame was announced that is too long. Nothing is read any more. */
  readonly broken: () => boolean;
}

export function makeFrameReader(frame: (bytes: Uint8Array) => void): FrameReader {
  const head = new Uint8Array(FRAME_HEAD_BYTES);
  const headView = new DataView(head.buffer);
  let headBytes = 0;
  /** The length of the frame under way, once its head is whole. */
  let length: number | undefined;
  /** Its bytes, where it does not lie in one piece. */
  let body: Uint8Array | undefined;
  let bodyBytes = 0;
  /** Whole ones since `read` was called. */
  let frames = 0;

  function readHead(piece: Uint8Array): number {
    const taken = Math.min(FRAME_HEAD_BYTES - headBytes, piece.length);
    head.set(piece.subarray(0, taken), headBytes);
    headBytes += taken;
    if (headBytes < FRAME_HEAD_BYTES) return taken;
    length = headView.getUint32(0, true);
    if (length === 0) finish(NOTHING);
    return taken;
  }

  function readBody(piece: Uint8Array, wanted: number): number {
    if (body === undefined && piece.length >= wanted) {
      finish(piece.subarray(0, wanted));
      return wanted;
    }
    body ??= Buffer.allocUnsafeSlow(wanted);
    const taken = Math.min(wanted - bodyBytes, piece.length);
    body.set(piece.subarray(0, taken), bodyBytes);
    bodyBytes += taken;
    if (bodyBytes === wanted) finish(body);
    return taken;
  }

  function finish(whole: Uint8Array): void {
    headBytes = 0;
    length = undefined;
    body = undefined;
    bodyBytes = 0;
    frames++;
    frame(whole);
  }

  const broken = (): boolean => (length ?? 0) > FRAME_BYTES_MAX;

  return {
    read(piece, framesMax) {
      frames = 0;
      let taken = 0;
      const isEnough = (): boolean => broken() || frames >= framesMax || taken === piece.length;
      while (!isEnough()) {
        const rest = piece.subarray(taken);
        taken += length === undefined ? readHead(rest) : readBody(rest, length);
      }
      return taken;
    },
    broken,
  };
}

// --- internal ---

const NOTHING = new Uint8Array(0);
