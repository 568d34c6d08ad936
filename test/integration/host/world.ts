/**
 * A plugin host on a real folder and a real database, with a room that runs nothing: its guest is data. The "bundle" is the
 * main file's text; `handles:a,b` in it says which functions the code has.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { fail } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Caller } from "../../../src/host/capabilities/method.ts";
import type { PackageFiles } from "../../../src/host/package/package-files.ts";
import { makePackageStore } from "../../../src/host/package/package-store.ts";
import { makePluginLogs, type PluginLogs } from "../../../src/host/plugin-logs.ts";
import { makePlugins, type Plugins, type PluginsDeps } from "../../../src/host/plugins.ts";
import type { CallOptions, Guest, OpenRoom, PluginDoor } from "../../../src/host/runtimes/runtime.ts";
import { CAPABILITY_NAMES, type HookName, type VoxeltronEvent } from "../../../src/sdk/index.ts";
import { parseEvent } from "../../../src/engine/events/parse-event.ts";
import { sampleEvent } from "../../../src/engine/events/samples.ts";
import { inTransaction, openDatabase } from "../../../src/state/database.ts";
import { makeGrantRows } from "../../../src/state/grants.ts";
import { makePluginKvRows } from "../../../src/state/plugin-kv.ts";
import { makePluginLogRows } from "../../../src/state/plugin-logs.ts";
import { makePluginRows } from "../../../src/state/plugins.ts";
import { tempDir } from "../../harness.ts";

export interface World {
  readonly plugins: Plugins;
  readonly deps: PluginsDeps;
  readonly dataDir: string;
  /** Guests whose room is open now, and how many rooms were opened at all. */
  readonly rooms: Rooms;
  /** What a guest's door was asked, by plugin. */
  caller(name: string): Caller;
  close(): Promise<void>;
}

export interface Rooms {
  readonly open: Set<Guest>;
  opened: number;
  /** What a call does; replaced by tests. */
  call: (
    guest: Guest,
    hook: HookName,
    event: unknown,
    options: CallOptions,
    stopped: Promise<never>,
  ) => Promise<unknown>;
}

type Changes = Partial<PluginsDeps> | ((deps: PluginsDeps) => Partial<PluginsDeps>);

/** The same in a folder of its own, gone when the work is done. */
export async function withWorld(work: (world: World) => Promise<void>, changes: Changes = {}): Promise<void> {
  await using dir = tempDir();
  const world = makeWorld(dir.path, changes);
  try {
    await work(world);
  } finally {
    await world.close();
  }
}

export function makeWorld(dataDir: string, changes: Changes = {}): World {
  mkdirSync(dataDir, { recursive: true });
  const db = openDatabase(join(dataDir, "state.db"));
  const rooms: Rooms = {
    open: new Set(),
    opened: 0,
    call: async (guest, hook) => ({ version: guest.version, hook }),
  };
  const logs = makePluginLogs(makePluginLogRows(db, 1000));
  const standard: PluginsDeps = {
    rows: makePluginRows(db),
    grants: makeGrantRows(db),
    kv: makePluginKvRows(db),
    transaction: (work) => inTransaction(db, work),
    store: makePackageStore(join(dataDir, "plugins")),
    clock: systemClock,
    log: silentLog,
    logs,
    bundle: async (sources, entry) => ({
      code: new TextDecoder().decode(sources.get(entry)),
      sourceMap: "{}",
    }),
    openRoom: fakeRooms(rooms),
    doorFor: (plugin) => closedDoor(plugin, logs),
    configFor: () => ({}),
    ceiling: () => CAPABILITY_NAMES,
    idleMs: () => 60_000,
    calledEvent: (hook, given) =>
      given === undefined ? sampleEvent(hook, STAMP) : parseEvent(hook, given, STAMP),
    pendingFor: () => 0,
    changed() {},
    embedded: new Map(),
  };
  const deps = { ...standard, ...(typeof changes === "function" ? changes(standard) : changes) };
  const plugins = makePlugins(deps);
  return {
    plugins,
    deps,
    dataDir,
    rooms,
    caller(name) {
      const caller = plugins.callerOf(name);
      if (caller === undefined) throw new Error(`${name} is not installed`);
      return caller;
    },
    async close() {
      await plugins.close();
      db.close();
    },
  };
}

