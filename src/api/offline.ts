/**
 * What can be done without a daemon: look at the plugins in a data directory, check a plugin's folder, check a
 * configuration. Changes nothing. Host and daemon are imported only when asked for, so that clients stay quick. Called by
 * cli/.
 */
import { existsSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { fail } from "../base/errors.ts";
import { databaseFile, pluginsDir, type Environment } from "../base/paths.ts";
import type { Report } from "../host/check-files.ts";
import type { PackageFile } from "../host/package/package-files.ts";
import { CAPABILITY_NAMES } from "../sdk/index.ts";
import type { PluginDetails } from "./operations.ts";

/** Undefined where `dataDir` holds no data of ours. Throws `state.*`. */
export async function offlinePlugins(dataDir: string): Promise<readonly PluginDetails[] | undefined> {
  const file = databaseFile(dataDir);
  if (!existsSync(file)) return undefined;
  const { openDatabaseReadOnly } = await import("../state/database.ts");
  const { makePluginRows } = await import("../state/plugins.ts");
  const { makeGrantRows } = await import("../state/grants.ts");
  const { makeDeliveryRows } = await import("../state/deliveries.ts");
  const { makePackageStore } = await import("../host/package/package-store.ts");
  const { makeIntegrity } = await import("../host/integrity.ts");
  const { makeInstalledPlugin } = await import("../host/installed-plugin.ts");
  const { makePluginStatus } = await import("../host/plugin-status.ts");
  const { makeSupervisor } = await import("../host/runtimes/supervisor.ts");
  const db = openDatabaseReadOnly(file);
  try {
    const grants = makeGrantRows(db);
    const deliveries = makeDeliveryRows(db);
    const status = makePluginStatus({
      integrity: makeIntegrity(makePackageStore(pluginsDir(dataDir))),
      configFor: () => ({}),
      ceiling: () => CAPABILITY_NAMES,
      pendingFor: (plugin) => deliveries.countPending(plugin),
    });
    const details = makePluginRows(db)
      .list()
      .map((row) => {
        const supervisor = makeSupervisor({
          plugin: row.name,
          clock: systemClock,
          idleMs: () => 0,
          open: () => Promise.reject(fail("daemon.not_reachable", "only the daemon runs plugins")),
        });
        return status.details(makeInstalledPlugin(row, grants.list(row.name, row.digest), supervisor));
      });
    return await Promise.all(details);
  } finally {
    db.close();
  }
}

/** What an install would refuse or ask; the code is bundled, not run. Throws `upload.*` where the folder can't be read. */
export async function checkPluginFolder(dir: string): Promise<Report> {
  const { listFolder, readEntry } = await import("./folder.ts");
  const { bundlePlugin } = await import("../host/bundle/bundle-plugin.ts");
  const { checkFiles } = await import("../host/check-files.ts");
  const files = new Map<string, PackageFile>();
  for (const entry of listFolder(dir, "plugin")) {
    const bytes = Buffer.concat(await Array.fromAsync(readEntry(entry)));
    files.set(entry.path, { bytes, executable: entry.executable });
  }
  return checkFiles(files, bundlePlugin);
}

export type { Report as PluginReport } from "../host/check-files.ts";

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
