/** What the kernel counts of a process: its CPU time, its threads and its resident memory, from /proc/PID/stat. */
import { closeSync, openSync, readSync } from "node:fs";
import { statFields } from "../stat-fields.ts";

export interface ProcessStat {
  /** Undefined once the process is gone. */
  read(): ProcessUse | undefined;
  close(): void;
}

export interface ProcessUse {
  readonly cpuMs: number;
  readonly threads: number;
  readonly residentPages: number;
}

/** To be opened at the process's start: later it may be another user's, and hidden. Throws where /proc can't be read. */
export function openProcessStat(pid: number): ProcessStat {
  const descriptor = openSync(`/proc/${pid}/stat`, "r");
  let closed = false;
  return {
    read: () => (closed ? undefined : parseStat(readText(descriptor))),
    close() {
      if (!closed) closeSync(descriptor);
      closed = true;
    },
  };
}

/** Undefined for what is no such line, as of a process that is gone. */
export function parseStat(stat: string): ProcessUse | undefined {
  const fields = statFields(stat);
  const ticks = Number(fields[FIELD.userTime]) + Number(fields[FIELD.systemTime]);
  if (Number.isNaN(ticks)) return undefined;
  return {
    cpuMs: ticks * MS_PER_TICK,
    threads: Number(fields[FIELD.threads] ?? 0),
    residentPages: Number(fields[FIELD.residentPages] ?? 0),
  };
}

// --- internal ---

/** Fields 14, 15, 20 and 24 of proc(5), counted from the state, which is field 3. */
const FIELD = { userTime: 11, systemTime: 12, threads: 17, residentPages: 21 };
/** USER_HZ is 100 on x86-64 and arm64. */
const MS_PER_TICK = 10;

const buffer = Buffer.alloc(1024);

function readText(descriptor: number): string {
  try {
    return buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } catch {
    return "";
  }
}
