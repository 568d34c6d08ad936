/**
 * What an operator sees of an installed plugin, looked up anew each time: the row, the files on disk, the room and the
 * deliveries that wait. Called by plugins.ts.
 */
import { REQUIRED_ACTIONS } from "../../base/provider-actions.ts";
import type { Redact } from "../../base/redact.ts";
import { unusedGrants } from "../audit/unused.ts";
import type { Ceilings } from "../ceiling.ts";
import type { PluginVersionRows } from "../../state/plugin-versions.ts";
import {
  consentView,
  pluginView,
  versionView,
  type PluginDetails,
  type PluginView,
} from "../plugin-views.ts";
import { standings } from "../standing.ts";
import {
  healthOf,
  problemOf,
  stateOf,
  versionOf,
  warningsOf,
  type InstalledPlugin,
} from "./installed-plugin.ts";
import type { Integrity } from "./integrity.ts";
import { roomOf, type PluginOverrides } from "./version.ts";

export interface PluginStatus {
  summary(plugin: InstalledPlugin): Promise<PluginView>;
  details(plugin: InstalledPlugin): Promise<PluginDetails>;
}

export interface StatusDeps {
  readonly integrity: Pick<Integrity, "tamperedBecause">;
  /** Forgets what the plugin failed at under other settings. */
  readonly renew: (plugin: InstalledPlugin) => void;
  readonly versions: Pick<PluginVersionRows, "list">;
  readonly configFor: PluginOverrides;
  readonly canConfine: () => boolean;
  /** What the operator's configuration allows to a plugin at most; asked each time. */
  readonly ceilings: (plugin: string) => Ceilings;
  /** When a plugin last used a capability. */
  readonly lastUse: (plugin: string) => (capability: string) => string | undefined;
  /** Days after that one, up to today, on which the daemon ran. */
  readonly watchedAfter: (day: string) => number;
  /** Deliveries that wait for the plugin. */
  readonly pendingFor: (plugin: string) => number;
  /** Of a provider: what runs on it, or is to, in words. */
  readonly instancesOn: (provider: string) => readonly string[];
  /** Why the folder that it is linked to is not what runs. */
  readonly linkProblem: (plugin: string) => string | undefined;
  /** Takes secrets out of text. */
  readonly redact: Redact;
}

export function makePluginStatus(deps: StatusDeps): PluginStatus {
  async function summary(plugin: InstalledPlugin): Promise<PluginView> {
    const tampered = await deps.integrity.tamperedBecause(plugin.row);
    if (tampered !== undefined) plugin.supervisor.restart();
    deps.renew(plugin);
    const problem = problemOf(plugin, deps.configFor, deps.ceilings(plugin.row.name));
    const found = stateOf(plugin, { tampered, problem, link: deps.linkProblem(plugin.row.name) });
    // Its own words, when it crashed.
    const state = { ...found, reason: found.reason === null ? null : deps.redact(found.reason) };
    const choice = plugin.manifest === undefined ? undefined : roomOf(versionOf(plugin), deps.canConfine());
    return pluginView(plugin.row, state, choice, plugin.manifest);
  }

  async function details(plugin: InstalledPlugin): Promise<PluginDetails> {
    const view = await summary(plugin);
    const { name, digest, installedAt, source, link } = plugin.row;
    const lastUse = deps.lastUse(name);
    const provider = plugin.manifest?.provider;
    const instances = provider === undefined ? [] : [...deps.instancesOn(name)];
    const { strikes, running } = healthOf(plugin);
    return {
      ...view,
      ...consentView(plugin.manifest, plugin.grants),
      digest,
      installedAt,
      source,
      link,
      versions: deps.versions.list(name).map(versionView),
      strikes,
      running,
      pending: deps.pendingFor(name),
      capabilities:
        plugin.manifest === undefined
          ? []
          : standings(plugin.manifest, plugin.grants, deps.ceilings(name), lastUse),
      unused: unusedGrants(name, plugin.grants, lastUse, deps.watchedAfter),
      provider:
        provider === undefined ? null : { actions: [...REQUIRED_ACTIONS, ...provider.actions], instances },
      warnings: [...warningsOf(plugin, deps.ceilings(name)), ...orphanWarnings(view, instances)],
    };
  }

  return { summary, details };
}

// --- internal ---

function orphanWarnings({ state }: PluginView, instances: readonly string[]): string[] {
  if (state === "enabled" || instances.length === 0) return [];
  return [`what runs on it can't be looked at or changed until it is enabled: ${instances.join(", ")}`];
}
