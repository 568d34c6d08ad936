/**
 * What an operator sees of an installed plugin, looked up anew each time: the row, the files on disk, the room and the
 * deliveries that wait. Called by plugins.ts.
 */
import type { Redact } from "../../base/redact.ts";
import type { Capability } from "../../sdk/index.ts";
import type { PluginVersionRows } from "../../state/plugin-versions.ts";
import {
  consentView,
  pluginView,
  versionView,
  type PluginDetails,
  type PluginView,
} from "../plugin-views.ts";
import { problemOf, stateOf, versionOf, warningsOf, type InstalledPlugin } from "./installed-plugin.ts";
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
  /** `[plugins] ceiling`: what the operator allows to any plugin; asked each time. */
  readonly ceiling: () => readonly Capability[];
  /** Deliveries that wait for the plugin. */
  readonly pendingFor: (plugin: string) => number;
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
    const problem = problemOf(plugin, deps.configFor);
    const found = stateOf(plugin, { tampered, problem, link: deps.linkProblem(plugin.row.name) });
    // Its own words, when it crashed.
    const state = { ...found, reason: found.reason === null ? null : deps.redact(found.reason) };
    const choice = plugin.manifest === undefined ? undefined : roomOf(versionOf(plugin), deps.canConfine());
    return pluginView(plugin.row, state, choice);
  }

  async function details(plugin: InstalledPlugin): Promise<PluginDetails> {
    const view = await summary(plugin);
    const { name, digest, installedAt, source, link } = plugin.row;
    const { strikes, running } = plugin.supervisor.status();
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
      warnings: warningsOf(plugin, deps.ceiling()),
    };
  }

  return { summary, details };
}
