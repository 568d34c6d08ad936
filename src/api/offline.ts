/**
 * What can be done without a daemon: look at the plugins in a data directory, check a plugin's folder, check a
 * configuration. Changes nothing. Host and daemon are imported only when asked for, so that clients stay quick. Called by
 * cli/.
 */
import { existsSync } from "node:fs";
import { databaseFile, pluginsDir, type Environment } from "../base/paths.ts";
import type { CandidateView, PluginDetails } from "./operations.ts";

/** Undefined where `dataDir` holds no data of ours. Throws `state.*`. */
export async function offlinePlugins(dataDir: string): Promise<readonly PluginDetails[] | undefined> {
  const file = databaseFile(dataDir);
  if (!existsSync(file)) return undefined;
  const { openDatabaseReadOnly } = await import("../state/database.ts");
  const { makePluginRecords } = await import("../state/plugins.ts");
  const { makeGrantRecords } = await import("../state/grants.ts");
  const { makeDeliveryRows } = await import("../state/deliveries.ts");
  const { makePackageStore } = await import("../host/package/package-store.ts");
  const { makeIntegrity } = await import("../host/integrity.ts");
  const { consentView, pluginView } = await import("../host/plugin-views.ts");
  const { parseManifest } = await import("../host/manifest/parse-manifest.ts");
  const db = openDatabaseReadOnly(file);
  try {
    const grants = makeGrantRecords(db);
    const deliveries = makeDeliveryRows(db);
    const integrity = makeIntegrity(makePackageStore(pluginsDir(dataDir)));
    return await Promise.all(
      makePluginRecords(db)
        .list()
        .map(async (record) => {
          const { name, digest, installedAt, source } = record;
          const tampered = await integrity.tamperedBecause(record);
          const state = record.enabled ? "enabled" : "disabled";
          const manifest = parseManifest(new TextEncoder().encode(record.manifest));
          return {
            ...pluginView(record, tampered === undefined ? state : "tampered", tampered ?? null),
            ...consentView(manifest, grants.list(name, digest)),
            digest,
            installedAt,
            source,
            room: "js-worker",
            strikes: 0,
            running: false,
            pending: deliveries.countPending(name),
            warnings: [],
          };
        }),
    );
  } finally {
    db.close();
  }
}

/** What an install would refuse or ask. Throws `upload.*` where the folder can't be read. */
export async function checkPluginFolder(dir: string): Promise<PluginReport> {
  const { listFolder, readEntry } = await import("./folder.ts");
  const { checkFiles } = await import("../host/check-files.ts");
  const files = new Map<string, { readonly bytes: Uint8Array; readonly executable: boolean }>();
  for (const entry of listFolder(dir, "plugin")) {
    const bytes = Buffer.concat(await Array.fromAsync(readEntry(entry)));
    files.set(entry.path, { bytes, executable: entry.executable });
  }
  return checkFiles(files);
}

export interface PluginReport {
  /** False where an install would be refused. */
  readonly ok: boolean;
  readonly problems: readonly {
    readonly level: "error" | "warning";
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
  }[];
  /** Null where the manifest can't be read. */
  readonly candidate: CandidateView | null;
}

/**
 * Throws `config.unreadable` or `config.invalid`, naming file, line and key. The environment counts, as for the daemon.
 * Without a path it is the file that the daemon would take; gives the file, or undefined where there is none.
 */
export async function checkConfigFile(
  path: string | undefined,
  environment: Environment,
  uid: number,
): Promise<string | undefined> {
  const { loadConfig } = await import("../daemon/config.ts");
  return loadConfig({ config: path }, environment, uid).file;
}
