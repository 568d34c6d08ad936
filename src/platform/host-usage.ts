/** What the machine uses as a whole: processors, memory, and the disk that a folder is on. Given to engine/metrics by the daemon. */
import { readFileSync, statfsSync } from "node:fs";
import { cpus, freemem, loadavg, totalmem } from "node:os";

export interface HostUsage {
  /** Since the machine was started, all processors together, idle not counted. */
  readonly cpuSeconds: number;
  readonly load1: number;
  /** What programs could not have now: the file cache does not count. */
  readonly memoryBytes: number;
  readonly memoryTotalBytes: number;
  readonly diskBytes: number;
  readonly diskTotalBytes: number;
}

export function readHostUsage(folder: string): HostUsage {
  const disk = statfsSync(folder);
  const memoryTotalBytes = totalmem();
  return {
    cpuSeconds: cpuSeconds(),
    load1: loadavg()[0] ?? 0,
    memoryBytes: memoryTotalBytes - availableBytes(),
    memoryTotalBytes,
    diskBytes: (disk.blocks - disk.bfree) * disk.bsize,
    // As `df` has it: what is kept for root belongs to neither side.
    diskTotalBytes: (disk.blocks - disk.bfree + disk.bavail) * disk.bsize,
  };
}

// --- internal ---

function cpuSeconds(): number {
  return cpus().reduce(
    (total, { times }) => total + (times.user + times.nice + times.sys + times.irq) / 1000,
    0,
  );
}

/** Free, or in caches that would be given up. Only Linux tells. */
function availableBytes(): number {
  if (process.platform !== "linux") return freemem();
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "latin1"))?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}
