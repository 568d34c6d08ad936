/** Starts a workspace, and makes its instance again where that is gone. Called by workspaces.ts and recover.ts. */
import type { WorkspaceRow } from "../../state/workspaces.ts";
import { isUp } from "../providers/provider.ts";
import type { Journal } from "./journal.ts";
import { checkNotPaused, start, statusOf, staysOpen, stop, workOn, type Control, type Work } from "./work.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";

/** One that runs as it should is left as it is, and nobody is told. */
export async function startWorkspace(
  row: WorkspaceRow,
  control: Control,
  journal: Journal,
  deps: WorkspaceDeps,
): Promise<void> {
  const work = workOn(row, control, deps);
  const status = await statusOf(work, deps);
  checkNotPaused(row, status);
  if (row.desired === "running" && isUp(status)) return;
  await journal.ask("start", row, control.signal);
  journal.enter(row, "start");
  await bringUp(work, journal, deps);
}

export async function bringUp(work: Work, journal: Journal, deps: WorkspaceDeps): Promise<void> {
  const { row, control } = work;
  try {
    const image = await start(work, deps);
    control.signal.throwIfAborted();
    journal.finish(row, "start", { desired: "running", image });
  } catch (error) {
    if (staysOpen(control, error)) throw error;
    if (control.signal.aborted) await takeBack(work, deps);
    journal.giveUp(row, error);
    throw error;
  }
}

// --- internal ---

/** What a cancel came too late for. */
async function takeBack(work: Work, deps: WorkspaceDeps): Promise<void> {
  const control = { ...work.control, signal: work.control.interrupted };
  await stop({ ...work, control }, deps).catch(() => {});
}
