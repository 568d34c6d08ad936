/**
 * What a workspace's provider is asked for, so that it can be asked again: whoever was killed in between says the same once more, and
 * what is so already is fine. Decides nothing about events and rows. Called by the four actions and recover.ts.
 */
import { diskFull } from "../../base/disk-full.ts";
import { canHelpToRetry, fail, isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import type { WorkspaceRow } from "../../state/workspaces.ts";
import { bounded } from "../bounded.ts";
import {
  hasEnded,
  isUp,
  type InstanceSpec,
  type InstanceStatus,
  type Provider,
  type WorkContext,
} from "../providers/provider.ts";
import { lastLines } from "./read-logs.ts";
import { checkPortsFree } from "./ports.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";
import { decodeSpec, imageOf, instanceSpec, type WorkspaceSpec } from "./workspace-spec.ts";

export interface Work {
  readonly row: WorkspaceRow;
  readonly spec: WorkspaceSpec;
  readonly provider: Provider;
  readonly instance: InstanceSpec;
  readonly control: Control;
}

/** Of whoever wants something done. */
export interface Control extends WorkContext {
  /** Aborted with `signal`, but for whoever cancels: then all stays as it was written down, and somebody goes on later. */
  readonly interrupted: AbortSignal;
  /** Nobody waits for the answer, so that what may pass is tried again, and what failed for good stays to be seen. */
  readonly isPatient: boolean;
}

/** Whether the phase stays as it is after this error: somebody goes on later. */
export function staysOpen({ interrupted, isPatient }: Control, error: unknown): boolean {
  return interrupted.aborted || (isPatient && mayPass(error));
}

/** Whether it may be another time without anybody's doing; a disk that is full is made free by somebody else. */
export function mayPass(error: unknown): boolean {
  const known = diskFull(error);
  return canHelpToRetry(known) || (isVoxError(known) && known.code === "disk.full");
}

/** Throws `provider.unknown` and the like where its provider is gone. */
export function workOn(row: WorkspaceRow, control: Control, deps: WorkspaceDeps): Work {
  const provider = deps.providers.of(row);
  const spec = decodeSpec(row.spec);
  const identity = { id: row.instance, owner: deps.owner, workspace: row.name };
  const image = imageOf(row, spec);
  const registryAuth = spec.image === undefined ? undefined : deps.registryAuth(spec.image);
  return { row, spec, provider, instance: instanceSpec({ ...spec, image }, identity, registryAuth), control };
}

export function statusOf({ provider, row, control }: Work, deps: WorkspaceDeps): Promise<InstanceStatus> {
  return within(provider, provider.status(row.instance), LIMITS.engineAskMs, deps, control.signal);
}

/** Brings what it needs; gives the exact image, or nothing where there is none. */
export async function prepare(work: Work, deps: WorkspaceDeps): Promise<string | null> {
  const { provider, instance, control } = work;
  const exact = await within(provider, provider.prepare(instance, control), undefined, deps, control.signal);
  return instance.image === undefined ? null : exact;
}

/** Not cut off by a cancel: what comes into being must be there to be undone. */
export async function create(work: Work, image: string | null, deps: WorkspaceDeps): Promise<void> {
  const { provider, control } = work;
  const instance = image === null ? work.instance : { ...work.instance, image };
  control.progress(`creating ${instance.id}`);
  const making = provider.create(instance, control);
  await within(provider, making, LIMITS.providerWorkMs, deps, control.interrupted, () => {
    // What comes into being when it was given up long ago is nobody's, unless somebody tried again meanwhile.
    if (control.interrupted.aborted || deps.rows.hasInstance(instance.id)) return;
    provider.destroy(instance.id).catch(() => {});
  });
}

/** Where it was made and is gone, it is made again; gives its exact image then. */
export async function start(work: Work, deps: WorkspaceDeps): Promise<string | null> {
  const { provider, row, control } = work;
  let { image } = row;
  let status = await statusOf(work, deps);
  if (status.state === "dead") {
    await destroy(work, deps);
    status = { state: "missing" };
  }
  if (status.state === "missing") {
    control.progress(`${row.instance} is not there; it is made again`);
    image = await prepare(work, deps);
    await create(work, image, deps);
  }
  if (!isUp(status)) checkPortsFree(row, work.spec, deps);
  control.signal.throwIfAborted();
  control.progress(`starting on ${provider.name}`);
  await orAlready(work, isUp, provider.start(row.instance), LIMITS.providerWorkMs, deps);
  await settle(work, deps);
  return image;
}

/** It is stopped, or not there. */
export async function stop(work: Work, deps: WorkspaceDeps): Promise<void> {
  const { provider, row } = work;
  const limit = LIMITS.stopGraceMs + LIMITS.providerDestroyMs;
  const isDown = (status: InstanceStatus): boolean => !isUp(status);
  await orAlready(work, isDown, provider.stop(row.instance, LIMITS.stopGraceMs), limit, deps);
}

/** It is not there. */
export async function destroy(work: Work, deps: WorkspaceDeps): Promise<void> {
  const { provider, row } = work;
  const isGone = ({ state }: InstanceStatus): boolean => state === "missing";
  await orAlready(work, isGone, provider.destroy(row.instance), LIMITS.providerDestroyMs, deps);
}

/** Throws `workspace.paused`: a provider has no word for going on. */
export function checkNotPaused({ name }: WorkspaceRow, { state }: InstanceStatus): void {
  if (state !== "paused") return;
  throw fail("workspace.paused", `${name} is paused, and voxeltron did not do that`, {
    hint: `let it go on where it was paused, or stop it first: voxeltron workspace stop ${name}`,
  });
}

/** Whether the error leaves open what became of it: then nobody may say that it is not there. */
export function isUncertain({ provider }: Work, error: unknown): boolean {
  if (provider.plainNames !== true) return false;
  if (!isVoxError(error)) return true;
  return UNCERTAIN.has(error.code) && error.details["began"] !== false;
}

// --- internal ---

/** The others say no, or that they were never asked; and so does one of these that says it never began. */
const UNCERTAIN: ReadonlySet<string> = new Set([
  "plugin.timeout",
  "plugin.crashed",
  "plugin.protocol",
  "plugin.stopped",
  "provider.unavailable",
  "workspace.cancelled",
]);

/** Nobody waits for ever: a plugin has its own deadline, the others ours. */
function within<T>(
  provider: Provider,
  work: Promise<T>,
  timeoutMs: number | undefined,
  { clock }: WorkspaceDeps,
  signal: AbortSignal,
  late?: () => void,
): Promise<T> {
  const own = provider.plainNames === true ? undefined : timeoutMs;
  return bounded(work, { clock, timeoutMs: own, who: provider.name, signal, late });
}

/** An error counts only where it did not come about all the same. Not cut off by a cancel, as in `create`. */
async function orAlready(
  work: Work,
  isSo: (status: InstanceStatus) => boolean,
  asked: Promise<void>,
  timeoutMs: number,
  deps: WorkspaceDeps,
): Promise<void> {
  const { interrupted } = work.control;
  try {
    await within(work.provider, asked, timeoutMs, deps, interrupted);
  } catch (error) {
    if (interrupted.aborted) throw error;
    const status = await statusOf(work, deps).catch(() => undefined);
    if (status === undefined || !isSo(status)) throw error;
  }
}

/** A workspace is there to be used: one that ends at once did not start. */
async function settle(work: Work, deps: WorkspaceDeps): Promise<void> {
  const { row, control } = work;
  const fellOver = (status: InstanceStatus): boolean => hasEnded(status) || status.state === "restarting";
  for (const waitMs of [0, LIMITS.workspaceSettleMs]) {
    if (waitMs > 0) await deps.clock.sleep(waitMs, control.signal);
    const status = await statusOf(work, deps);
    if (!fellOver(status)) continue;
    const lines = await lastLines(work.provider, row.instance, deps);
    await stop(work, deps).catch(() => {});
    const code = status.exitCode === undefined ? "" : `, exit status ${status.exitCode}`;
    throw fail("workspace.exited", `${row.name} ended at once${code}`, {
      hint: `give it a command that goes on, such as: --command ${quote("sleep infinity")}`,
      details: { ...(status.exitCode === undefined ? {} : { exitCode: status.exitCode }), logs: lines },
    });
  }
}
