/**
 * Takes apart what the engine sends for logs and exec: frames of one byte stream number, three zero bytes, four bytes of
 * big-endian length, and that many bytes. Pure; frames may be split over chunks anywhere. Called by log-reader.ts and exec.ts.
 */
import { fail } from "../../../base/errors.ts";
import type { OutputStream } from "../provider.ts";

export type FrameReader = (chunk: Uint8Array) => void;

/**
 * Throws `provider.failed` for what is not a frame.
 *
 * @example
 * const read = makeFrameReader((stream, bytes) => output(stream, bytes));
 * connection.on("data", read);
 */
export function makeFrameReader(onFrame: (stream: OutputStream, bytes: Buffer) => void): FrameReader {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk]);
    let at = 0;
    while (pending.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + pending.readUInt32BE(at + 4);
      const stream = streamOf(pending.readUInt32BE(at));
      if (pending.length < end) break;
      onFrame(stream, pending.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    pending = pending.subarray(at);
  };
}

// --- internal ---

const HEADER_BYTES = 8;

/** The first four bytes of a header. What came in by stdin is shown as output, as a terminal would. */
const STREAMS: Readonly<Record<number, OutputStream>> = {
  0: "stdout",
  0x01000000: "stdout",
  0x02000000: "stderr",
};

function streamOf(word: number): OutputStream {
  const stream = STREAMS[word];
  if (stream === undefined) {
    throw fail("provider.failed", "wanted a frame of output from the docker engine, found something else");
  }
  return stream;
}
