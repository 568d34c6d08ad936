/**
 * All installed plugins in memory, as the database has them, each with its supervisor. The one place that starts a plugin's
 * code for real: the files are checked, then a room is opened with the door that the broker made. Called by plugins.ts.
 */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../base/clock.ts";
import { fail } from "../base/errors.ts";
import { didYouMean, quote } from "../base/text.ts";
import type { GrantRows } from "../state/grants.ts";
import type { PluginRows } from "../state/plugins.ts";
import { guestOf } from "./guest.ts";
import {
  configOf,
  makeInstalledPlugin,
  manifestOf,
  refuseDisabled,
  type InstalledPlugin,
  type PluginOverrides,
} from "./installed-plugin.ts";
import type { Integrity } from "./integrity.ts";
import type { PluginConfig } from "./plugin-config.ts";
import type { OpenRoom, PluginDoor } from "./runtimes/runtime.ts";
import type { OpenedRoom } from "./runtimes/room-keeper.ts";
import { makeSupervisor, type Supervisor } from "./runtimes/supervisor.ts";

export function makeRoster(deps: RosterDeps): Roster {
  const plugins = new Map<string, InstalledPlugin>();
  /** The settings that each plugin's last room was opened with. */
  const opened = new Map<string, PluginConfig>();
  let sorted: readonly InstalledPlugin[] = [];

  async function open(name: string): Promise<OpenedRoom> {
    const plugin = get(name);
    refuseDisabled(plugin);
    const manifest = manifestOf(plugin);
    const config = configOf(plugin, deps.configFor);
    const bundle = await deps.integrity.verified(plugin.row);
    opened.set(name, config);
    const room = await deps.openRoom(guestOf(manifest, bundle, config), deps.doorFor(name));
    return { room, deadlineMs: manifest.timeoutMs };
  }

  function get(name: string): InstalledPlugin {
    const plugin = plugins.get(name);
    if (plugin !== undefined) return plugin;
    const meant = didYouMean(name, [...plugins.keys()]);
    throw fail("plugin.not_found", `no plugin is called ${quote(name)}`, {
      hint: meant === undefined ? undefined : `did you mean ${quote(meant)}?`,
    });
  }

  function hasNewConfig(plugin: InstalledPlugin): boolean {
    if (!plugin.supervisor.status().running) return false;
    try {
      return !isDeepStrictEqual(configOf(plugin, deps.configFor), opened.get(plugin.row.name));
    } catch {
      return true; // What is wrong with it is said when the room is opened.
    }
  }

  function supervise(plugin: string): Supervisor {
    const { clock, idleMs } = deps;
    return makeSupervisor({ plugin, clock, idleMs, open: () => open(plugin) });
  }

  function refresh(name: string): void {
    const row = deps.rows.get(name);
    if (row === undefined) plugins.delete(name);
    else {
      const supervisor = plugins.get(name)?.supervisor ?? supervise(name);
      plugins.set(name, makeInstalledPlugin(row, deps.grants.list(name, row.digest), supervisor));
    }
    sorted = [...plugins.keys()].toSorted().map(get);
  }

  for (const { name } of deps.rows.list()) refresh(name);

  return {
    all: () => sorted,
    get,
    find: (name) => plugins.get(name),
    toRun(name) {
      const plugin = get(name);
      if (hasNewConfig(plugin)) plugin.supervisor.restart();
      return plugin;
    },
    refresh,
    async alone(name, work) {
      const supervisor = plugins.get(name)?.supervisor;
      await (supervisor === undefined ? work() : supervisor.exclusive(work));
    },
    async close() {
      await Promise.all(sorted.map(({ supervisor }) => supervisor.close()));
    },
  };
}

export interface RosterDeps {
  readonly rows: PluginRows;
  readonly grants: GrantRows;
  readonly clock: Clock;
  readonly integrity: Integrity;
  readonly openRoom: OpenRoom;
  /** The broker's door for one plugin. */
  readonly doorFor: (plugin: string) => PluginDoor;
  readonly configFor: PluginOverrides;
  /** How long a room may stand idle. */
  readonly idleMs: () => number;
}

export interface Roster {
  /** In the order of their names. */
  all(): readonly InstalledPlugin[];
  /** Throws `plugin.not_found`. */
  get(name: string): InstalledPlugin;
  find(name: string): InstalledPlugin | undefined;
  /** As `get`, for a call: its guest starts afresh where the operator gave it other settings meanwhile. */
  toRun(name: string): InstalledPlugin;
  /** Reads the plugin's row and grants anew. */
  refresh(name: string): void;
  /** Runs `work` while no guest of the plugin runs. */
  alone(name: string, work: () => Promise<void>): Promise<void>;
  /** Stops all rooms, those with a running call after LIMITS.drainMs at the latest. */
  close(): Promise<void>;
}
