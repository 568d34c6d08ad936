/**
 * All installed plugins in memory, as the database has them, each with its supervisor. The one place that starts an installed
 * plugin's code: the files are checked, then a room is opened with a door that is this version's. Called by plugins.ts.
 */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../base/clock.ts";
import { fail, messageOf } from "../../base/errors.ts";
import type { ProviderAction } from "../../base/provider-actions.ts";
import type { Log } from "../../base/log.ts";
import { didYouMean, quote } from "../../base/text.ts";
import type { GrantRows } from "../../state/grants.ts";
import type { PluginRows } from "../../state/plugins.ts";
import type { CallerOf } from "../capabilities/broker.ts";
import type { Caller } from "../capabilities/method.ts";
import type { Ceilings } from "../ceiling.ts";
import { makeActionDesk, type ActionDesk, type OpenedProgram } from "../runtimes/exec/action-desk.ts";
import type { RunProgram } from "../runtimes/exec/run-program.ts";
import type { OpenedRoom } from "../runtimes/room-keeper.ts";
import type { PluginDoor, RoomKind } from "../runtimes/runtime.ts";
import { makeSupervisor, type Supervisor } from "../runtimes/supervisor.ts";
import type { Announce } from "./announce.ts";
import { makeInstalledPlugin, refuseResting, versionOf, type InstalledPlugin } from "./installed-plugin.ts";
import type { Integrity } from "./integrity.ts";
import type { OpenVersion } from "./open-version.ts";
import type { StrikeOut } from "./strike-out.ts";
import { callerFrom, configOf, type PluginOverrides, type VersionCaller } from "./version.ts";

export function makeRoster(deps: RosterDeps): Roster {
  const plugins = new Map<string, InstalledPlugin>();
  /** The settings of the last attempt to open a room: it may have failed because of them. */
  const tried = new Map<string, OpenedRoom["config"]>();
  /** Asked several times in each call; the plugin's object is replaced with its row and grants, the ceilings' with the configuration. */
  const callers = new WeakMap<InstalledPlugin, VersionCaller>();
  let sorted: readonly InstalledPlugin[] = [];

  async function open(name: string): Promise<OpenedRoom> {
    const plugin = get(name);
    refuseResting(plugin);
    const version = versionOf(plugin);
    const code = await deps.integrity.verified(plugin.row);
    tried.set(name, configOf(version, deps.configFor));
    return deps.openVersion(version, code, doorOf(name, plugin.row.digest));
  }

  function get(name: string): InstalledPlugin {
    const plugin = plugins.get(name);
    if (plugin !== undefined) return plugin;
    const meant = didYouMean(name, [...plugins.keys()]);
    throw fail("plugin.not_found", `no plugin is called ${quote(name)}`, {
      hint: meant === undefined ? undefined : `did you mean ${quote(meant)}?`,
    });
  }

  function callerOf(name: string, digest?: string): Caller | undefined {
    const plugin = plugins.get(name);
    if (plugin === undefined || (digest !== undefined && plugin.row.digest !== digest)) return undefined;
    const ceilings = deps.ceilings(name);
    const known = callers.get(plugin);
    if (known?.standing.ceilings === ceilings) return known;
    const caller = callerFrom(plugin, ceilings);
    callers.set(plugin, caller);
    return caller;
  }

  /** A guest that something else takes the place of must not act with the rights of what comes after it. */
  function doorOf(name: string, digest: string): PluginDoor {
    return deps.doorFor(name, () => callerOf(name, digest));
  }

  function hasNewConfig(plugin: InstalledPlugin): boolean {
    const config = plugin.supervisor.status().config ?? tried.get(plugin.row.name);
    if (config === undefined) return false;
    try {
      return !isDeepStrictEqual(configOf(versionOf(plugin), deps.configFor), config);
    } catch {
      return true; // What is wrong with it is said when the room is opened.
    }
  }

  function renew(plugin: InstalledPlugin): void {
    if (hasNewConfig(plugin)) plugin.supervisor.restart();
  }

  /** Must not throw: it is told in the middle of a call. */
  function struck(name: string, kind: RoomKind, recent: number): void {
    try {
      const plugin = get(name);
      if (!deps.strikeOut(versionOf(plugin), kind, recent)) return;
      refresh(name);
      plugin.supervisor.move();
    } catch (error) {
      deps.log.error("a plugin could not be moved to a process", { plugin: name, error: messageOf(error) });
    }
  }

  function supervise(plugin: string): Supervisor {
    const { clock, idleMs } = deps;
    return makeSupervisor({
      plugin,
      clock,
      idleMs,
      open: () => open(plugin),
      struck: (kind, recent) => struck(plugin, kind, recent),
      suspended: ({ until, reason }) =>
        deps.announce(plugin, "warn", `it is suspended until ${until}: ${reason}`),
    });
  }

  /** The files are looked at when it runs: each time, and not only when a room is opened. */
  function openProgram(name: string, action: ProviderAction): OpenedProgram {
    const plugin = get(name);
    refuseResting(plugin);
    const version = versionOf(plugin);
    configOf(version, deps.configFor);
    const { provider, main: entrypoint } = version.manifest;
    if (provider === undefined || entrypoint === undefined)
      throw fail("plugin.unsupported", `${name} is no provider`);
    return {
      program: { name, entrypoint, disk: deps.integrity.disk(plugin.row) },
      door: doorOf(name, plugin.row.digest),
      deadlineMs: deps.actionTimeouts(name)[action] ?? provider.timeoutMs[action],
    };
  }

  function serve(plugin: string): ActionDesk {
    return makeActionDesk({
      plugin,
      clock: deps.clock,
      runProgram: deps.runProgram,
      open: (action) => openProgram(plugin, action),
      suspended: (action, { until, reason }) =>
        deps.announce(plugin, "warn", `its ${action} is suspended until ${until}: ${reason}`),
    });
  }

  function refresh(name: string): void {
    const row = deps.rows.get(name);
    if (row === undefined) {
      plugins.delete(name);
      tried.delete(name);
    } else {
      const { supervisor, actions } = plugins.get(name) ?? {
        supervisor: supervise(name),
        actions: serve(name),
      };
      plugins.set(
        name,
        makeInstalledPlugin(row, deps.grants.list(name, row.digest), { supervisor, actions }),
      );
    }
    sorted = [...plugins.keys()].toSorted().map(get);
  }

  for (const { name } of deps.rows.list()) refresh(name);

  return {
    all: () => sorted,
    get,
    find: (name) => plugins.get(name),
    renew,
    toRun(name) {
      const plugin = get(name);
      renew(plugin);
      return plugin;
    },
    callerOf,
    doorOf,
    refresh,
    async alone(name, work) {
      const plugin = plugins.get(name);
      if (plugin === undefined) return work();
      const { supervisor, actions } = plugin;
      await actions.exclusive(() => supervisor.exclusive(work));
    },
    async swap(name, work) {
      const before = plugins.get(name);
      if (before !== undefined) return before.actions.exclusive(() => before.supervisor.swap(work));
      const opened = await work();
      // Now it is there, and so is its supervisor.
      return get(name).supervisor.swap(async () => opened);
    },
    async close() {
      await Promise.all(sorted.flatMap(({ supervisor, actions }) => [supervisor.close(), actions.close()]));
    },
  };
}

