/**
 * A plugin host on a real folder and a real database, with rooms that run nothing: their guest is data. The "bundle" is the
 * main file's text; `handles:a,b` in it says which functions the code has, `imports:node:x` what it imports, `throws` that it does
 * not load, `loud` that it logs when it does. A WASM module is such a text too.
 */
import { LIMITS } from "../../../src/base/limits.ts";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { fail } from "../../../src/base/errors.ts";
import { dropInFolders, packagesDir } from "../../../src/base/paths.ts";
import type { CallerOf } from "../../../src/host/capabilities/broker.ts";
import { makePluginAudit } from "../../../src/host/audit/plugin-audit.ts";
import { silentLog } from "../../../src/base/log.ts";
import { NO_CEILING } from "../../../src/host/ceiling.ts";
import type { Caller } from "../../../src/host/capabilities/method.ts";
import type { PackageFiles } from "../../../src/host/package/package-files.ts";
import { makePackageStore } from "../../../src/host/package/package-store.ts";
import { makePluginLogs, type PluginLogs } from "../../../src/host/installed/plugin-logs.ts";
import { makePlugins, type Plugins, type PluginsDeps } from "../../../src/host/plugins.ts";
import {
  ROOM_KINDS,
  type CallOptions,
  type Guest,
  type GuestCode,
  type OpenRoom,
  type PluginDoor,
  type RoomKind,
} from "../../../src/host/runtimes/runtime.ts";
import { readLinked } from "../../../src/host/link/read-linked.ts";
import { watchFolder } from "../../../src/platform/folder/watch-folder.ts";
import { makePluginUidRows } from "../../../src/state/plugin-uids.ts";
import { makePluginVersionRows } from "../../../src/state/plugin-versions.ts";
import { type CAPABILITY_NAMES, type HookName, type VoxeltronEvent } from "../../../src/sdk/index.ts";
import { parseEvent } from "../../../src/engine/events/parse-event.ts";
import { sampleEvent } from "../../../src/engine/events/samples.ts";
import { makeAuditRows } from "../../../src/state/audit.ts";
import { makeAuditTotalRows } from "../../../src/state/audit-totals.ts";
import { inTransaction, openDatabase, transactionOf } from "../../../src/state/database.ts";
import { makeGrantRows } from "../../../src/state/grants.ts";
import { makePluginKvRows } from "../../../src/state/plugin-kv.ts";
import { makePluginLogRows } from "../../../src/state/plugin-logs.ts";
import { makePluginRows } from "../../../src/state/plugins.ts";
import { tempDir } from "../../harness.ts";

export interface World {
  readonly plugins: Plugins;
  readonly deps: PluginsDeps;
  readonly dataDir: string;
  /** Guests whose room is open now, in which kind, and how many rooms were opened at all. */
  readonly rooms: Rooms;
  /** What a guest's door was asked, by plugin. */
  caller(name: string): Caller;
  close(): Promise<void>;
}

