/**
 * The `plugin_uids` table: as which user each plugin's processes run, where the daemon may choose. No two plugins have one id.
 * Read and written by host/uid-for.ts; rows go with their plugin.
 */
import { inTransaction, type Database } from "./database.ts";

export interface PluginUidRows {
  get(plugin: string): number | undefined;
  /** In order. */
  taken(): readonly number[];
  /** Replaces what it had. Throws where another plugin has that id. */
  put(plugin: string, uid: number): void;
  remove(plugin: string): void;
  /** Removes all but those of `plugins`: of an install that a crash cut short, a row may be left. */
  retain(plugins: readonly string[]): void;
}

export function makePluginUidRows(db: Database): PluginUidRows {
  const one = db.query<{ uid: number }, [string]>("SELECT uid FROM plugin_uids WHERE plugin = ?");
  const all = db.query<{ plugin: string; uid: number }, []>(
    "SELECT plugin, uid FROM plugin_uids ORDER BY uid",
  );
  const put = db.query<null, [string, number]>(
    "INSERT INTO plugin_uids (plugin, uid) VALUES (?, ?) ON CONFLICT (plugin) DO UPDATE SET uid = excluded.uid",
  );
  const remove = db.query<null, [string]>("DELETE FROM plugin_uids WHERE plugin = ?");
  return {
    get: (plugin) => one.get(plugin)?.uid,
    taken: () => all.all().map(({ uid }) => uid),
    put(plugin, uid) {
      put.run(plugin, uid);
    },
    remove(plugin) {
      remove.run(plugin);
    },
    retain(plugins) {
      inTransaction(db, () => {
        for (const { plugin } of all.all()) if (!plugins.includes(plugin)) remove.run(plugin);
      });
    },
  };
}
