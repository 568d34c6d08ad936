/** What shows outside of files and sockets that an attack worked: the daemon's own place, processes, listeners, objects in the kernel. */
import { readdirSync, readFileSync } from "node:fs";
import { abstractAddress, FAMILY, inetAddress, STREAM } from "./addresses.ts";
import type { Places } from "./attack.ts";
import { Refused } from "./errors.ts";
import type { Kernel } from "./kernel.ts";

/** What was seen, by what it is. */
export type View = Readonly<Record<string, string>>;

/** In words, what is other than it was. */
export function changes(before: View, after: View): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const [was, is] = [before[name], after[name]];
    if (was === is) return [];
    if (was === undefined) return [`${name} appeared`];
    return [is === undefined ? `${name} is gone` : `${name}: was ${was}, is ${is}`];
  });
}

/** The stand-in daemon's own place in the kernel's books. */
export function itself(): View {
  const stat = readFileSync("/proc/self/stat", "latin1").split(") ")[1]?.split(" ") ?? [];
  const status = readFileSync("/proc/self/status", "latin1");
  return {
    priority: `${stat[15]} ${stat[16]}`,
    policy: `${stat[38]}`,
    cores: /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "",
    tracer: /^TracerPid:\s*(.*)$/m.exec(status)?.[1] ?? "",
    limits: readFileSync("/proc/self/limits", "latin1"),
    oom_score_adj: readFileSync("/proc/self/oom_score_adj", "latin1").trim(),
    hostname: readFileSync("/proc/sys/kernel/hostname", "latin1").trim(),
  };
}

/** Only those over our own folders: the machine mounts as it likes. */
export function mounts(folder: string): View {
  const lines = readFileSync("/proc/self/mountinfo", "latin1").split("\n");
  return Object.fromEntries(
    lines.filter((line) => line.includes(folder)).map((line) => [`mount ${line}`, "is there"]),
  );
}

/** What attackers made, alive or not: their children, and those that were left to us. */
export function processes(attackers: ReadonlySet<number>): View {
  const seen: [string, string][] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || attackers.has(Number(name))) continue;
    const parent = Number(/\) \S (\d+)/.exec(readQuietly(`/proc/${name}/stat`))?.[1]);
    if (parent === process.pid || attackers.has(parent)) seen.push([`process ${name}`, "is there"]);
  }
  return Object.fromEntries(seen);
}

/** A port or a name that somebody took is one that nobody else can have. */
export function listeners(kernel: Kernel, { marker, freePort }: Pick<Places, "marker" | "freePort">): View {
  const tcp = isTaken(kernel, FAMILY.inet, inetAddress(freePort, true));
  const name = isTaken(kernel, FAMILY.unix, abstractAddress(marker));
  return {
    ...(tcp ? { "the free port listens": "yes" } : {}),
    ...(name ? { "the free name listens": "yes" } : {}),
  };
}

export function isTaken(kernel: Kernel, family: number, address: Uint8Array): boolean {
  const socket = kernel.call("socket", family, STREAM, 0);
  try {
    kernel.call("bind", socket, address, address.length);
    return false;
  } catch (error) {
    if (error instanceof Refused && error.code === "EADDRINUSE") return true;
    throw error;
  } finally {
    kernel.call("close", socket);
  }
}

export function sharedObjects(key: number): View {
  const seen = SHARED.filter(([, file]) =>
    readQuietly(file)
      .split("\n")
      .some((line) => line.trim().startsWith(`${key} `)),
  );
  return Object.fromEntries(seen.map(([name]) => [name, "is there"]));
}

export function removeSharedObjects(kernel: Kernel, key: number): void {
  const remove = 0;
  tolerate(() => kernel.call("shmctl", kernel.call("shmget", key, 0, 0), remove, 0));
  tolerate(() => kernel.call("semctl", kernel.call("semget", key, 0, 0), 0, remove, 0));
  tolerate(() => kernel.call("msgctl", kernel.call("msgget", key, 0), remove, 0));
}

/** Where the machine has no such thing. */
export function tolerate(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}

// --- internal ---

const SHARED = [
  ["shared memory", "/proc/sysvipc/shm"],
  ["semaphore", "/proc/sysvipc/sem"],
  ["message queue", "/proc/sysvipc/msg"],
] as const;

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
