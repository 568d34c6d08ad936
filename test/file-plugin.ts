/** A plugin at the broker's door with the real files family, on a data directory of its own: what tests of `fs.*` share. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type Clock } from "../src/base/clock.ts";
import { LIMITS } from "../src/base/limits.ts";
import { silentLog } from "../src/base/log.ts";
import { makeBroker, type Broker } from "../src/host/capabilities/broker.ts";
import { fsMethods } from "../src/host/capabilities/fs.ts";
import { makeFileStore, type FileStore } from "../src/host/files/file-store.ts";
import { makeFileWriter } from "../src/host/files/writer.ts";
import type { FileLimits } from "../src/host/files/quota.ts";
import type { Capability } from "../src/sdk/index.ts";
import type { AuditRow } from "../src/state/audit.ts";
import { openDatabase, type Database } from "../src/state/database.ts";
import { makePluginFileRows } from "../src/state/plugin-files.ts";

export interface FilePlugin extends AsyncDisposable {
  readonly dataDir: string;
  readonly audit: readonly AuditRow[];
  /** May be changed: a grant counts as it is. */
  readonly grants: Map<Capability, readonly string[] | null>;
  readonly db: Database;
  /** `call("read", {path})` is `fs.read`. */
  readonly call: (method: string, params: unknown, signal?: AbortSignal) => Promise<unknown>;
  /** The same as another plugin, with the same grants. */
  readonly as: (plugin: string) => FilePlugin["call"];
  /** A daemon that starts again on the same data. */
  restart(): void;
  /** As after a grant or a revoke. */
  rightsChanged(): void;
}

export interface FilePluginOptions {
  readonly grants?: readonly (readonly [Capability, readonly string[] | null])[];
  readonly limits?: () => Partial<FileLimits>;
  /** Where the data directory is made, or the one that is there. */
  readonly under?: string;
  readonly dataDir?: string | undefined;
  readonly clock?: Clock;
  readonly store?: (store: FileStore) => FileStore;
}

export function filePlugin(options: FilePluginOptions = {}): FilePlugin {
  const dataDir = options.dataDir ?? mkdtempSync(join(options.under ?? tmpdir(), "voxeltron-files-"));
  mkdirSync(join(dataDir, "files"), { mode: 0o700, recursive: true });
  const audit: AuditRow[] = [];
  const grants = new Map<Capability, readonly string[] | null>(
    options.grants ?? [
      ["fs_read", null],
      ["fs_write", null],
    ],
  );
  const db = openDatabase(":memory:");
  let broker = start();

  function start(): Broker {
    const plain = makeFileStore(dataDir);
    const store = options.store?.(plain) ?? plain;
    const writer = makeFileWriter({
      store,
      rows: makePluginFileRows(db),
      limits: () => ({
        maxBytes: LIMITS.filesBytes,
        maxCount: LIMITS.filesCount,
        ...options.limits?.(),
      }),
      clock: options.clock ?? systemClock,
    });
    return makeBroker({
      methods: fsMethods({ store, writer }),
      callerOf: (plugin) => ({
        plugin,
        grants,
        requested: new Set(["fs_read", "fs_write"]),
        optional: new Set(),
        withheld: new Set(),
      }),
      audit: { append: (row) => audit.push(row) },
      pluginLogs: { append: () => 0 },
      quota: () => UNBOUNDED,
      clock: systemClock,
      log: silentLog,
    });
  }
  const as = (plugin: string): FilePlugin["call"] => {
    return (method, params, signal) => broker.doorFor(plugin).invoke(`fs.${method}`, params, signal);
  };
  return {
    dataDir,
    audit,
    grants,
    db,
    as,
    call: (...words) => as("scribe")(...words),
    restart: () => (broker = start()),
    rightsChanged: () => broker.rightsChanged(),
    async [Symbol.asyncDispose]() {
      db.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

// --- internal ---

/** What a call may be is tested here, not how many there may be. */
const UNBOUNDED = { calls_per_second: 1e6, concurrent_calls: 1000, bytes_per_second: 1e12 };
