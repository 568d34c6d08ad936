/**
 * Where a secret value shows in what the program wrote: every byte below the machine's folder (state with its journal, logs, instance
 * files), the daemon's arguments and environment, and all that commands printed. What a service itself writes is its own.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { systemCode } from "../../src/base/errors.ts";
import type { Machine } from "./machine.ts";

/** Names of the places that hold the value, in one of the spellings that a program may use. */
export function tracesOf(value: string, machine: Machine, printed: readonly string[]): string[] {
  const spellings = [
    value,
    Buffer.from(value).toString("base64").replace(/=+$/, ""),
    Buffer.from(value).toString("hex"),
  ];
  const found: string[] = [];
  const look = (place: string, bytes: Buffer): void => {
    for (const [i, spelling] of spellings.entries())
      if (bytes.includes(spelling)) found.push(`${place}${i === 0 ? "" : ` (${spelling})`}`);
  };
  for (const file of filesBelow(machine.folder)) look(relative(machine.folder, file), read(file));
  for (const name of ["cmdline", "environ"])
    look(`/proc/daemon/${name}`, readFileSync(`/proc/${machine.pid()}/${name}`));
  for (const [i, text] of printed.entries()) look(`output ${i}: ${text.slice(0, 300)}`, Buffer.from(text));
  return found;
}

// --- internal ---

/** The service's own output goes straight from the service into these. */
const OWN_OUTPUT = /^data\/instances\/[^/]+\/logs\//;

/** A file that is written anew under another name is gone by the time that it is read, and there under its own. */
function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !OWN_OUTPUT.test(relative(folder, file)));
}
