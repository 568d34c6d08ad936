/**
 * Makes a workspace: decides everything before anybody is asked, asks the gates, and writes the row before its provider makes anything.
 * What its provider does not make leaves nothing behind, unless nobody can tell. Called by workspaces.ts and recover.ts.
 */
import { timestamp } from "../../base/clock.ts";
import { fail, isVoxError } from "../../base/errors.ts";
import { shortId } from "../../base/ids.ts";
import type { WorkspaceRow } from "../../state/workspaces.ts";
import type { Journal } from "./journal.ts";
import { checkPortsOwn } from "./ports.ts";
import { create, destroy, isUncertain, prepare, staysOpen, workOn, type Control, type Work } from "./work.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";
import type { WorkspaceRequest } from "./workspace-input.ts";
import { encodeSpec, instanceSpec } from "./workspace-spec.ts";

export async function createWorkspace(
  request: WorkspaceRequest,
  control: Control,
  journal: Journal,
  deps: WorkspaceDeps,
): Promise<void> {
  const row = planRow(request, deps);
  const work = workOn(row, control, deps);
  await journal.ask("create", row, control.signal);
  deps.rows.insert(row);
  await makeInstance(work, journal, deps);
}

export async function makeInstance(work: Work, journal: Journal, deps: WorkspaceDeps): Promise<void> {
  const { row, control } = work;
  let isAsked = false;
  try {
    const image = await prepare(work, deps);
    control.signal.throwIfAborted();
    isAsked = true;
    await create(work, image, deps);
    control.signal.throwIfAborted();
    journal.finish(row, "create", { image, made: true });
  } catch (error) {
    if (staysOpen(control, error)) throw error;
    const left = isAsked ? await undo(work, error, deps) : undefined;
    if (left === undefined && !control.isPatient) journal.drop(row);
    else journal.giveUp(row, error);
    throw left ?? error;
  }
}

// --- internal ---

/** Throws `workspace.exists`, `workspace.port_taken`, `provider.*`, `server.unknown`. */
function planRow(
  { name, server, spec, start, ...wish }: WorkspaceRequest,
  deps: WorkspaceDeps,
): WorkspaceRow {
  if (deps.rows.find(name) !== undefined)
    throw fail("workspace.exists", `there is a workspace called ${name} already`, {
      hint: `choose another name, or remove that one with: voxeltron workspace destroy ${name}`,
    });
  const provider = deps.providers.of({ provider: wish.provider ?? deps.defaultProvider, server });
  const instance = provider.plainNames === true ? name : `vx-ws-${name}-${shortId()}`;
  provider.check(instanceSpec(spec, { id: instance, owner: deps.owner, workspace: name }, undefined));
  checkPortsOwn(server, spec, deps);
  return {
    name,
    provider: provider.name,
    server,
    spec: encodeSpec(spec),
    image: null,
    instance,
    desired: "stopped",
    phase: "create",
    next: start ? "start" : null,
    made: false,
    error: null,
    createdAt: timestamp(deps.clock.now()),
  };
}

/** Gives the error that says what to do where something may be left. */
async function undo(work: Work, error: unknown, deps: WorkspaceDeps): Promise<unknown> {
  if (isUncertain(work, error)) return advised(work, error);
  // A plugin that said no made nothing, and what has that name may be somebody else's.
  if (work.provider.plainNames === true) return undefined;
  const control = { ...work.control, signal: work.control.interrupted };
  return destroy({ ...work, control }, deps).then(
    () => undefined,
    () => advised(work, error),
  );
}

function advised({ row, provider }: Work, error: unknown): unknown {
  if (!isVoxError(error)) return error;
  return fail(error.code, error.message, {
    hint: `${provider.name} may have made it all the same; remove what is left with: voxeltron workspace destroy ${row.name}`,
    details: error.details,
    cause: error,
  });
}
