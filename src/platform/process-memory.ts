/** How much memory a process of ours has in use, as the kernel counts it. Asked by those who bound what a child may take. */
import { readFileSync } from "node:fs";

/** Bytes; undefined where the process is gone or the system has no /proc. */
export function readMemoryInUse(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
