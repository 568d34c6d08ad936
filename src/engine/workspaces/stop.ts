/** Stops a workspace; it stays stopped until somebody starts it. Called by workspaces.ts and recover.ts. */
import type { WorkspaceRow } from "../../state/workspaces.ts";
import { isUp } from "../providers/provider.ts";
import type { Journal } from "./journal.ts";
import { statusOf, staysOpen, stop, workOn, type Control, type Work } from "./work.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";

/** One that is stopped as it should be is left as it is, and nobody is told. */
export async function stopWorkspace(
  row: WorkspaceRow,
  control: Control,
  journal: Journal,
  deps: WorkspaceDeps,
): Promise<void> {
  const work = workOn(row, control, deps);
  const status = await statusOf(work, deps);
  if (row.desired === "stopped" && !isUp(status)) return;
  await journal.ask("stop", row, control.signal);
  journal.enter(row, "stop");
  await bringDown(work, journal, deps);
}

export async function bringDown(work: Work, journal: Journal, deps: WorkspaceDeps): Promise<void> {
  const { row, control } = work;
  try {
    await stop(work, deps);
    journal.finish(row, "stop", { desired: "stopped" });
  } catch (error) {
    if (!staysOpen(control, error)) journal.giveUp(row, error);
    throw error;
  }
}
