/**
 * Who a process is beyond its pid, which is used again: with its start and the machine's, as a text that can be kept. Linux only. Called
 * by daemon/compose-engine.ts.
 */
import { readFileSync } from "node:fs";
import { statFields } from "./stat-fields.ts";

/** Undefined where it has ended, or where the system does not tell. */
export function identifyProcess(pid: number): string | undefined {
  try {
    const started = statFields(readFileSync(`/proc/${pid}/stat`, "latin1"))[STARTED_AT];
    return `${pid} ${started} ${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}`;
  } catch {
    return undefined;
  }
}

/** Ends the process and all of the group that it leads, where it is who it was. */
export function endProcessGroup(identity: string): void {
  const pid = Number(identity.split(" ")[0]);
  if (!(pid > 1) || identifyProcess(pid) !== identity) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended at this moment.
  }
}

// --- internal ---

/** `starttime`, the 22nd field of all; these begin with the third. */
const STARTED_AT = 19;
