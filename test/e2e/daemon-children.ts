/** The processes that a daemon runs plugins in, and what they take, found in /proc. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** The daemon's child that runs the plugin; undefined where there is none. */
export function processOf(daemon: number, plugin: string): number | undefined {
  const found = readdirSync("/proc").find((name) => {
    if (!/^\d+$/.test(name)) return false;
    const parent = Number(/\) \S (\d+)/.exec(readQuietly(`/proc/${name}/stat`))?.[1]);
    const words = readQuietly(`/proc/${name}/cmdline`).split("\0");
    return parent === daemon && words.includes("__plugin") && words.includes(plugin);
  });
  return found === undefined ? undefined : Number(found);
}

export function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** Bytes of memory and of the kernel's tables of it; 0 once it is gone. */
export function memoryOf(pid: number): number {
  const status = readQuietly(`/proc/${pid}/status`);
  const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  return (kilobytes("VmRSS") + kilobytes("VmPTE")) * 1024;
}

export function threadsOf(pid: number): number {
  return Number(/^Threads:\s+(\d+)/m.exec(readQuietly(`/proc/${pid}/status`))?.[1] ?? 0);
}

// --- internal ---

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
