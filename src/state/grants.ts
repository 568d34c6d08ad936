/** What the operator consented to. A grant belongs to one digest: other files, other consent. */
import type { Database } from "bun:sqlite";

export function makeGrantRecords(db: Database): GrantRecords {
  const list = db.query<Row, [string, string]>(
    "SELECT capability, scope, granted_by, granted_at FROM grants WHERE plugin = ? AND digest = ? ORDER BY capability",
  );
  const put = db.query<null, [string, string, string, string | null, string, string]>(
    `INSERT OR REPLACE INTO grants (plugin, digest, capability, scope, granted_by, granted_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.query<null, [string, string]>("DELETE FROM grants WHERE plugin = ? AND capability = ?");
  const clear = db.query<null, [string]>("DELETE FROM grants WHERE plugin = ?");
  return {
    list: (plugin, digest) =>
      list.all(plugin, digest).map((row) => ({
        capability: row.capability,
        scope: row.scope === null ? null : (JSON.parse(row.scope) as string[]),
        grantedBy: row.granted_by,
        grantedAt: row.granted_at,
      })),
    put(plugin, digest, grant) {
      const scope = grant.scope === null ? null : JSON.stringify(grant.scope);
      put.run(plugin, digest, grant.capability, scope, grant.grantedBy, grant.grantedAt);
    },
    remove(plugin, capability) {
      remove.run(plugin, capability);
    },
    clear(plugin) {
      clear.run(plugin);
    },
  };
}

export interface GrantRecords {
  list(plugin: string, digest: string): readonly GrantRecord[];
  /** Takes the place of an earlier grant of the same capability. */
  put(plugin: string, digest: string, grant: GrantRecord): void;
  remove(plugin: string, capability: string): void;
  clear(plugin: string): void;
}

export interface GrantRecord {
  readonly capability: string;
  /** Null: the whole capability. Empty: nothing of it. */
  readonly scope: readonly string[] | null;
  readonly grantedBy: string;
  readonly grantedAt: string;
}

// --- internal ---

interface Row {
  readonly capability: string;
  readonly scope: string | null;
  readonly granted_by: string;
  readonly granted_at: string;
}