export interface Rooms {
  readonly open: Map<Guest, RoomKind>;
  opened: number;
  /** What each room was given to speak to the host. */
  readonly doors: Map<Guest, PluginDoor>;
  /** Ends it from inside, as a crash between two calls would. */
  readonly crash: (guest: Guest) => void;
  /** Why no room opens, while a test wants that. */
  refuses: Error | undefined;
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
  const crashed = new Set<Guest>();
  const rooms: Rooms = {
    open: new Map(),
    opened: 0,
    refuses: undefined,
    doors: new Map(),
    crash: (guest) => crashed.add(guest),
    call: async (guest, hook) => ({ version: guest.version, hook }),
  };
  const logs = makePluginLogs(makePluginLogRows(db, { rows: 1000, bytes: LIMITS.logBytesPerPlugin }));
  const standard: PluginsDeps = {
    rows: makePluginRows(db),
    versions: makePluginVersionRows(db),
    uids: makePluginUidRows(db),
    grants: makeGrantRows(db),
    kv: makePluginKvRows(db),
    clearContainers: async () => {},
    transaction: (work) => inTransaction(db, work),
    store: makePackageStore(packagesDir(dataDir)),
    dropInFolders: dropInFolders(dataDir, undefined),
    clock: systemClock,
    log: silentLog,
    logs,
    redact: (text) => text,
    bundle: async (sources, entry) => {
      const code = new TextDecoder().decode(sources.get(entry));
      return { code, sourceMap: "{}", builtins: code.match(/(?<=imports:)\S+/g) ?? [] };
    },
    openRooms: Object.fromEntries(
      ROOM_KINDS.map((kind) => [kind, fakeRoom(kind, rooms, crashed)]),
    ) as PluginsDeps["openRooms"],
    canConfine: () => true,
    doorFor: (plugin, callerOf) => fakeDoor(plugin, callerOf, logs),
    readLinked,
    watch: (folder, changed) => watchFolder(folder, systemClock, changed),
    configFor: () => ({}),
    ceilings: () => NO_CEILING,
    idleMs: () => 60_000,
    calledEvent: (hook, given) =>
      given === undefined ? sampleEvent(hook, STAMP) : parseEvent(hook, given, STAMP),
    pendingFor: () => 0,
    changed() {},
    embedded: new Map(),
    audit: makePluginAudit({
      rows: makeAuditRows(db, 1000),
      totals: makeAuditTotalRows(db),
      together: (work) => transactionOf(db, work),
      opens: () => [],
      pause: async () => {},
    }),
    watchedAfter: () => 0,
    instancesOn: () => [],
    actionTimeouts: () => ({}),
    runProgram: async () => undefined,
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
  readonly tier?: 1 | 2;
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
    `tier = ${sample.tier ?? 2}`,
    "[capabilities]",
    `required = ${JSON.stringify(required)}`,
    `optional = ${JSON.stringify(optional)}`,
    "[hooks]",
    ...hooks.map((hook) => `${hook} = true`),
    sample.more ?? "",
  ].join("\n");
  const main = sample.tier === 1 ? "plugin.wasm" : "index.ts";
  return filesOf({ "plugin.toml": toml, [main]: `handles:${handles.join(",")}`, ...sample.files });
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

function fakeRoom(kind: RoomKind, rooms: Rooms, crashed: ReadonlySet<Guest>): OpenRoom {
  return async (guest, door) => {
    const text = textOf(guest.code);
    if (text.includes("loud")) door.log("debug", `${guest.version} is loaded`);
    if (text.includes("throws")) throw fail("plugin.load_failed", "the code threw");
    if (rooms.refuses !== undefined) throw rooms.refuses;
    rooms.open.set(guest, kind);
    rooms.doors.set(guest, door);
    rooms.opened += 1;
    let alive = true;
    const stop = Promise.withResolvers<never>();
    stop.promise.catch(() => {});
    return {
      handlers: /handles:([\w,]*)/.exec(text)?.[1]?.split(",") ?? [],
      get alive() {
        return alive && !crashed.has(guest);
      },
      async call(hook, event, options) {
        door.log("info", `called with ${hook}`);
        try {
          return await rooms.call(guest, hook, event, options, stop.promise);
        } catch (error) {
          if (STOPPED.includes((error as { code: string }).code)) alive = false;
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

function textOf(code: GuestCode): string {
  if (code.kind === "exec") return `handles:${code.hooks.join(",")}`;
  return code.kind === "js" ? code.text : new TextDecoder().decode(code.bytes);
}

const STOPPED = ["plugin.timeout", "plugin.crashed", "plugin.out_of_memory"];

/** Answers with what its caller may use. */
function fakeDoor(plugin: string, callerOf: CallerOf, logs: PluginLogs): PluginDoor {
  return {
    get methods() {
      const { grants = new Map() } = callerOf(plugin) ?? {};
      return [...grants.keys()].map((name) => ({
        name,
        args: [],
        surface: "method" as const,
        needs: [name],
        asked: [name],
        linked: true,
      }));
    },
    async invoke() {
      const caller = callerOf(plugin);
      if (caller === undefined) throw fail("plugin.not_found", `${plugin} is not installed any more`);
      return [...caller.grants.keys()];
    },
    log: (level, text) => logs.append(plugin, { at: "2026-01-01T00:00:00.000Z", level, text }),
  };
}
