/** The `plugins` table: which are installed, one row each. Made and changed by the plugin host alone. */
import type { Database } from "./database.ts";

export interface PluginRows {
  /** In the order of their names. */
  list(): readonly PluginRow[];
  get(name: string): PluginRow | undefined;
  put(row: PluginRow): void;
  setEnabled(name: string, enabled: boolean): void;
  remove(name: string): void;
}

export interface PluginRow {
  readonly name: string;
  readonly kind: "js" | "wasm" | "exec";
  readonly version: string;
  readonly digest: string;
  readonly bundleDigest: string | null;
  /** The manifest's text, as installed. */
  readonly manifest: string;
  readonly enabled: boolean;
  /** What the operator asked for at install. */
  readonly isolation: string | null;
  /** Where it came from: `folder`, `embedded`. */
  readonly source: string;
  readonly installedAt: string;
}

export function makePluginRows(db: Database): PluginRows {
  const columns = `SELECT name, kind, version, digest, bundle_digest AS bundleDigest, manifest, enabled, isolation, source,
    installed_at AS installedAt FROM plugins`;
  const all = db.query<Stored, []>(`${columns} ORDER BY name`);
  const one = db.query<Stored, [string]>(`${columns} WHERE name = ?`);
  const put = db.query<
    null,
    [string, string, string, string, string | null, string, number, string | null, string, string]
  >(
    `INSERT OR REPLACE INTO plugins
       (name, kind, version, digest, bundle_digest, manifest, enabled, isolation, source, installed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const enable = db.query<null, [number, string]>("UPDATE plugins SET enabled = ? WHERE name = ?");
  const remove = db.query<null, [string]>("DELETE FROM plugins WHERE name = ?");
  return {
    list: () => all.all().map(fromStored),
    get(name) {
      const row = one.get(name);
      return row === null ? undefined : fromStored(row);
    },
    put(row) {
      put.run(
        row.name,
        row.kind,
        row.version,
        row.digest,
        row.bundleDigest,
        row.manifest,
        row.enabled ? 1 : 0,
        row.isolation,
        row.source,
        row.installedAt,
      );
    },
    setEnabled(name, enabled) {
      enable.run(enabled ? 1 : 0, name);
    },
    remove(name) {
      remove.run(name);
    },
  };
}

// --- internal ---

/** SQLite has no booleans. */
interface Stored extends Omit<PluginRow, "enabled"> {
  readonly enabled: number;
}

function fromStored(row: Stored): PluginRow {
  return { ...row, enabled: row.enabled !== 0 };
}
