/** When a process that ended is started again. Pure. Called by run.ts and instance.ts. */
import { LIMITS } from "../../../base/limits.ts";
import type { RestartPolicy } from "../provider.ts";

/** How long to wait after `crashes` bad runs in a row, the last one included. */
export function backOffMs(crashes: number): number {
  return Math.min(LIMITS.restartFirstMs * 2 ** Math.max(0, crashes - 1), LIMITS.restartMaxMs);
}

/** An exit code that nobody saw, because the daemon was down, counts as a failure: a service is rather up than down. */
export function wantsRestart(policy: RestartPolicy, exitCode: number | undefined): boolean {
  return policy === "always" || (policy === "on-failure" && exitCode !== 0);
}
