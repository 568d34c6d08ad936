/**
 * A memory limit of the kernel's for each confined process, where a control group can be made for it. An addition to the watch and
 * the limit on data: where it can't be had nothing is lost but a second bound, so nothing here fails a start.
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import type { Clock } from "../../../base/clock.ts";
import { LEAF, type MemoryPlace } from "./place.ts";

export interface MemoryGroups {
  add(pid: number, memoryBytes: number): MemoryGroup;
}

export interface MemoryGroup {
  /** Whether the kernel ended a process of the group because its memory was used up. */
  endedByKernel(): Promise<boolean>;
  remove(): Promise<void>;
}

/** Groups left behind by a daemon that is gone are removed. */
export function makeMemoryGroups(place: MemoryPlace, clock: Clock): MemoryGroups {
  if (place.kind === "none") return { add: () => NO_GROUP };
  const { folder } = place;
  const ready = prepare(place);

  return {
    add(pid, memoryBytes) {
      const group = `${folder}/${PREFIX}${process.pid}-${pid}`;
      const files = FILES[place.kind];
      const added = ready.then(async () => {
        await mkdir(group);
        await writeFile(`${group}/${files.limit}`, String(memoryBytes));
        // Where swap is counted, none is granted: it would only put off the end.
        await writeFile(`${group}/${files.swapLimit}`, files.swapValue(memoryBytes)).catch(() => {});
        await writeFile(`${group}/cgroup.procs`, String(pid));
      });
      // Not fatal, and the process may be gone already.
      const settled = added.catch(() => {});
      return {
        async endedByKernel() {
          await settled;
          return countOf(await readFile(`${group}/${files.events}`, "utf8").catch(() => "")) > 0;
        },
        async remove() {
          await settled;
          await removeGroup(group, clock);
        },
      };
    },
  };
}

// --- internal ---

const PREFIX = "voxeltron-";

const NO_GROUP: MemoryGroup = {
  endedByKernel: () => Promise.resolve(false),
  remove: () => Promise.resolve(),
};

const FILES = {
  v1: {
    limit: "memory.limit_in_bytes",
    swapLimit: "memory.memsw.limit_in_bytes",
    swapValue: (memoryBytes: number) => String(memoryBytes),
    events: "memory.oom_control",
  },
  v2: {
    limit: "memory.max",
    swapLimit: "memory.swap.max",
    swapValue: () => "0",
    events: "memory.events",
  },
} as const;

async function prepare(place: Exclude<MemoryPlace, { kind: "none" }>): Promise<void> {
  await removeAbandoned(place.folder);
  if (place.kind === "v1" || (await hands(place.folder)).includes("memory")) return;
  if (place.crowded) await moveIntoLeaf(place.folder);
  await writeFile(`${place.folder}/cgroup.subtree_control`, "+memory");
}

async function hands(folder: string): Promise<string[]> {
  return (await readFile(`${folder}/cgroup.subtree_control`, "utf8")).trim().split(" ");
}

/** Version 2 lets a group have either processes or groups with controllers, but for the root of the whole tree. */
async function moveIntoLeaf(folder: string): Promise<void> {
  await mkdir(`${folder}/${LEAF}`, { recursive: true });
  const processes = (await readFile(`${folder}/cgroup.procs`, "utf8")).split("\n").filter(Boolean);
  for (const pid of processes) await writeFile(`${folder}/${LEAF}/cgroup.procs`, pid).catch(() => {});
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const daemon = /^voxeltron-(\d+)-\d+$/.exec(name)?.[1];
    if (daemon !== undefined && !existsSync(`/proc/${daemon}`))
      await rmdir(`${folder}/${name}`).catch(() => {});
  }
}

/** The group is empty once the kernel is done with the process, which may be a moment after its end was told. */
async function removeGroup(group: string, clock: Clock): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    try {
      await rmdir(group);
      return;
    } catch {
      if (!existsSync(group)) return;
      await clock.sleep(REMOVE_PAUSE_MS);
    }
  }
}

const REMOVE_ATTEMPTS = 20;
const REMOVE_PAUSE_MS = 50;

function countOf(events: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
}
