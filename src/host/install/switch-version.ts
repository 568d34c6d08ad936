/**
 * Puts one version of a plugin in the place of another, or of none: its room is opened beside the old one and checked, and only then,
 * between two calls, its folder is put in place, its rows are written in one transaction and its room is taken. Whatever fails
 * leaves the old one running. What a crash leaves over is removed at the next start (PackageStore.sweep). Called by install.ts and
 * rollback.ts, under the plugin's lock.
 */
import { diskFull } from "../../base/disk-full.ts";
import { LIMITS } from "../../base/limits.ts";
import type { GrantRows } from "../../state/grants.ts";
import type { PluginUidRows } from "../../state/plugin-uids.ts";
import type { PluginVersionRows } from "../../state/plugin-versions.ts";
import type { PluginRow, PluginRows, PluginVersionRow } from "../../state/plugins.ts";
import type { CallerOf } from "../capabilities/broker.ts";
import type { Ceilings } from "../ceiling.ts";
import type { Integrity } from "../installed/integrity.ts";
import type { OpenVersion } from "../installed/open-version.ts";
import type { Roster } from "../installed/roster.ts";
import { callerFrom, type Version } from "../installed/version.ts";
import type { PackageStore } from "../package/package-store.ts";
import type { GuestCode, PluginDoor } from "../runtimes/runtime.ts";
import { prepare, type Prepared } from "./prepare.ts";

export interface NextVersion extends Version {
  readonly code: GuestCode;
  /** The file that is run first, for errors. */
  readonly main: string;
  /** Writes its package aside and gives its place; undefined where its folder is there. */
  readonly stage: (() => Promise<string>) | undefined;
  /** What it replaces can be gone back to. False where that was a state of a folder that is being worked on. */
  readonly keepsReplaced: boolean;
}

export interface SwitchDeps {
  readonly rows: PluginRows;
  readonly versions: PluginVersionRows;
  readonly grants: GrantRows;
  readonly transaction: <T>(work: () => T) => T;
  readonly store: PackageStore;
  readonly integrity: Pick<Integrity, "verified">;
  readonly roster: Roster;
  readonly openVersion: OpenVersion;
  readonly doorFor: (plugin: string, callerOf: CallerOf) => PluginDoor;
  readonly ceilings: (plugin: string) => Ceilings;
  readonly uids: Pick<PluginUidRows, "remove">;
}

export async function switchVersion(deps: SwitchDeps, next: NextVersion, signal: AbortSignal): Promise<void> {
  const { roster, store } = deps;
  const { name, digest, enabled } = next.row;
  signal.throwIfAborted();
  const before = keptRows(deps, name).map((row) => row.digest);
  // Beside the loading: a disk takes its time too.
  const staging = Promise.resolve(next.stage?.());
  staging.catch(() => {});
  let prepared: Prepared | undefined;
  try {
    const loaded = (prepared = await prepareVersion(deps, next));
    const staged = await staging;
    await roster.swap(name, async () => {
      signal.throwIfAborted();
      if (staged !== undefined) await store.place(staged, name, digest);
      deps.transaction(() => record(deps, next));
      roster.refresh(name);
      return enabled ? { ...loaded.take(), recheck: recheckOf(deps.integrity, next.row) } : undefined;
    });
  } catch (error) {
    throw diskFull(error);
  } finally {
    await prepared?.discard();
    const staged = await staging.catch(() => undefined);
    if (staged !== undefined) await store.discard(staged);
    // What was there before stays until the next change or start: the commit may not have reached the disk yet.
    const kept = keptRows(deps, name);
    await store.settle(name, kept, before);
    if (kept.length === 0) deps.uids.remove(name);
  }
}

/** All versions of which there is a folder: the one that runs, then those that can be gone back to. */
export function keptRows(
  { rows, versions }: Pick<SwitchDeps, "rows" | "versions">,
  name: string,
): readonly PluginVersionRow[] {
  const row = rows.get(name);
  return row === undefined ? [] : [row, ...versions.list(name)];
}

// --- internal ---

/** Lives as long as the room: it must not hold on to the package. */
function recheckOf(integrity: SwitchDeps["integrity"], row: PluginRow): () => Promise<unknown> {
  return () => integrity.verified(row);
}

function prepareVersion(deps: SwitchDeps, next: NextVersion): Promise<Prepared> {
  const { name, digest } = next.row;
  // Also where it is disabled now: what it could call then decides whether it loads.
  const awake = { ...next, row: { ...next.row, enabled: true, paused: null } };
  const doors = {
    before: deps.doorFor(name, () => callerFrom(awake, deps.ceilings(name))),
    after: deps.roster.doorOf(name, digest),
  };
  const open = (door: PluginDoor) => deps.openVersion(next, next.code, door);
  return prepare(open, doors, { ...next, kind: next.code.kind });
}

/** A grant belongs to one digest, and goes with the last row that names it. */
function record(deps: SwitchDeps, { row, grants: granted, keepsReplaced }: NextVersion): void {
  const { rows, versions, grants } = deps;
  const { name, digest } = row;
  const replaced = rows.get(name);
  rows.put(row);
  versions.remove(name, digest);
  if (replaced !== undefined && replaced.digest !== digest) {
    if (keepsReplaced) versions.put(replaced);
    else grants.forget(name, replaced.digest);
  }
  for (const old of versions.list(name).slice(LIMITS.pluginVersionsKept)) {
    versions.remove(name, old.digest);
    grants.forget(name, old.digest);
  }
  grants.forget(name, digest);
  for (const grant of granted) grants.put(name, digest, grant);
}
