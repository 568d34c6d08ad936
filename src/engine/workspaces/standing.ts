/** How a workspace is, and where that is not as it should be. Pure. Called by workspace-view.ts. */
import type { WorkspacePhase, WorkspaceRow } from "../../state/workspaces.ts";
import { hasEnded, isUp, type InstanceState, type InstanceStatus } from "../providers/provider.ts";

export interface Standing {
  /**
   * creating · starting · stopping · destroying, while that is done; failed (it was never made); unknown (its provider does not
   * answer); else what its provider says: created · running · paused · restarting · stopped · exited · dead · missing
   */
  readonly state: string;
  /** What somebody else did to it; null: it is as it should be. */
  readonly drift: string | null;
}

export function standingOf(row: WorkspaceRow, status: InstanceStatus | undefined): Standing {
  if (row.phase !== null) return { state: DOING[row.phase], drift: null };
  if (!row.made) return { state: "failed", drift: null };
  if (status === undefined) return { state: "unknown", drift: null };
  // Whether it was asked to end or ended by itself is known only here.
  const state = row.desired === "stopped" && hasEnded(status) ? "stopped" : status.state;
  return { state, drift: driftOf(row, status) };
}

// --- internal ---

const DOING: Readonly<Record<WorkspacePhase, string>> = {
  create: "creating",
  start: "starting",
  stop: "stopping",
  destroy: "destroying",
};

/** Of one that should run. What restarts is being taken care of. */
const RUNNING_DRIFT: Readonly<Record<InstanceState, string | null>> = {
  running: null,
  restarting: null,
  created: "not started",
  paused: "paused outside",
  stopped: "stopped outside",
  exited: "stopped outside",
  dead: "stopped outside",
  missing: "removed outside",
};

function driftOf({ desired }: WorkspaceRow, status: InstanceStatus): string | null {
  if (desired === "running") return RUNNING_DRIFT[status.state];
  if (status.state === "missing") return "removed outside";
  return isUp(status) ? "started outside" : null;
}
