/**
 * What a new daemon does about the workspaces of the one before it: what was begun is brought to its end, with its event; what should
 * run and does not is started, without one, because nobody asked. In the background, and again with back-off where a provider does not
 * answer. Called by workspaces.ts.
 */
import { canHelpToRetry, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { waitAt } from "../../base/waits.ts";
import type { WorkspacePhase, WorkspaceRow } from "../../state/workspaces.ts";
import type { Busy } from "../busy.ts";
import { fewAtATime } from "../few-at-a-time.ts";
import { isUp } from "../providers/provider.ts";
import { makeInstance } from "./create.ts";
import { tearDown } from "./destroy.ts";
import type { Journal } from "./journal.ts";
import { bringUp, startWorkspace } from "./start.ts";
import { bringDown } from "./stop.ts";
import { start, statusOf, workOn, type Control } from "./work.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";

export interface Recovery {
  /** Once, at boot. Waits for nobody. */
  begin(): void;
  /** Brings what was begun to its end. Throws where it failed. */
  goOn(row: WorkspaceRow, control: Control): Promise<void>;
  /** Resolves when no pass is under way any more. */
  idle(): Promise<void>;
  close(): void;
}

/** `stopping`: aborted with the daemon's end. */
export function makeRecovery(
  deps: WorkspaceDeps,
  journal: Journal,
  busy: Busy<WorkspacePhase>,
  stopping: AbortSignal,
): Recovery {
  const { rows, clock, log } = deps;
  let left: readonly string[] = [];
  let underWay: Promise<void> | undefined;
  let failures = 0;
  let cancelTimer = (): void => {};

  async function goOn(row: WorkspaceRow, control: Control): Promise<void> {
    if (row.phase === null) return;
    log.info("going on with a workspace", { workspace: row.name, phase: row.phase });
    await GO_ON[row.phase](row, control, journal, deps);
  }

  /** True where it has to be tried again. */
  async function mend(name: string): Promise<boolean> {
    using hold = busy.holdForRepair(name);
    // Whoever has it may be refused, and leave it as it is.
    if (hold === undefined) return true;
    const interrupted = AbortSignal.any([stopping, hold.wanted]);
    const control = { signal: interrupted, interrupted, isPatient: true, progress() {} };
    const current = (): WorkspaceRow | undefined => rows.find(name);
    try {
      const row = current();
      if (row !== undefined) await goOn(row, control);
      const next = current();
      if (next?.next === "start") await startWorkspace(next, control, journal, deps);
      else if (next !== undefined) await keepUp(next, control, deps);
      return false;
    } catch (error) {
      // Whoever wanted it goes on with it, unless he is refused; or the next daemon.
      return interrupted.aborted || !giveUp(current(), error);
    }
  }

  /** False where trying again may help, and all stays as it was written down. */
  function giveUp(row: WorkspaceRow | undefined, error: unknown): boolean {
    if (row === undefined) return true;
    const isOver = !canHelpToRetry(error);
    if (failures === 0 || isOver)
      log.warn(
        isOver ? "a workspace is not as it should be" : "a workspace is not as it should be; trying again",
        {
          workspace: row.name,
          error: messageOf(error),
        },
      );
    if (isOver) journal.giveUp(row, error);
    return isOver;
  }

  async function pass(): Promise<void> {
    const again: string[] = [];
    await fewAtATime(left, MENDED_AT_ONCE, async (name) => {
      if (!stopping.aborted && (await mend(name))) again.push(name);
    });
    left = again;
    failures = again.length === 0 ? 0 : failures + 1;
    if (again.length > 0 && !stopping.aborted)
      cancelTimer = clock.after(waitAt(LIMITS.reconcileBackoffMs, failures - 1), run);
  }

  function run(): void {
    underWay = pass()
      .catch((error: unknown) => log.error("mending workspaces failed", { error: messageOf(error) }))
      .finally(() => (underWay = undefined));
  }

  return {
    begin() {
      left = rows.list().map(({ name }) => name);
      run();
    },
    goOn,
    idle: async () => underWay,
    close: () => cancelTimer(),
  };
}

// --- internal ---

const MENDED_AT_ONCE = 8;

type GoOn = (row: WorkspaceRow, control: Control, journal: Journal, deps: WorkspaceDeps) => Promise<unknown>;

/** What is so already is fine, so each begins at its beginning, but for the gate: that was asked. */
const GO_ON: Readonly<Record<WorkspacePhase, GoOn>> = {
  async create(row, control, journal, deps) {
    const work = workOn(row, control, deps);
    const { state } = await statusOf(work, deps);
    if (state === "missing") await makeInstance(work, journal, deps);
    else journal.finish(row, "create", { made: true });
  },
  start: (row, control, journal, deps) => bringUp(workOn(row, control, deps), journal, deps),
  stop: (row, control, journal, deps) => bringDown(workOn(row, control, deps), journal, deps),
  destroy: (row, control, journal, deps) => tearDown(row, false, control, journal, deps),
};

/** What should run is started. What somebody else started is his: nobody takes work away from under him. */
async function keepUp(row: WorkspaceRow, control: Control, deps: WorkspaceDeps): Promise<void> {
  if (row.desired !== "running" || !row.made) return;
  const work = workOn(row, control, deps);
  if (isUp(await statusOf(work, deps))) return;
  const image = await start(work, deps);
  deps.rows.change(row.name, { image, error: null });
  deps.log.info("a workspace runs again", { workspace: row.name });
}
