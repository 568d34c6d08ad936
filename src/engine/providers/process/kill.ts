/**
 * Ends every process of an instance, wherever it went: a program may fork, change its group and leave its session, but
 * it inherits the mark in its environment. Called by run.ts and provider.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { fail } from "../../../base/errors.ts";
import type { ProcessTable } from "./process-table.ts";

/** In the environment of whatever is started for an instance. */
export const INSTANCE_MARK = "VOXELTRON_INSTANCE";

export interface KillTarget {
  readonly id: string;
  /** Where the instance's program lies. */
  readonly folder: string;
  /** Only where it is certain that it is still the instance's, and not the number of another's by now. */
  readonly session?: number | undefined;
}

/** Asks again until none is left, because one may fork while another is killed. */
export async function killInstance(table: ProcessTable, clock: Clock, target: KillTarget): Promise<void> {
  const { id, folder, session } = target;
  let left: readonly number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    left = await table.members({ environment: `${INSTANCE_MARK}=${id}`, session, folder });
    if (left.length === 0) return;
    for (const pid of left) table.signal(pid, "SIGKILL");
    await clock.sleep(ROUND_MS);
  }
  throw fail("provider.failed", `${left.length} processes of ${id} can't be killed`, {
    details: { pids: left },
  });
}

// --- internal ---

const ROUNDS = 200;
const ROUND_MS = 10;
