/** Which plugins are installed: one row each, made and changed by the plugin host alone. */
import type { Database } from "bun:sqlite";

export function makePluginRecords(db: Database): PluginRecords {
  const all = db.query<Row, []>(`SELECT ${COLUMNS} FROM plugins ORDER BY name`);
  const one = db.query<Row, [string]>(`SELECT ${COLUMNS} FROM plugins WHERE name = ?`);
  const put = db.query<
    null,
    [string, string, string, string, string | null, string, number, string | null, string, string]
  >(`INSERT OR REPLACE INTO plugins (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const enable = db.query<null, [number, string]>("UPDATE plugins SET enabled = ? WHERE name = ?");
  const remove = db.query<null, [string]>("DELETE FROM plugins WHERE name = ?");
  return {
    list: () => all.all().map(fromRow),
    get(name) {
      const row = one.get(name);
      return row === null ? undefined : fromRow(row);
    },
    put(record) {
      put.run(
        record.name,
        record.kind,
        record.version,
        record.digest,
        record.bundleDigest,
        record.manifest,
        record.enabled ? 1 : 0,
        record.isolation,
        record.source,
        record.installedAt,
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

export interface PluginRecords {
  /** In the order of their names. */
  list(): readonly PluginRecord[];
  get(name: string): PluginRecord | undefined;
  put(record: PluginRecord): void;
  setEnabled(name: string, enabled: boolean): void;
  remove(name: string): void;
}

export interface PluginRecord {
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

// --- internal ---

const COLUMNS =
  "name, kind, version, digest, bundle_digest, manifest, enabled, isolation, source, installed_at";

interface Row {
  readonly name: string;
  readonly kind: PluginRecord["kind"];
  readonly version: string;
  readonly digest: string;
  readonly bundle_digest: string | null;
  readonly manifest: string;
  readonly enabled: number;
  readonly isolation: string | null;
  readonly source: string;
  readonly installed_at: string;
}

function fromRow({ bundle_digest, installed_at, enabled, ...row }: Row): PluginRecord {
  return { ...row, bundleDigest: bundle_digest, installedAt: installed_at, enabled: enabled !== 0 };
}
