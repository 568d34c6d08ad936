/**
 * The kernel's list of processes, read from /proc. A pid alone names nobody: it is used again after its process ended, so
 * a process is a pid with its start time and the boot that both belong to. Linux only. Made by provider.ts, asked by
 * run.ts, supervisor.ts and kill.ts.
 */
import { readFileSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { systemCode } from "../../../base/errors.ts";
import { statFields } from "../../../platform/stat-fields.ts";

export interface ProcessTable {
  /** Who has this pid now. A zombie has ended: nobody. */
  identify(pid: number): ProcessIdentity | undefined;
  /** Changes with every start of the machine. */
  bootId(): string;
  /** Pids of all processes that bear one of the marks, and of their descendants. */
  members(marks: ProcessMarks): Promise<readonly number[]>;
  /** A negative pid is a process group. Gone already: fine. */
  signal(pid: number, signal: "SIGTERM" | "SIGKILL"): void;
}

/** Several, because a program may leave its session, and may write over its environment. */
export interface ProcessMarks {
  /** `NAME=value`, in the environment that it was started with. */
  readonly environment: string;
  readonly session: number | undefined;
  /** Counts only while the environment is empty, as it is for a moment when a process replaces its program. */
  readonly folder: string;
}

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and start. */
  readonly startTicks: number;
  readonly bootId: string;
}

export function isSameProcess(a: ProcessIdentity | undefined, b: ProcessIdentity | undefined): boolean {
  return a !== undefined && a.pid === b?.pid && a.startTicks === b.startTicks && a.bootId === b.bootId;
}

export function makeProcessTable(): ProcessTable {
  let boot: string | undefined;
  const bootId = () => (boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  return {
    bootId,
    identify(pid) {
      try {
        const stat = parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
        return ENDED.has(stat.state) ? undefined : { pid, startTicks: stat.startTicks, bootId: bootId() };
      } catch {
        return undefined;
      }
    },
    members: findMembers,
    signal(pid, signal) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if (systemCode(error) !== "ESRCH") throw error;
      }
    },
  };
}

/** The fields that we need of a line of /proc/PID/stat. */
export function parseStat(line: string): {
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly isKernelThread: boolean;
  readonly startTicks: number;
} {
  const fields = statFields(line);
  const [state = "X", parent, , session] = fields;
  return {
    state,
    parent: Number(parent),
    session: Number(session),
    isKernelThread: (Number(fields[6]) & KERNEL_THREAD_FLAG) !== 0,
    startTicks: Number(fields[19]),
  };
}

// --- internal ---

const ENDED = new Set(["Z", "X", "x"]);
const KERNEL_THREAD_FLAG = 0x00200000;

async function findMembers(marks: ProcessMarks): Promise<readonly number[]> {
  const members = new Set<number>();
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const stat = parseStat(await readFile(`/proc/${pid}/stat`, "latin1"));
      if (ENDED.has(stat.state) || stat.isKernelThread) continue;
      parents.set(pid, stat.parent);
      if (stat.session === marks.session || (await bearsMark(pid, marks))) members.add(pid);
    } catch {
      // It ended meanwhile, or belongs to someone whose processes we could not signal anyway.
    }
  }
  addDescendants(members, parents);
  return [...members];
}

async function bearsMark(pid: number, marks: ProcessMarks): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1");
  if (environment !== "") return `\0${environment}`.includes(`\0${marks.environment}\0`);
  return (await readlink(`/proc/${pid}/cwd`)).startsWith(marks.folder);
}

/** A program may start others with an environment that it made up. */
function addDescendants(members: Set<number>, parents: ReadonlyMap<number, number>): void {
  for (let before = -1; before !== members.size;) {
    before = members.size;
    for (const [pid, parent] of parents) if (members.has(parent)) members.add(pid);
  }
}
