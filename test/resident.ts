/** How much memory a process holds, by the kernel's count. For benchmarks and for tests of what is left behind. */
import { readFileSync } from "node:fs";

export function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Number(kilobytes) / 1024;
}
