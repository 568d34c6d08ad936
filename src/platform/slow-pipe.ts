/**
 * A pipe for the output of an executable whose reader takes his time: the smallest that the system has, and read only after a while.
 * Bun's own pipes are emptied into memory at once, so no program would ever notice them. Used by host/check.
 */
import { FFIType } from "bun:ffi";
import { close, closeSync, read } from "node:fs";
import type { Clock } from "../base/clock.ts";
import type { OutputPipe } from "./executable.ts";
import { openLibc } from "./libc.ts";

/** Undefined where the system has none. */
export function openSlowPipe(clock: Clock, pauseMs: number): OutputPipe | undefined {
  if (process.platform !== "linux") return undefined;
  const { pipe2, fcntl } = openLibc({
    pipe2: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
    fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  });
  const ends = new Int32Array(2);
  if (pipe2(ends, O_CLOEXEC) !== 0) return undefined;
  const [reading = -1, writing = -1] = ends;
  fcntl(writing, F_SETPIPE_SZ, PIPE_BYTES);

  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      await clock.sleep(pauseMs);
      for (;;) {
        const piece = await readSome(reading);
        if (piece.length === 0) return;
        yield piece;
      }
    } finally {
      close(reading, () => {});
    }
  }

  return { descriptor: writing, given: () => closeSync(writing), read: pieces() };
}

// --- internal ---

const O_CLOEXEC = 0x80000;
const F_SETPIPE_SZ = 1031;
const PIPE_BYTES = 4096;

/** In a thread, until there is something; empty at the end. */
function readSome(descriptor: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(PIPE_BYTES);
  return new Promise((resolve, reject) => {
    read(descriptor, bytes, 0, bytes.length, null, (error, length) => {
      if (error === null) resolve(bytes.subarray(0, length));
      else reject(error);
    });
  });
}
