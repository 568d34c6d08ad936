/**
 * All that a child process finds in its environment. Nothing is inherited: the daemon's may hold secrets, and the runtime takes
 * orders from variables such as BUN_OPTIONS and BUN_BE_BUN.
 */
import { PLAN_VARIABLE, writePlan, type ConfinePlan } from "./plan.ts";

/** `zone`: the time zone by name, as the child can't read the system's. */
export function childEnvironment(plan: ConfinePlan, zone: string | undefined): Record<string, string> {
  return {
    ...RUNTIME,
    ...(zone === undefined ? {} : { TZ: zone }),
    [PLAN_VARIABLE]: writePlan(plan),
  };
}

// --- internal ---

const RUNTIME = {
  // What the compiler reserves counts as data. With its default, one gigabyte, no useful limit on data is possible.
  BUN_JSC_jitMemoryReservationSize: "33554432",
  // The same for the table of objects' shapes, of which the default reserves four gigabytes.
  BUN_JSC_structureHeapSizeInKB: "131072",
  // And for the allocator's first arena, in KiB: with its gigabyte the launcher has more data than the limit that it sets, and any
  // thread of it that gets a page between that and the execution ends it.
  MIMALLOC_ARENA_RESERVE: "65536",
  BUN_ENABLE_CRASH_REPORTING: "0",
  DO_NOT_TRACK: "1",
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
} as const;
