/**
 * The `registries` table: who we are at which container registry. The password is sealed before it comes here and opened
 * after it leaves (engine/secret-box.ts). Called by engine/registries.ts.
 */
import type { Database } from "./database.ts";

export interface RegistryRows {
  find(host: string): RegistryRow | undefined;
  list(): readonly RegistryRow[];
  put(row: RegistryRow): void;
  /** False where there was none. */
  remove(host: string): boolean;
}

export interface RegistryRow {
  readonly host: string;
  readonly username: string;
  /** Sealed. */
  readonly password: Uint8Array;
  readonly updatedAt: string;
}

export function makeRegistryRows(db: Database): RegistryRows {
  const columns = "host, username, password, updated_at AS updatedAt FROM registries";
  return {
    find: (host) =>
      db.query<RegistryRow, [string]>(`SELECT ${columns} WHERE host = ?`).get(host) ?? undefined,
    list: () => db.query<RegistryRow, []>(`SELECT ${columns} ORDER BY host`).all(),
    put(row) {
      db.query(
        `INSERT INTO registries (host, username, password, updated_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (host) DO UPDATE SET username = excluded.username, password = excluded.password,
           updated_at = excluded.updated_at`,
      ).run(row.host, row.username, row.password, row.updatedAt);
    },
    remove: (host) => db.query("DELETE FROM registries WHERE host = ?").run(host).changes > 0,
  };
}
