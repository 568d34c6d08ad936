/** Reads one byte in each two megabytes of memory in which nothing is: the kernel keeps tables of it, which are not counted as the process's. */
import type { Kernel } from "./kernel.ts";

export function touchNothing(kernel: Kernel, gigabytes: number): void {
  const start = kernel.call("mmap", 0, gigabytes * GIB, READ_ONLY, RESERVE_NOTHING, -1, 0);
  for (let gigabyte = 0; gigabyte < gigabytes; gigabyte++) {
    const bytes = kernel.bytesAt(start + gigabyte * GIB, GIB);
    let sum = 0;
    for (let at = 0; at < GIB; at += 2 * MIB) sum += bytes[at] ?? 0;
    if (sum !== 0) throw new Error("something is where nothing was");
  }
}

// --- internal ---

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const READ_ONLY = 1;
const RESERVE_NOTHING = 0x4022;
