/**
 * The `services` table: what should run, and which version of it is live. Nothing here starts or stops anything.
 * Called by engine/deploys, engine/services and engine/reconcile.
 */
import type { Database } from "./database.ts";

export interface ServiceRows {
  find(name: string): ServiceRow | undefined;
  list(): readonly ServiceRow[];
  /** Makes the row where there is none, and hands out the next version number: 1, 2, 3 … */
  takeVersion(name: string, place: ServicePlace, at: string): number;
  /** The version is live there, and should run. */
  setCurrent(name: string, version: number, place: ServicePlace): void;
  setDesired(name: string, desired: Desired): void;
  remove(name: string): void;
}

export type Desired = "running" | "stopped";

export interface ServicePlace {
  readonly provider: string;
  readonly server: string;
}

export interface ServiceRow extends ServicePlace {
  readonly name: string;
  readonly desired: Desired;
  /** null until a deploy succeeded. */
  readonly currentVersion: number | null;
  readonly createdAt: string;
}

export function makeServiceRows(db: Database): ServiceRows {
  const columns =
    "name, provider, server, desired, current_version AS currentVersion, created_at AS createdAt FROM services";
  return {
    find: (name) => db.query<ServiceRow, [string]>(`SELECT ${columns} WHERE name = ?`).get(name) ?? undefined,
    list: () => db.query<ServiceRow, []>(`SELECT ${columns} ORDER BY name`).all(),
    takeVersion(name, { provider, server }, at) {
      const row = db
        .query<{ version: number }, [string, string, string, string]>(
          `INSERT INTO services (name, provider, server, desired, next_version, created_at) VALUES (?, ?, ?, 'running', 2, ?)
           ON CONFLICT (name) DO UPDATE SET next_version = next_version + 1
           RETURNING next_version - 1 AS version`,
        )
        .get(name, provider, server, at);
      if (row === null) throw new Error("an upsert that returns no row");
      return row.version;
    },
    setCurrent(name, version, { provider, server }) {
      db.query(
        "UPDATE services SET current_version = ?, provider = ?, server = ?, desired = 'running' WHERE name = ?",
      ).run(version, provider, server, name);
    },
    setDesired(name, desired) {
      db.query("UPDATE services SET desired = ? WHERE name = ?").run(desired, name);
    },
    remove(name) {
      db.query("DELETE FROM services WHERE name = ?").run(name);
    },
  };
}
