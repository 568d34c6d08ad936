/** Puts a seccomp filter in force for ever: for this thread and what it executes, or for all threads of the process at once. */
import { ConfinementError, need } from "../failure.ts";
import type { Kernel } from "../kernel.ts";
import { compileFilter, encodeInstructions, type Machine } from "./compile.ts";
import { MACHINES } from "./machine.ts";
import type { Rule } from "./rule.ts";
import { ptr } from "bun:ffi";

export function installFilter(
  kernel: Kernel,
  scope: "thread" | "all threads",
  rulesFor: (machine: Machine) => readonly Rule[],
): void {
  const machine = MACHINES[process.arch];
  if (machine === undefined) throw new ConfinementError("seccomp", `no filter for ${process.arch}`);
  const instructions = encodeInstructions(compileFilter(rulesFor(machine), machine));
  const result = kernel.call(
    "seccomp",
    SET_MODE_FILTER,
    scope === "thread" ? 0 : SYNCHRONIZE_THREADS,
    program(instructions),
  );
  // With SYNCHRONIZE_THREADS a positive result is the thread that could not be brought under it.
  if (result > 0) throw new ConfinementError("seccomp", `thread ${result} can't be brought under the filter`);
  need("seccomp", "install a filter", result);
}

/** 0, or the negated error where the kernel has no filters or forbids them. */
export function filtersAvailable(kernel: Kernel): number {
  return kernel.call(
    "seccomp",
    GET_ACTION_AVAILABLE,
    0,
    new Uint8Array(new Uint32Array([KILL_PROCESS]).buffer),
  );
}

// --- internal ---

const SET_MODE_FILTER = 1;
const SYNCHRONIZE_THREADS = 1;
const GET_ACTION_AVAILABLE = 2;
const KILL_PROCESS = 0x80000000;

/** struct sock_fprog: how many instructions, and where. */
function program(instructions: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, instructions.length / 8, true);
  view.setBigUint64(8, BigInt(ptr(instructions)), true);
  return bytes;
}
