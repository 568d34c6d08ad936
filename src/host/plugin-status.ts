/**
 * What an operator sees of an installed plugin, looked up anew each time: the row, the files on disk, the room and the
 * deliveries that wait. Called by plugins.ts.
 */
import type { Capability } from "../sdk/index.ts";
import {
  problemOf,
  stateOf,
  warningsOf,
  type InstalledPlugin,
  type PluginOverrides,
} from "./installed-plugin.ts";
import type { Integrity } from "./integrity.ts";
import { consentView, pluginView, type PluginDetails, type PluginView } from "./plugin-views.ts";

export interface PluginStatus {
  summary(plugin: InstalledPlugin): Promise<PluginView>;
  details(plugin: InstalledPlugin): Promise<PluginDetails>;
}

export interface StatusDeps {
  readonly integrity: Pick<Integrity, "tamperedBecause">;
  readonly configFor: PluginOverrides;
  /** `[plugins] ceiling`: what the operator allows to any plugin; asked each time. */
  readonly ceiling: () => readonly Capability[];
  /** Deliveries that wait for the plugin. */
  readonly pendingFor: (plugin: string) => number;
}

export function makePluginStatus(deps: StatusDeps): PluginStatus {
  async function summary(plugin: InstalledPlugin): Promise<PluginView> {
    const tampered = await deps.integrity.tamperedBecause(plugin.row);
    if (tampered !== undefined) plugin.supervisor.restart();
    const { state, reason } = stateOf(plugin, tampered, problemOf(plugin, deps.configFor));
    return pluginView(plugin.row, state, reason);
  }

  async function details(plugin: InstalledPlugin): Promise<PluginDetails> {
    const view = await summary(plugin);
    const { name, digest, installedAt, source } = plugin.row;
    const { strikes, running } = plugin.supervisor.status();
    return {
      ...view,
      ...consentView(plugin.manifest, plugin.grants),
      digest,
      installedAt,
      source,
      room: ROOM,
      strikes,
      running,
      pending: deps.pendingFor(name),
      warnings: warningsOf(plugin, deps.ceiling()),
    };
  }

  return { summary, details };
}

// --- internal ---

const ROOM = "js-worker";
