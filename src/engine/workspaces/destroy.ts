/** Ends a workspace's instance and forgets the workspace. Volumes with a name stay. Called by workspaces.ts and recover.ts. */
import { fail, messageOf } from "../../base/errors.ts";
import type { WorkspaceRow } from "../../state/workspaces.ts";
import { placeText } from "../providers/providers.ts";
import type { Journal } from "./journal.ts";
import { destroy, staysOpen, stop, workOn, type Control } from "./work.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";

/** `force`: it is forgotten even where its provider does not do what it is asked for; true where something may be left then. */
export async function destroyWorkspace(
  row: WorkspaceRow,
  force: boolean,
  control: Control,
  journal: Journal,
  deps: WorkspaceDeps,
): Promise<boolean> {
  if (!force) checkProvider(row, deps);
  await journal.ask("destroy", row, control.signal);
  journal.enter(row, "destroy");
  return tearDown(row, force, control, journal, deps);
}

export async function tearDown(
  row: WorkspaceRow,
  force: boolean,
  control: Control,
  journal: Journal,
  deps: WorkspaceDeps,
): Promise<boolean> {
  let isLeft = false;
  try {
    const work = workOn(row, control, deps);
    // What does not stop when it is asked is ended by its removal.
    await stop(work, deps).catch(() => {});
    control.interrupted.throwIfAborted();
    await destroy(work, deps);
  } catch (error) {
    if (staysOpen(control, error)) throw error;
    if (!force) {
      journal.giveUp(row, error);
      throw error;
    }
    isLeft = true;
    const { name: workspace, provider, instance } = row;
    deps.log.warn("a workspace was forgotten, and something of it may be left", {
      workspace,
      provider,
      instance,
      error: messageOf(error),
    });
  }
  journal.forget(row);
  return isLeft;
}

// --- internal ---

/** Throws `provider.unknown` and the like, with the one way out of it. */
function checkProvider(row: WorkspaceRow, { providers }: WorkspaceDeps): void {
  if (providers.find(row) !== undefined) return;
  throw fail("provider.unknown", `the provider ${placeText(row)} of ${row.name} is not there any more`, {
    hint: `bring it back, or forget the workspace all the same: voxeltron workspace destroy ${row.name} --force`,
  });
}
