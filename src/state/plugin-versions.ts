/**
 * The `plugin_versions` table: versions of installed plugins that were replaced and can be gone back to. The one that runs is not
 * among them. Read and written by the plugin host alone.
 */
import type { Database } from "./database.ts";
import { builtinsFrom, VERSION_COLUMNS, type PluginVersionRow } from "./plugins.ts";

export interface PluginVersionRows {
  /** The one that was replaced last comes first. */
  list(name: string): readonly PluginVersionRow[];
  /** As the newest of its plugin's; takes the place of an earlier one with the same digest. */
  put(row: PluginVersionRow): void;
  remove(name: string, digest: string): void;
  clear(name: string): void;
}

export function makePluginVersionRows(db: Database): PluginVersionRows {
  const list = db.query<Stored, [string]>(
    `SELECT ${VERSION_COLUMNS} FROM plugin_versions WHERE name = ? ORDER BY seq DESC`,
  );
  const put = db.query<null, [Record<string, string | null>]>(
    `INSERT OR REPLACE INTO plugin_versions
       (name, kind, version, digest, bundle_digest, manifest, builtins, isolation, source, installed_at)
     VALUES ($name, $kind, $version, $digest, $bundleDigest, $manifest, $builtins, $isolation, $source, $installedAt)`,
  );
  const remove = db.query<null, [string, string]>(
    "DELETE FROM plugin_versions WHERE name = ? AND digest = ?",
  );
  const clear = db.query<null, [string]>("DELETE FROM plugin_versions WHERE name = ?");
  return {
    list: (name) => list.all(name).map((row) => ({ ...row, builtins: builtinsFrom(row.builtins) })),
    put({ name, kind, version, digest, bundleDigest, manifest, builtins, isolation, source, installedAt }) {
      put.run({
        name,
        kind,
        version,
        digest,
        bundleDigest,
        manifest,
        builtins: JSON.stringify(builtins),
        isolation,
        source,
        installedAt,
      });
    },
    remove(name, digest) {
      remove.run(name, digest);
    },
    clear(name) {
      clear.run(name);
    },
  };
}

// --- internal ---

interface Stored extends Omit<PluginVersionRow, "builtins"> {
  readonly builtins: string;
}
