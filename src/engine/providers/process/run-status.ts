/** The state of a run in the words that all providers share. Pure. Called by instance.ts. */
import type { InstanceStatus, RestartPolicy } from "../provider.ts";
import { wantsRestart } from "./back-off.ts";
import type { RunState } from "./instance-files.ts";

export interface RunNow {
  readonly running: boolean;
  /** Until it is started again, if that is planned. */
  readonly retryInMs: number | undefined;
}

export function describeRun(state: RunState, restart: RestartPolicy, now: RunNow): InstanceStatus {
  const { startedAt, restarts, desired, exit } = state;
  const code = exit?.code ?? undefined;
  if (startedAt === null) return { state: "created", restarts };
  if (now.running) return { state: "running", restarts, startedAt };
  const restarting = now.retryInMs !== undefined || (desired === "running" && wantsRestart(restart, code));
  const ended = { restarts, startedAt, ...(code === undefined ? {} : { exitCode: code }) };
  if (restarting) return { state: "restarting", ...ended, detail: restartDetail(now.retryInMs) };
  return { state: "exited", ...ended, ...(code === undefined ? { detail: UNSEEN } : {}) };
}

// --- internal ---

const UNSEEN = "it ended while no daemon was watching; its exit code is unknown";

function restartDetail(retryInMs: number | undefined): string {
  return retryInMs === undefined
    ? "is started again"
    : `is started again in ${Math.ceil(Math.max(0, retryInMs) / 1000)} s`;
}
