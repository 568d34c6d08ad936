/** The `grants` table: what the operator consented to. A grant belongs to one digest: other files, other consent. */
import type { Database } from "./database.ts";

export interface GrantRows {
  list(plugin: string, digest: string): readonly GrantRow[];
  /** Takes the place of an earlier grant of the same capability. */
  put(plugin: string, digest: string, grant: GrantRow): void;
  /** Of all its versions: what was taken back comes back with none of them. */
  remove(plugin: string, capability: string): void;
  /** Those of one version. */
  forget(plugin: string, digest: string): void;
  clear(plugin: string): void;
}

export interface GrantRow {
  readonly capability: string;
  /** Null: the whole capability. Empty: nothing of it. */
  readonly scope: readonly string[] | null;
  readonly grantedBy: string;
  readonly grantedAt: string;
}

export function makeGrantRows(db: Database): GrantRows {
  const list = db.query<Stored, [string, string]>(
    `SELECT capability, scope, granted_by AS grantedBy, granted_at AS grantedAt FROM grants
     WHERE plugin = ? AND digest = ? ORDER BY capability`,
  );
  const put = db.query<null, [string, string, string, string | null, string, string]>(
    `INSERT OR REPLACE INTO grants (plugin, digest, capability, scope, granted_by, granted_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.query<null, [string, string]>("DELETE FROM grants WHERE plugin = ? AND capability = ?");
  const forget = db.query<null, [string, string]>("DELETE FROM grants WHERE plugin = ? AND digest = ?");
  const clear = db.query<null, [string]>("DELETE FROM grants WHERE plugin = ?");
  return {
    list: (plugin, digest) => list.all(plugin, digest).map(fromStored),
    put(plugin, digest, grant) {
      const scope = grant.scope === null ? null : JSON.stringify(grant.scope);
      put.run(plugin, digest, grant.capability, scope, grant.grantedBy, grant.grantedAt);
    },
    remove(plugin, capability) {
      remove.run(plugin, capability);
    },
    forget(plugin, digest) {
      forget.run(plugin, digest);
    },
    clear(plugin) {
      clear.run(plugin);
    },
  };
}

// --- internal ---

/** The scope is kept as JSON. */
interface Stored extends Omit<GrantRow, "scope"> {
  readonly scope: string | null;
}

function fromStored({ scope, ...row }: Stored): GrantRow {
  return { ...row, scope: scope === null ? null : (JSON.parse(scope) as string[]) };
}
