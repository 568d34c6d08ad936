/**
 * The resource limits of a confined process. Set immediately before it is executed: the runtime that sets them could not live
 * with them. A hard limit that is lower already stays as it is.
 */
import { LIMITS } from "../../base/limits.ts";
import { need } from "./failure.ts";
import type { Kernel } from "./kernel.ts";
import type { ConfinePlan } from "./plan.ts";
import { threadsMax } from "./threads-max.ts";

export function setLimits(kernel: Kernel, plan: ConfinePlan): void {
  for (const [name, wanted] of limitsOf(plan)) {
    const hard = currentHardLimit(kernel, RESOURCE[name]);
    const value = wanted < hard ? wanted : hard;
    const limit = new BigUint64Array([value, value]);
    need("limits", `set the limit ${name}`, kernel.call("prlimit64", 0, RESOURCE[name], limit, 0));
  }
}

/** The most that this process may grant as data. */
export function dataLimit(kernel: Kernel): bigint {
  return currentHardLimit(kernel, RESOURCE.data);
}

// --- internal ---

const RESOURCE = {
  cpu: 0,
  fileSize: 1,
  data: 2,
  core: 4,
  processes: 6,
  openFiles: 7,
  lockedMemory: 8,
  addresses: 9,
  messageQueues: 12,
} as const;

type Limit = readonly [keyof typeof RESOURCE, bigint];

const LIMITS_OF_THE_CONFINED: readonly Limit[] = [
  ["fileSize", 0n],
  ["openFiles", BigInt(LIMITS.confinedOpenFiles)],
  ["lockedMemory", 0n],
  ["addresses", BigInt(LIMITS.confinedAddressBytes)],
  ["messageQueues", 0n],
];

function limitsOf(plan: ConfinePlan): Limit[] {
  return [
    ["core", 0n],
    ...(plan.cpuSeconds === undefined ? [] : [["cpu", BigInt(plan.cpuSeconds)] as const]),
    ...(plan.confined ? [...LIMITS_OF_THE_CONFINED, ["data", BigInt(plan.dataBytes)] as const] : []),
    // Of all processes with its uid, two versions of a plugin for a moment, so only where that is its own; the memory watch counts threads in any case.
    ...(plan.uid === undefined ? [] : [["processes", BigInt(2 * threadsMax())] as const]),
  ];
}

function currentHardLimit(kernel: Kernel, resource: number): bigint {
  const current = new BigUint64Array(2);
  need("limits", "read a limit", kernel.call("prlimit64", 0, resource, 0, current));
  return current[1] ?? 0n;
}
