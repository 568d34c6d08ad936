/** How much CPU time a process has used, by the kernel's count. */
import { readFileSync } from "node:fs";

/** Undefined for a process that is gone or hidden. */
export function readCpuMs(pid: number): number | undefined {
  try {
    return parseCpuMs(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** The name, second field, may hold spaces and parentheses: fields are counted from its end. */
export function parseCpuMs(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
  return Number.isNaN(ticks) ? undefined : ticks * MS_PER_TICK;
}

// --- internal ---

/** Fields 14 and 15 of proc(5), counted from the state, which is field 3. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;
/** USER_HZ is 100 on x86-64 and arm64. */
const MS_PER_TICK = 10;