export interface RosterDeps {
  readonly rows: PluginRows;
  readonly grants: GrantRows;
  readonly clock: Clock;
  readonly log: Log;
  readonly integrity: Integrity;
  readonly openVersion: OpenVersion;
  readonly strikeOut: StrikeOut;
  readonly announce: Announce;
  /** The broker's door for one plugin; `callerOf` says at each call who comes through it and what he may do. */
  readonly doorFor: (plugin: string, callerOf: CallerOf) => PluginDoor;
  readonly configFor: PluginOverrides;
  /** What the operator's configuration allows to a plugin at most; asked each time. */
  readonly ceilings: (plugin: string) => Ceilings;
  /** How long a room may stand idle. */
  readonly idleMs: () => number;
  /** The room of executables, for actions of providers. */
  readonly runProgram: RunProgram;
  /** What the operator gives to a provider's actions, in place of what its manifest says. */
  readonly actionTimeouts: (plugin: string) => { readonly [A in ProviderAction]?: number | undefined };
}

export interface Roster {
  /** In the order of their names. */
  all(): readonly InstalledPlugin[];
  /** Throws `plugin.not_found`. */
  get(name: string): InstalledPlugin;
  find(name: string): InstalledPlugin | undefined;
  /** Its guest starts afresh, and what it failed at is forgotten, where the operator gave it other settings meanwhile. */
  renew(plugin: InstalledPlugin): void;
  /** As `get`, for a call: renewed. */
  toRun(name: string): InstalledPlugin;
  /** Who the guest of this plugin is, now; with a digest only while that is what is installed. */
  callerOf(name: string, digest?: string): Caller | undefined;
  /** The door of one version: shut again once another takes its place. */
  doorOf(name: string, digest: string): PluginDoor;
  /** Reads the plugin's row and grants anew. */
  refresh(name: string): void;
  /** Runs `work` while no guest of the plugin runs. */
  alone(name: string, work: () => Promise<void>): Promise<void>;
  /** Runs `work` between two calls; the room that it gives takes the place of the old one (see Supervisor.swap). */
  swap(name: string, work: () => Promise<OpenedRoom | undefined>): Promise<void>;
  /** Stops all rooms, those with a running call after LIMITS.drainMs at the latest. */
  close(): Promise<void>;
}
