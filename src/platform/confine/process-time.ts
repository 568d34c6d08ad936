/** How much CPU time a process has used, by the kernel's count. */
import { closeSync, openSync, readSync } from "node:fs";

export interface CpuTime {
  /** Undefined once the process is gone. */
  readMs(): number | undefined;
  close(): void;
}

/** To be opened at the process's start: later it may be another user's, and hidden. */
export function openCpuTime(pid: number): CpuTime {
  const descriptor = openSync(`/proc/${pid}/stat`, "r");
  let closed = false;
  return {
    readMs: () => (closed ? undefined : parseCpuMs(readStat(descriptor))),
    close() {
      if (!closed) closeSync(descriptor);
      closed = true;
    },
  };
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

const buffer = Buffer.alloc(1024);

function readStat(descriptor: number): string {
  try {
    return buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } catch {
    return "";
  }
}