/** Who a called event is, and when. */
export const STAMP = { id: "019b76da-a800-7000-8000-000000000001", at: "2026-01-01T00:00:00.000Z" };

export interface Sample {
  readonly name?: string;
  readonly version?: string;
  readonly required?: readonly string[];
  readonly optional?: readonly string[];
  /** More lines of plugin.toml. */
  readonly more?: string;
  readonly hooks?: readonly string[];
  readonly handles?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

export function samplePlugin(sample: Sample = {}): PackageFiles {
  const { hooks = ["on_deploy_success"], handles = hooks, required = [], optional = [] } = sample;
  const toml = [
    "[plugin]",
    `name = "${sample.name ?? "sample"}"`,
    `version = "${sample.version ?? "1.0.0"}"`,
    "tier = 2",
    "[capabilities]",
    `required = ${JSON.stringify(required)}`,
    `optional = ${JSON.stringify(optional)}`,
    "[hooks]",
    ...hooks.map((hook) => `${hook} = true`),
    sample.more ?? "",
  ].join("\n");
  return filesOf({ "plugin.toml": toml, "index.ts": `handles:${handles.join(",")}`, ...sample.files });
}

export function filesOf(texts: Readonly<Record<string, string>>): PackageFiles {
  return new Map(
    Object.entries(texts).map(([path, text]) => [
      path,
      { bytes: new TextEncoder().encode(text), executable: false },
    ]),
  );
}

/** Inspects and installs, granting what is required. */
export async function installSample(world: World, files: PackageFiles, capabilities?: readonly string[]) {
  const candidate = await world.plugins.inspect({ files });
  const names = capabilities ?? candidate.required.map((each) => each.capability);
  return world.plugins.install({
    source: { files },
    digest: candidate.digest,
    grants: names.map((name) => ({ capability: name as (typeof CAPABILITY_NAMES)[number] })),
    by: "tester",
  });
}

export function eventOf(hook: HookName): VoxeltronEvent {
  return { id: "event", hook, at: "2026-01-01T00:00:00.000Z" } as VoxeltronEvent;
}

// --- internal ---

function fakeRooms(rooms: Rooms): OpenRoom {
  return async (guest, door) => {
    const text = guest.code.kind === "js" ? guest.code.text : "";
    if (text.includes("throws")) throw fail("plugin.load_failed", "the code threw");
    rooms.open.add(guest);
    rooms.opened += 1;
    let alive = true;
    const stop = Promise.withResolvers<never>();
    stop.promise.catch(() => {});
    return {
      handlers: /handles:([\w,]*)/.exec(text)?.[1]?.split(",") ?? [],
      get alive() {
        return alive;
      },
      async call(hook, event, options) {
        door.log("info", `called with ${hook}`);
        try {
          return await rooms.call(guest, hook, event, options, stop.promise);
        } catch (error) {
          if (["plugin.timeout", "plugin.crashed"].includes((error as { code: string }).code)) alive = false;
          throw error;
        }
      },
      async stop() {
        alive = false;
        rooms.open.delete(guest);
        stop.reject(fail("plugin.stopped", "the room was stopped"));
      },
    };
  };
}

function closedDoor(plugin: string, logs: PluginLogs): PluginDoor {
  return {
    methods: [],
    invoke: () => Promise.reject(fail("capability.denied", "nothing is behind this door")),
    log: (level, text) => logs.append(plugin, { at: "2026-01-01T00:00:00.000Z", level, text }),
  };
}
