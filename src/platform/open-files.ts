/** How many files and connections this process may have open. For whoever must leave some to the rest of the daemon. */
import { readFileSync } from "node:fs";

/** The limit that counts now; where the system does not say, what most of them give at least. */
export function openFilesLimit(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? USUAL);
  } catch {
    return USUAL;
  }
}

// --- internal ---

const USUAL = 1_024;
