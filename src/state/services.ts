/**
 * The `services` table: what should run, and which version of it is live. Nothing here starts or stops anything.
 * Called by engine/deploys, engine/services and engine/reconcile.
 */
import type { Database } from "./database.ts";

export interface ServiceRows {
  find(name: string): ServiceRow | undefined;
  list(): readonly ServiceRow[];
  /** Makes the row where there is none, and hands out the next version number: 1, 2, 3 … */
  takeVersion(name: string, provider: string, at: string): number;
  /** The version is live, on this provider, and should run. */
  setCurrent(name: string, version: number, provider: string): void;
  setDesired(name: string, desired: Desired): void;
  remove(name: string): void;
}

export type Desired = "running" | "stopped";

export interface ServiceRow {
  readonly name: string;
  readonly provider: string;
  readonly desired: Desired;
  /** null until a deploy succeeded. */
  readonly currentVersion: number | null;
  readonly createdAt: string;
}

export function makeServiceRows(db: Database): ServiceRows {
  const columns =
    "name, provider, desired, current_version AS currentVersion, created_at AS createdAt FROM services";
  return {
    find: (name) => db.query<ServiceRow, [string]>(`SELECT ${columns} WHERE name = ?`).get(name) ?? undefined,
    list: () => db.query<ServiceRow, []>(`SELECT ${columns} ORDER BY name`).all(),
    takeVersion(name, provider, at) {
      const row = db
        .query<{ version: number }, [string, string, string]>(
          `INSERT INTO services (name, provider, desired, next_version, created_at) VALUES (?, ?, 'running', 2, ?)
           ON CONFLICT (name) DO UPDATE SET next_version = next_version + 1
           RETURNING next_version - 1 AS version`,
        )
        .get(name, provider, at);
      if (row === null) throw new Error("an upsert that returns no row");
      return row.version;
    },
    setCurrent(name, version, provider) {
      db.query(
        "UPDATE services SET current_version = ?, provider = ?, desired = 'running' WHERE name = ?",
      ).run(version, provider, name);
    },
    setDesired(name, desired) {
      db.query("UPDATE services SET desired = ? WHERE name = ?").run(desired, name);
    },
    remove(name) {
      db.query("DELETE FROM services WHERE name = ?").run(name);
    },
  };
}
