/**
 * One installed plugin while the daemon runs: its row, its manifest, its grants and its supervised room, with the answers that
 * follow from them. Replaced whole when the row changes, but for the supervisor. Made by plugin-roster.ts.
 */
import { fail, isVoxError, type VoxError } from "../base/errors.ts";
import { CAPABILITY_NAMES, type Capability, type HookName } from "../sdk/index.ts";
import type { GrantRow } from "../state/grants.ts";
import type { PluginRow } from "../state/plugins.ts";
import type { Caller } from "./capabilities/method.ts";
import { effectiveGrants } from "./grant-rules.ts";
import { unnamedHooks } from "./load-check.ts";
import { requestsOf, type CapabilityRequest, type HookRequest, type Manifest } from "./manifest/manifest.ts";
import { parseManifest } from "./manifest/parse-manifest.ts";
import { resolveConfig, type PluginConfig } from "./plugin-config.ts";
import type { PluginState } from "./plugin-views.ts";
import type { Supervisor } from "./runtimes/supervisor.ts";

export interface InstalledPlugin {
  readonly row: PluginRow;
  /** Undefined where this version of voxeltron can't read it. */
  readonly manifest: Manifest | undefined;
  readonly manifestProblem: VoxError | undefined;
  readonly grants: readonly GrantRow[];
  readonly supervisor: Supervisor;
}

export function makeInstalledPlugin(
  row: PluginRow,
  grants: readonly GrantRow[],
  supervisor: Supervisor,
): InstalledPlugin {
  try {
    const manifest = parseManifest(new TextEncoder().encode(row.manifest));
    return { row, manifest, manifestProblem: undefined, grants, supervisor };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { row, manifest: undefined, manifestProblem: error, grants, supervisor };
  }
}

/** Throws `manifest.invalid` where it can't be read. */
export function manifestOf(plugin: InstalledPlugin): Manifest {
  if (plugin.manifest !== undefined) return plugin.manifest;
  throw plugin.manifestProblem ?? fail("manifest.invalid", `${plugin.row.name} has no manifest`);
}

/** The hook as the manifest asks for it. Throws `plugin.disabled`, `plugin.no_hook`, `manifest.invalid`. */
export function hookOf(plugin: InstalledPlugin, hook: HookName): HookRequest {
  refuseDisabled(plugin);
  const found = manifestOf(plugin).hooks.find((each) => each.hook === hook);
  if (found !== undefined) return found;
  throw fail(
    "plugin.no_hook",
    `${plugin.row.name} does not ask for ${hook} under [hooks] in its plugin.toml`,
  );
}

/** Throws `plugin.disabled`. */
export function refuseDisabled({ row: { name, enabled } }: InstalledPlugin): void {
  if (!enabled)
    throw fail("plugin.disabled", `${name} is disabled`, {
      hint: `enable it with: voxeltron plugin enable ${name}`,
    });
}

/** Who its guest is and what it may use now. A disabled plugin's guest, while it ends, may use nothing. */
export function callerFrom(
  { row, manifest, grants }: InstalledPlugin,
  ceiling: readonly Capability[],
): Caller {
  const named = (requests: readonly CapabilityRequest[]) => new Set(requests.map((each) => each.capability));
  const requested = named(manifest === undefined ? [] : requestsOf(manifest));
  const optional = named(manifest?.optional ?? []);
  const rights =
    row.enabled && manifest !== undefined ? effectiveGrants(manifest, grants, ceiling) : new Map();
  const withheld = new Set(CAPABILITY_NAMES.filter((capability) => !ceiling.includes(capability)));
  return { plugin: row.name, grants: rights, requested, optional, withheld };
}

/** Why it could not run if it were started now, as far as that can be said without its files. */
export function problemOf(plugin: InstalledPlugin, overrides: PluginOverrides): VoxError | undefined {
  if (plugin.manifestProblem !== undefined) return plugin.manifestProblem;
  try {
    configOf(plugin, overrides);
  } catch (error) {
    if (isVoxError(error)) return error;
    throw error;
  }
  const { problem } = plugin.supervisor.status();
  return problem?.code === "plugin.tampered" || problem?.code === "plugin.disabled" ? undefined : problem;
}

/** Throws `config.invalid`, `manifest.invalid`. */
export function configOf(plugin: InstalledPlugin, overrides: PluginOverrides): PluginConfig {
  return resolveConfig(manifestOf(plugin), overrides(plugin.row.name));
}

/** The operator's `[plugins.config.NAME]`; empty where there is none. */
export type PluginOverrides = (plugin: string) => Readonly<Record<string, unknown>>;

export function stateOf(
  plugin: InstalledPlugin,
  tampered: string | undefined,
  problem: VoxError | undefined,
): { readonly state: PluginState; readonly reason: string | null } {
  if (tampered !== undefined) return { state: "tampered", reason: tampered };
  if (!plugin.row.enabled) return { state: "disabled", reason: null };
  if (problem !== undefined) return { state: "broken", reason: problem.message };
  return { state: "enabled", reason: null };
}

/** What looks wrong and stops nothing. */
export function warningsOf(plugin: InstalledPlugin, ceiling: readonly Capability[]): string[] {
  const { manifest, grants, supervisor } = plugin;
  if (manifest === undefined) return [];
  const { handlers } = supervisor.status();
  return [
    ...unnamedHooks(manifest, handlers ?? []).map(
      (hook) => `its code has ${hook}, and [hooks] in its plugin.toml does not name it`,
    ),
    ...grants
      .filter(({ capability }) => !ceiling.includes(capability as Capability))
      .map(
        ({ capability }) => `${capability} is granted, and [plugins] ceiling does not allow it to any plugin`,
      ),
  ];
}
