/**
 * Workspaces: made once, started and stopped, destroyed; with a gate before each and an event after. One change of a workspace at a
 * time. A lost connection cancels nothing: only `cancel` does. Called by the API server, and at boot and shutdown by the daemon.
 */
import { diskFull } from "../../base/disk-full.ts";
import { fail, isVoxError, type VoxError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { WorkspacePhase, WorkspaceRow } from "../../state/workspaces.ts";
import { makeBusyWith } from "../busy.ts";
import type { ExecOptions } from "../providers/provider.ts";
import { createWorkspace } from "./create.ts";
import { destroyWorkspace } from "./destroy.ts";
import { makeJournal } from "./journal.ts";
import { readLogs, type WorkspaceLogLine, type WorkspaceLogQuery } from "./read-logs.ts";
import { makeRecovery } from "./recover.ts";
import { startWorkspace } from "./start.ts";
import { stopWorkspace } from "./stop.ts";
import type { Control } from "./work.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";
import { parseWorkspaceInput, type WorkspaceInput } from "./workspace-input.ts";
import { askFor, viewAll, viewDetails, type WorkspaceDetails, type WorkspaceView } from "./workspace-view.ts";

/** All that take a name throw `workspace.not_found`; those that change one also `workspace.busy` and `gate.refused`. */
export interface Workspaces {
  /** Throws `workspace.exists`, `workspace.invalid`, `provider.*`. With `start` it is started too. */
  create(input: WorkspaceInput, progress: ReportProgress): Promise<WorkspaceDetails>;
  start(name: string, progress: ReportProgress): Promise<WorkspaceDetails>;
  stop(name: string): Promise<WorkspaceDetails>;
  /** `isLeft`: it was forced, and something may be left where it ran. */
  destroy(name: string, force: boolean): Promise<{ readonly isLeft: boolean }>;
  /** Ends what is being done to it, before it is done. Throws `workspace.idle`. */
  cancel(name: string): Promise<void>;
  list(): Promise<WorkspaceView[]>;
  info(name: string): Promise<WorkspaceDetails>;
  /** The command's exit code. Throws `workspace.stopped` where nothing runs that it could run in. */
  exec(name: string, options: ExecOptions): Promise<number>;
  logs(name: string, query: WorkspaceLogQuery): AsyncGenerator<WorkspaceLogLine>;
  /** Once, at boot, when plugins can be asked: goes on where the daemon before this one ended. In the background. */
  recover(): void;
  /** Resolves when what recovery has in hand is done. */
  idle(): Promise<void>;
  /** What is under way is left as it is; the next daemon goes on with it. */
  close(): Promise<void>;
}

export type ReportProgress = (progress: WorkspaceProgress) => void;

export interface WorkspaceProgress {
  readonly step: string;
  readonly text: string;
  readonly percent?: number;
}

export function makeWorkspaces(deps: WorkspaceDeps): Workspaces {
  const { rows } = deps;
  const journal = makeJournal(deps);
  const busy = makeBusyWith<WorkspacePhase>(refusal);
  const stopping = new AbortController();
  const recovery = makeRecovery(deps, journal, busy, stopping.signal);
  const active = new Map<string, Active>();

  function need(name: string): WorkspaceRow {
    const row = rows.find(name);
    if (row === undefined) throw fail("workspace.not_found", `no workspace is called ${quote(name)}`);
    return row;
  }

  /** One that was made. */
  function needMade(name: string): WorkspaceRow {
    const row = need(name);
    if (row.made || row.phase !== null) return row;
    throw fail("workspace.failed", `${name} was never made: ${row.error ?? "its provider failed"}`, {
      hint: `remove what is left of it with: voxeltron workspace destroy ${name}`,
    });
  }

  async function change<T>(
    name: string,
    work: WorkspacePhase,
    report: ReportProgress,
    act: (control: Control) => Promise<T>,
  ): Promise<T> {
    stopping.signal.throwIfAborted();
    using _hold = await busy.hold(name, work);
    const cancelled = new AbortController();
    const done = Promise.withResolvers<void>();
    active.set(name, { cancelled, done: done.promise });
    try {
      return await act({
        signal: AbortSignal.any([cancelled.signal, stopping.signal]),
        interrupted: stopping.signal,
        isPatient: false,
        progress: (text, percent) =>
          report({ step: work, text, ...(percent === undefined ? {} : { percent }) }),
      });
    } catch (error) {
      // Its own error may say more: what is left, and how to remove it.
      if (cancelled.signal.aborted) throw isCancelled(error) ? error : cancelled.signal.reason;
      throw diskFull(error);
    } finally {
      active.delete(name);
      done.resolve();
    }
  }

  /** What a daemon before this one began comes first. */
  async function settled(name: string, control: Control): Promise<WorkspaceRow> {
    await recovery.goOn(needMade(name), control);
    return needMade(name);
  }

  /** Where it fails, whoever reads the error starts it himself. */
  async function startNext(name: string, control: Control): Promise<void> {
    try {
      await startWorkspace(need(name), control, journal, deps);
    } catch (error) {
      if (!stopping.signal.aborted) journal.giveUp(need(name), error);
      throw error;
    }
  }

  async function start(name: string, report: ReportProgress): Promise<WorkspaceDetails> {
    needMade(name);
    await change(name, "start", report, async (control) =>
      startWorkspace(await settled(name, control), control, journal, deps),
    );
    return viewDetails(need(name), deps);
  }

  return {
    async create(input, report) {
      const request = parseWorkspaceInput(input);
      await change(request.name, "create", report, async (control) => {
        await createWorkspace(request, control, journal, deps);
        if (request.start) await startNext(request.name, control);
      });
      return viewDetails(need(request.name), deps);
    },
    start,
    async stop(name) {
      needMade(name);
      await change(name, "stop", nobody, async (control) =>
        stopWorkspace(await settled(name, control), control, journal, deps),
      );
      return viewDetails(need(name), deps);
    },
    async destroy(name, force) {
      need(name);
      const isLeft = await change(name, "destroy", nobody, (control) =>
        destroyWorkspace(need(name), force, control, journal, deps),
      );
      return { isLeft };
    },
    async cancel(name) {
      const found = active.get(name);
      if (found === undefined)
        throw fail("workspace.idle", `nothing is being done to a workspace called ${quote(name)}`);
      found.cancelled.abort(fail("workspace.cancelled", `what was being done to ${name} was cancelled`));
      await found.done;
    },
    list: () => viewAll(rows.list(), deps),
    info: async (name) => viewDetails(need(name), deps),
    async exec(name, options) {
      const row = needMade(name);
      const status = await askFor(row, deps);
      if (status !== undefined && status.state !== "running")
        throw fail("workspace.stopped", `${name} is not running: it is ${status.state}`, {
          hint: `start it with: voxeltron workspace start ${name}`,
        });
      return deps.providers.of(row).exec(row.instance, options);
    },
    async *logs(name, query) {
      const row = needMade(name);
      yield* readLogs(deps.providers.of(row), row.instance, query, deps);
    },
    recover: () => recovery.begin(),
    idle: () => recovery.idle(),
    async close() {
      stopping.abort(
        fail("workspace.interrupted", "the daemon stops; what was begun goes on when it starts again"),
      );
      recovery.close();
      await Promise.all([recovery.idle(), ...Array.from(active.values(), ({ done }) => done)]);
    },
  };
}

// --- internal ---

interface Active {
  readonly cancelled: AbortController;
  readonly done: Promise<void>;
}

const nobody: ReportProgress = () => {};

function isCancelled(error: unknown): boolean {
  return isVoxError(error) && error.code === "workspace.cancelled";
}

function refusal(name: string, work: WorkspacePhase): VoxError {
  return fail("workspace.busy", `a ${work} of ${name} is in progress`, {
    hint: `wait until it is done, or end it with: voxeltron workspace cancel ${name}`,
  });
}
