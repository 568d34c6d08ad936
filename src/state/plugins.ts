/** The `plugins` table: which are installed, one row each. Made and changed by the plugin host alone. */
import type { Database } from "./database.ts";

export interface PluginRows {
  /** In the order of their names. */
  list(): readonly PluginRow[];
  get(name: string): PluginRow | undefined;
  put(row: PluginRow): void;
  setEnabled(name: string, enabled: boolean): void;
  setStruckOut(name: string, at: string): void;
  setPaused(name: string, reason: string | null): void;
  remove(name: string): void;
}

/** What is known of one version, whether it runs or is kept to go back to. */
export interface PluginVersionRow {
  readonly name: string;
  readonly kind: "js" | "wasm" | "exec";
  readonly version: string;
  readonly digest: string;
  /** Null where what runs is one of its files, which `digest` covers. */
  readonly bundleDigest: string | null;
  /** The manifest's text, as installed. */
  readonly manifest: string;
  /** The Node modules that its bundle imports where it runs. */
  readonly builtins: readonly string[];
  /** What the operator asked for at install. */
  readonly isolation: "worker" | "process" | null;
  /** Where it came from: `folder`, `embedded`, `drop-in`. */
  readonly source: string;
  readonly installedAt: string;
}

export interface PluginRow extends PluginVersionRow {
  readonly enabled: boolean;
  /** When its Worker's guests had been stopped so often that it moved to a process. */
  readonly struckOutAt: string | null;
  /** The folder whose changes are taken over. */
  readonly link: string | null;
  /** Why it gets no events until its operator consents. */
  readonly paused: string | null;
  /** The folder that it was dropped into: it runs only while that still holds what was consented to. */
  readonly dropIn: string | null;
}

export function makePluginRows(db: Database): PluginRows {
  const columns = `SELECT ${VERSION_COLUMNS}, enabled, struck_out_at AS struckOutAt, link, paused,
    drop_in AS dropIn FROM plugins`;
  const all = db.query<Stored, []>(`${columns} ORDER BY name`);
  const one = db.query<Stored, [string]>(`${columns} WHERE name = ?`);
  const put = db.query<null, [Record<string, string | number | null>]>(
    `INSERT OR REPLACE INTO plugins (name, kind, version, digest, bundle_digest, manifest, builtins, isolation, source,
       installed_at, enabled, struck_out_at, link, paused, drop_in)
     VALUES ($name, $kind, $version, $digest, $bundleDigest, $manifest, $builtins, $isolation, $source,
       $installedAt, $enabled, $struckOutAt, $link, $paused, $dropIn)`,
  );
  const enable = db.query<null, [number, string]>("UPDATE plugins SET enabled = ? WHERE name = ?");
  const strikeOut = db.query<null, [string, string]>("UPDATE plugins SET struck_out_at = ? WHERE name = ?");
  const pause = db.query<null, [string | null, string]>("UPDATE plugins SET paused = ? WHERE name = ?");
  const remove = db.query<null, [string]>("DELETE FROM plugins WHERE name = ?");
  return {
    list: () => all.all().map(fromStored),
    get(name) {
      const row = one.get(name);
      return row === null ? undefined : fromStored(row);
    },
    put(row) {
      put.run({ ...row, builtins: JSON.stringify(row.builtins), enabled: row.enabled ? 1 : 0 });
    },
    setEnabled(name, enabled) {
      enable.run(enabled ? 1 : 0, name);
    },
    setStruckOut(name, at) {
      strikeOut.run(at, name);
    },
    setPaused(name, reason) {
      pause.run(reason, name);
    },
    remove(name) {
      remove.run(name);
    },
  };
}

/** Those of PluginVersionRow; plugin-versions.ts has them too. */
export const VERSION_COLUMNS =
  "name, kind, version, digest, bundle_digest AS bundleDigest, manifest, builtins, isolation, source, installed_at AS installedAt";

export function builtinsFrom(stored: string): readonly string[] {
  return JSON.parse(stored) as string[];
}

// --- internal ---

/** SQLite has no booleans and no lists. */
interface Stored extends Omit<PluginRow, "enabled" | "builtins"> {
  readonly enabled: number;
  readonly builtins: string;
}

function fromStored(row: Stored): PluginRow {
  return { ...row, enabled: row.enabled !== 0, builtins: builtinsFrom(row.builtins) };
}
