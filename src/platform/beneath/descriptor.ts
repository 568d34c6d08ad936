/** Reading, writing and syncing by descriptor, away from the daemon's thread. Called by the other files of this folder. */
import { fsync, ftruncate, read, write } from "node:fs";

/** Up to so many bytes from `offset` on; fewer where the file ends. */
export async function readFrom(
  fd: number,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    signal.throwIfAborted();
    const wanted = Math.min(length - filled, PIECE);
    const got = await counted((done) => read(fd, bytes, filled, wanted, offset + filled, done));
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

/** All of it, at the descriptor's own place: the end, where it was opened to append. */
export async function writeAll(fd: number, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    signal.throwIfAborted();
    const wanted = Math.min(bytes.length - written, PIECE);
    written += await counted((done) => write(fd, bytes, written, wanted, null, done));
  }
}

/** Resolves when it is on the disk. */
export function syncToDisk(fd: number): Promise<void> {
  return settled((done) => fsync(fd, done));
}

export function cutTo(fd: number, length: number): Promise<void> {
  return settled((done) => ftruncate(fd, length, done));
}

// --- internal ---

/** So that a call that is cancelled ends soon, on a slow disk too. */
const PIECE = 1024 * 1024;

function counted(start: (done: (error: Error | null, count: number) => void) => void): Promise<number> {
  return new Promise((resolve, reject) =>
    start((error, count) => (error === null ? resolve(count) : reject(error))),
  );
}

function settled(start: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    start((error) => (error === null || error === undefined ? resolve() : reject(error))),
  );
}
