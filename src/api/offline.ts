/**
 * What can be done without a daemon: look at the plugins in a data directory, check a plugin's folder, check a
 * configuration. Changes nothing. Host and daemon are imported only when asked for, so that clients stay quick. Called by
 * cli/.
 */
import { existsSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { fail } from "../base/errors.ts";
import { isBuiltIn } from "../base/built-ins.ts";
import { databaseFile, dropInFolders, packagesDir, type Environment } from "../base/paths.ts";
import type { CheckOptions, PluginReport } from "../host/check/check-plugin.ts";
import type { PluginRow } from "../state/plugins.ts";
import type { Examination, Output, PluginDetails } from "./operations.ts";

/**
 * What `plugin list` and `plugin info` show. `home`: of whose folder of drop-ins is looked at too. Undefined where neither `dataDir` nor
 * these folders hold anything. Throws `state.*`.
 */
export async function offlinePlugins(
  dataDir: string,
  home: string | undefined,
): Promise<OfflinePlugins | undefined> {
  const { findDropIns, rankDropIns } = await import("../host/drop-in/find-drop-ins.ts");
  const { builtInDetails, dropInDetails } = await import("../host/drop-in/uninstalled-views.ts");
  const { inListOrder } = await import("../host/plugin-views.ts");
  const isFresh = !existsSync(databaseFile(dataDir));
  const installed = isFresh ? [] : await installedPlugins(dataDir);
  const found = await findDropIns(dropInFolders(dataDir, home));
  const others = rankDropIns(
    found.dropIns,
    (name) => installed.find(({ row }) => row.name === name)?.row,
    isBuiltIn,
  );
  if (isFresh && others.length === 0) return undefined;
  const details = [...installed.map(({ details }) => details), ...others.map(dropInDetails)];
  return { plugins: inListOrder([...details, ...builtInDetails()]), folders: [...found.folders] };
}

export interface OfflinePlugins {
  readonly plugins: readonly PluginDetails[];
  readonly folders: Output<"plugin.list">["folders"];
}

/**
 * All that can be found out about a plugin's folder; its code is run as `options` say. Throws `upload.*` where the folder can't be read,
 * and `config.*` where the configuration has to say whether the plugin's code may be looked at unconfined, and can't be read.
 */
export async function checkPluginFolder(
  dir: string,
  { config, environment, uid }: CheckPlace,
  options: CheckOptions,
): Promise<PluginReport> {
  const { readSourceFolder } = await import("../host/package/source-folder.ts");
  const { makeOfflineCheck } = await import("../daemon/offline-check.ts");
  const { checkPlugin } = await import("../host/check/check-plugin.ts");
  return checkPlugin(await readSourceFolder(dir), makeOfflineCheck({ config }, environment, uid), options);
}

export interface CheckPlace {
  readonly config: string | undefined;
  readonly environment: Environment;
  readonly uid: number;
}

export { CHECK_IDS, groupOf, GROUPS } from "../host/check/checks.ts";
export type { CheckOptions, PluginReport } from "../host/check/check-plugin.ts";
export type { CheckResult } from "../host/check/findings.ts";

/**
 * Throws `config.unreadable` or `config.invalid`, naming file, line and key. The environment counts, as for the daemon.
 * Without a path it is the file that the daemon would take; gives the file, or undefined where there is none.
 */
export async function checkConfigFile(
  path: string | undefined,
  environment: Environment,
  uid: number,
): Promise<CheckedConfig> {
  const { loadConfig } = await import("../daemon/config.ts");
  const { unknownVariables } = await import("../daemon/config-environment.ts");
  const { file } = loadConfig({ config: path }, environment, uid);
  return { file, warnings: unknownVariables(environment) };
}

export interface CheckedConfig {
  /** Undefined where there is none. */
  readonly file: string | undefined;
  /** What has no effect, and looks as if it should. */
  readonly warnings: readonly string[];
}

/** What the doctor finds here, as whoever asks. A configuration with an error is one of the findings. */
export async function examineHere(
  config: string | undefined,
  environment: Environment,
  uid: number,
): Promise<Examination> {
  const { examineWithout } = await import("../daemon/doctor.ts");
  return examineWithout({ config }, environment, uid);
}

// --- internal ---

async function installedPlugins(
  dataDir: string,
): Promise<readonly { readonly row: PluginRow; readonly details: PluginDetails }[]> {
  const { openDatabaseReadOnly } = await import("../state/database.ts");
  const { makePluginRows } = await import("../state/plugins.ts");
  const { makeProviderInstanceRows } = await import("../state/provider-instances.ts");
  const { makePluginVersionRows } = await import("../state/plugin-versions.ts");
  const { makeGrantRows } = await import("../state/grants.ts");
  const { makeDeliveryRows } = await import("../state/deliveries.ts");
  const { makePackageStore } = await import("../host/package/package-store.ts");
  const { makeApprovedFolders } = await import("../host/drop-in/approved-folders.ts");
  const { makeIntegrity } = await import("../host/installed/integrity.ts");
  const { makeInstalledPlugin } = await import("../host/installed/installed-plugin.ts");
  const { makePluginStatus } = await import("../host/installed/plugin-status.ts");
  const { makeActionDesk } = await import("../host/runtimes/exec/action-desk.ts");
  const { makeSupervisor } = await import("../host/runtimes/supervisor.ts");
  const { confinementReport } = await import("../platform/confine/report.ts");
  const confinement = confinementReport();
  const db = openDatabaseReadOnly(databaseFile(dataDir));
  try {
    const grants = makeGrantRows(db);
    const deliveries = makeDeliveryRows(db);
    const instances = makeProviderInstanceRows(db);
    const status = makePluginStatus({
      integrity: makeIntegrity(makePackageStore(packagesDir(dataDir)), makeApprovedFolders()),
      versions: makePluginVersionRows(db),
      canConfine: () => confinement.ok,
      renew: () => {},
      linkProblem: () => undefined,
      configFor: () => ({}),
      ceilings: () => [],
      lastUse: () => () => undefined,
      watchedAfter: () => 0,
      redact: (text) => text,
      instancesOn: (provider) => instances.list(provider).map(({ name }) => name),
      pendingFor: (plugin) => deliveries.countPending(plugin),
    });
    const plugins = makePluginRows(db)
      .list()
      .map(async (row) => {
        const parts = { plugin: row.name, clock: systemClock };
        const supervisor = makeSupervisor({ ...parts, idleMs: () => 0, open: async () => refuse() });
        const actions = makeActionDesk({ ...parts, runProgram: async () => refuse(), open: refuse });
        const granted = grants.list(row.name, row.digest);
        const plugin = makeInstalledPlugin(row, granted, { supervisor, actions });
        return { row, details: await status.details(plugin) };
      });
    return await Promise.all(plugins);
  } finally {
    db.close();
  }
}

function refuse(): never {
  throw fail("daemon.not_reachable", "only the daemon runs plugins");
}
