/**
 * One installed plugin while the daemon runs: its version and its supervised room, with the answers that follow from them. Replaced
 * whole when the row changes, but for the supervisor. Made by roster.ts.
 */
import { fail, isVoxError, type ErrorCode, type VoxError } from "../../base/errors.ts";
import { UNSANDBOXED } from "../../base/grant-names.ts";
import { isHookName, type HookName } from "../../sdk/index.ts";
import type { GrantRow } from "../../state/grants.ts";
import type { PluginRow } from "../../state/plugins.ts";
import { withholding, type Ceilings } from "../ceiling.ts";
import { effectiveGrants } from "../grant-rules.ts";
import type { HookRequest, Manifest } from "../manifest/manifest.ts";
import { manifestFrom } from "../manifest/stored-manifest.ts";
import type { PluginState } from "../plugin-views.ts";
import type { Suspension } from "../runtimes/breaker.ts";
import type { ActionDesk } from "../runtimes/exec/action-desk.ts";
import type { Supervisor } from "../runtimes/supervisor.ts";
import { configOf, type PluginOverrides, type Version } from "./version.ts";

export interface InstalledPlugin {
  readonly row: PluginRow;
  /** Undefined where this version of voxeltron can't read it. */
  readonly manifest: Manifest | undefined;
  readonly manifestProblem: VoxError | undefined;
  readonly grants: readonly GrantRow[];
  readonly supervisor: Supervisor;
  /** For what it is asked as a provider. */
  readonly actions: ActionDesk;
}

export function makeInstalledPlugin(
  row: PluginRow,
  grants: readonly GrantRow[],
  rooms: Pick<InstalledPlugin, "supervisor" | "actions">,
): InstalledPlugin {
  const { supervisor, actions } = rooms;
  const parts = { row, grants, supervisor, actions };
  try {
    return { ...parts, manifest: manifestFrom(row), manifestProblem: undefined };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { ...parts, manifest: undefined, manifestProblem: error };
  }
}

/** Throws `manifest.invalid` where its manifest can't be read. */
export function versionOf(plugin: InstalledPlugin): Version {
  const { row, manifest, grants } = plugin;
  if (manifest !== undefined) return { row, manifest, grants };
  throw plugin.manifestProblem ?? fail("manifest.invalid", `${row.name} has no manifest`);
}

/** The hook as the manifest asks for it. Throws `plugin.disabled`, `plugin.paused`, `plugin.no_hook`, `manifest.invalid`. */
export function hookOf(plugin: InstalledPlugin, hook: HookName): HookRequest {
  refuseResting(plugin);
  const found = versionOf(plugin).manifest.hooks.find((each) => each.hook === hook);
  if (found !== undefined) return found;
  throw fail(
    "plugin.no_hook",
    `${plugin.row.name} does not ask for ${hook}: its ${plugin.row.kind === "exec" ? "plugin.yaml does not name it under events" : "plugin.toml does not name it under [hooks]"}`,
  );
}

/** Throws `plugin.disabled`, `plugin.paused`. */
export function refuseResting({ row: { name, enabled, paused } }: InstalledPlugin): void {
  if (!enabled)
    throw fail("plugin.disabled", `${name} is disabled`, {
      hint: `enable it with: voxeltron plugin enable ${name}`,
    });
  if (paused !== null) throw fail("plugin.paused", `${name} is paused: ${paused}`);
}

/** Why it could not run if it were started now, as far as that can be said without its files. */
export function problemOf(
  plugin: InstalledPlugin,
  overrides: PluginOverrides,
  ceilings: Ceilings,
): VoxError | undefined {
  if (plugin.manifestProblem !== undefined) return plugin.manifestProblem;
  if (plugin.manifest?.tier === null && effectiveGrants(plugin.manifest, plugin.grants, ceilings).size === 0)
    return fail("capability.denied", `it does not run: ${UNSANDBOXED} is not granted, or not allowed`);
  try {
    configOf(versionOf(plugin), overrides);
  } catch (error) {
    if (isVoxError(error)) return error;
    throw error;
  }
  const { problem } = healthOf(plugin);
  return problem !== undefined && TOLD_OTHERWISE.has(problem.code) ? undefined : problem;
}

export interface Troubles {
  readonly tampered: string | undefined;
  readonly problem: VoxError | undefined;
  /** Why the folder that it is linked to is not what runs. */
  readonly link: string | undefined;
}

/** The first that holds. */
export function stateOf(
  plugin: InstalledPlugin,
  { tampered, problem, link }: Troubles,
): { readonly state: PluginState; readonly reason: string | null } {
  const { row } = plugin;
  const { suspension } = healthOf(plugin);
  if (tampered !== undefined) return { state: "tampered", reason: tampered };
  if (!row.enabled) return { state: "disabled", reason: null };
  if (row.paused !== null) return { state: "paused", reason: row.paused };
  if (suspension !== undefined)
    return { state: "suspended", reason: `until ${suspension.until}: ${suspension.reason}` };
  if (problem !== undefined) return { state: "broken", reason: problem.message };
  return { state: "enabled", reason: link ?? null };
}

/** How it did lately, as a handler of events and as a provider. */
export function healthOf({ supervisor, actions }: InstalledPlugin): PluginHealth {
  const [room, desk] = [supervisor.status(), actions.status()];
  return {
    running: room.running || desk.running > 0,
    strikes: room.strikes + desk.strikes,
    suspension: room.suspension ?? desk.suspension,
    problem: room.problem ?? desk.problem,
  };
}

export interface PluginHealth {
  readonly running: boolean;
  readonly strikes: number;
  readonly suspension: Suspension | undefined;
  readonly problem: VoxError | undefined;
}

/** What looks wrong and stops nothing. */
export function warningsOf(plugin: InstalledPlugin, ceilings: Ceilings): string[] {
  const { manifest, grants, supervisor, actions } = plugin;
  if (manifest === undefined) return [];
  const { handlers } = supervisor.status();
  return [
    ...actions
      .status()
      .suspended.map(
        ({ action, suspension }) => `${action} is suspended until ${suspension.until}: ${suspension.reason}`,
      ),
    ...unnamedHooks(manifest, handlers ?? []).map(
      (hook) => `its code has ${hook}, and [hooks] in its plugin.toml does not name it`,
    ),
    ...grants
      .map(({ capability }) => ({ capability, ceiling: withholding(ceilings, capability) }))
      .filter(({ ceiling }) => ceiling !== undefined)
      .map(({ capability, ceiling }) => `${capability} is granted, and ${ceiling?.key} does not allow it`),
  ];
}

// --- internal ---

/** Hooks that the code could handle and the manifest does not name: they are never called. */
function unnamedHooks(manifest: Manifest, handlers: readonly string[]): readonly string[] {
  return handlers.filter((name) => isHookName(name) && !manifest.hooks.some(({ hook }) => hook === name));
}

/** Of these the row, the files or the settings tell, as they are now. */
const TOLD_OTHERWISE: ReadonlySet<ErrorCode> = new Set([
  "plugin.tampered",
  "plugin.disabled",
  "plugin.paused",
  "config.invalid",
  "manifest.invalid",
]);
