/**
 * Frames on a descriptor of a process that waits for nothing else: reading blocks until a frame is there. For a child without an
 * event loop, and for what a child reads before it has one.
 */
import { readSync, writeSync } from "node:fs";
import { systemCode } from "../../base/errors.ts";
import { FRAME_BYTES_MAX, FRAME_HEAD_BYTES, frameHead, textFrame } from "./frame.ts";

export interface BlockingFrames {
  /** The next frame; undefined once the other end has closed. Throws where it is too long or ends in its middle. */
  read(): Uint8Array<ArrayBuffer> | undefined;
  sendText(text: string): void;
  sendBytes(bytes: Uint8Array): void;
}

export function makeBlockingFrames(descriptor: number): BlockingFrames {
  return {
    read() {
      const head = readWhole(descriptor, FRAME_HEAD_BYTES);
      if (head === undefined) return undefined;
      const length = new DataView(head.buffer).getUint32(0, true);
      if (length > FRAME_BYTES_MAX) throw new RangeError(`a frame of ${length} bytes`);
      const body = readWhole(descriptor, length);
      if (body === undefined) throw new RangeError("a frame ended in its middle");
      return body;
    },
    sendText: (text) => writeWhole(descriptor, textFrame(text)),
    sendBytes(bytes) {
      writeWhole(descriptor, frameHead(bytes.length));
      writeWhole(descriptor, bytes);
    },
  };
}

// --- internal ---

/** Undefined where the stream ends before the first byte. */
function readWhole(descriptor: number, length: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(length);
  let have = 0;
  while (have < length) {
    const read = again(() => readSync(descriptor, bytes, have, length - have, null));
    if (read === 0 && have === 0) return undefined;
    if (read === 0) throw new RangeError("a frame ended in its middle");
    have += read;
  }
  return bytes;
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  let sent = 0;
  while (sent < bytes.length) {
    sent += again(() => writeSync(descriptor, bytes, sent, bytes.length - sent));
  }
}

/** A signal may come in between, and so may a descriptor that somebody made non-blocking. */
function again(run: () => number): number {
  for (;;) {
    try {
      return run();
    } catch (error) {
      const code = systemCode(error);
      if (code === "EAGAIN") Bun.sleepSync(1);
      else if (code !== "EINTR") throw error;
    }
  }
}
