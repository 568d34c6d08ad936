/** The `plugin_files` table: which plugin made what stands in `files/`, so that one can't take the room of all. */
import { inTransaction, type Database } from "./database.ts";

export interface PluginFileRows {
  /** Plugin by path. */
  all(): ReadonlyMap<string, string>;
  put(path: string, plugin: string): void;
  remove(path: string): void;
  /** With all that is below it; what was known of `to` is forgotten. */
  move(from: string, to: string): void;
  /** Forgets what stands there no more. */
  keepOnly(paths: { has(path: string): boolean }): void;
}

export function makePluginFileRows(db: Database): PluginFileRows {
  const all = db.query<{ path: string; plugin: string }, []>("SELECT path, plugin FROM plugin_files");
  const put = db.query<null, [string, string]>(
    "INSERT INTO plugin_files (path, plugin) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET plugin = excluded.plugin",
  );
  const remove = db.query<null, [string]>("DELETE FROM plugin_files WHERE path = ?");
  const move = db.query<null, [string, string, string, string, string]>(
    `UPDATE OR REPLACE plugin_files SET path = ? || substr(path, length(?) + 1)
       WHERE path = ? OR substr(path, 1, length(?) + 1) = ? || '/'`,
  );
  return {
    all: () => new Map(all.all().map(({ path, plugin }) => [path, plugin])),
    put(path, plugin) {
      put.run(path, plugin);
    },
    remove(path) {
      remove.run(path);
    },
    move: (from, to) =>
      inTransaction(db, () => {
        remove.run(to);
        move.run(to, from, from, from, from);
      }),
    keepOnly: (paths) =>
      inTransaction(db, () => {
        for (const { path } of all.all()) if (!paths.has(path)) remove.run(path);
      }),
  };
}
