/**
 * Gives a part of a file back to the disk while others go on writing to its end: positions stay, nothing moves, and
 * nothing that is written meanwhile is lost. Linux, on file systems that can (ext4, xfs, btrfs, zfs, tmpfs); elsewhere it says no.
 * Called by engine/providers/process/log-file.ts.
 */
import { FFIType } from "bun:ffi";
import { openLibc } from "./libc.ts";

/** False where the system can't: then nothing happened. */
export function punchHole(descriptor: number, offset: number, bytes: number): boolean {
  if (process.platform !== "linux") return false;
  return calls().fallocate(descriptor, PUNCH_HOLE | KEEP_SIZE, BigInt(offset), BigInt(bytes)) === 0;
}

/** Where the first byte stands that was not given back; Infinity where there is none. */
export function firstData(descriptor: number): number {
  if (process.platform !== "linux") return 0;
  const at = Number(calls().lseek(descriptor, 0n, SEEK_DATA));
  // Where a file system knows no holes, the kernel says 0; it refuses only where no data is left.
  return at >= 0 ? at : Number.POSITIVE_INFINITY;
}

// --- internal ---

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const SEEK_DATA = 3;

let opened: ReturnType<typeof open> | undefined;

function calls(): ReturnType<typeof open> {
  return (opened ??= open());
}

function open() {
  return openLibc({
    fallocate: { args: [FFIType.i32, FFIType.i32, FFIType.i64, FFIType.i64], returns: FFIType.i32 },
    lseek: { args: [FFIType.i32, FFIType.i64, FFIType.i32], returns: FFIType.i64 },
  });
}
