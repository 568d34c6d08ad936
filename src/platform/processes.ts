/**
 * What runs on this machine, as far as it concerns whoever started an executable: the rest of its process group, and what came out of
 * it and went elsewhere. Linux tells; elsewhere there is nothing to see. Used by host/check.
 */
import { FFIType } from "bun:ffi";
import { readdirSync, readFileSync } from "node:fs";
import { printable } from "../base/text.ts";
import { openLibc } from "./libc.ts";
import { statFields } from "./stat-fields.ts";

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Since boot, in ticks: with the pid, who it is. */
  readonly startedAt: string;
  /** Its command line, or its name where it hides that. */
  readonly command: string;
}

/** A child that others wait for stays theirs; the rest, once it has ended, is collected, as init would do it. */
export type CollectOrphans = (others: ReadonlySet<number>) => void;

/**
 * From now on what loses its parent, among what this process started, becomes its child: so nothing gets out of sight. Undefined where
 * that can't be had.
 */
export function adoptOrphans(): CollectOrphans | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const { prctl, waitpid } = openLibc({
      prctl: {
        args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64],
        returns: FFIType.i32,
      },
      waitpid: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
    });
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0) return undefined;
    return (others) => {
      for (const pid of children()) if (!others.has(pid)) waitpid(pid, null, WNOHANG);
    };
  } catch {
    return undefined;
  }
}

/** Of this process, those that have ended and were not collected among them. */
export function children(): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/task").flatMap((thread) => {
    try {
      const list = readFileSync(`/proc/self/task/${thread}/children`, "latin1");
      return list.split(" ").filter(Boolean).map(Number);
    } catch {
      // A thread that has just ended, or a kernel without that list.
      return [];
    }
  });
}
/** What runs in the process group; what has ended and waits to be collected does not count. */
export function membersOf(group: number): readonly ProcessInfo[] {
  return running().filter((each) => each.group === group);
}

/** What this process started, and what that started, and so on. */
export function descendants(): readonly ProcessInfo[] {
  const byParent = Map.groupBy(running(), ({ parent }) => parent);
  const found: ProcessInfo[] = [];
  const next = [process.pid];
  for (let pid = next.pop(); pid !== undefined; pid = next.pop()) {
    for (const child of byParent.get(pid) ?? []) {
      found.push(child);
      next.push(child.pid);
    }
  }
  return found;
}

/** Ends all that `look` gives; what they start meanwhile is for another round. Stopped first: who is watched over by another can't be brought back. */
export function endProcesses(look: () => readonly ProcessInfo[]): void {
  for (const each of look()) signal(each, "SIGSTOP");
  const still = look();
  for (const each of still) signal(each, "SIGSTOP");
  for (const each of still) signal(each, "SIGKILL");
}

// --- internal ---

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

function running(): readonly ProcessInfo[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** Undefined where it is gone, or dead and not collected. */
function readProcess(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = statFields(stat);
    const [state, parent, group] = fields;
    if (state === "Z" || state === "X") return undefined;
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return {
      pid,
      parent: Number(parent),
      group: Number(group),
      startedAt: fields[STARTED_AT] ?? "",
      command: printable(words === "" ? name : words, 80),
    };
  } catch {
    return undefined;
  }
}

/** Unless the pid is somebody else's by now. */
function signal({ pid, startedAt }: ProcessInfo, name: "SIGSTOP" | "SIGKILL"): void {
  if (readProcess(pid)?.startedAt !== startedAt) return;
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}

/** `starttime`, the 22nd field of all. */
const STARTED_AT = 19;
