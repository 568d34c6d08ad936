/**
 * The `service_env` table: what `env set` and `deploy --env` gave a service; the next deploy uses it. Values may be secrets:
 * they leave only towards the operator who asks, and the instance.
 * Called by engine/deploys and engine/services.
 */
import type { Database } from "./database.ts";

export interface ServiceEnvRows {
  all(service: string): Readonly<Record<string, string>>;
  set(service: string, env: Readonly<Record<string, string>>): void;
  unset(service: string, keys: readonly string[]): void;
  removeAll(service: string): void;
}

export function makeServiceEnvRows(db: Database): ServiceEnvRows {
  return {
    all(service) {
      const rows = db
        .query<{ key: string; value: string }, [string]>(
          "SELECT key, value FROM service_env WHERE service = ? ORDER BY key",
        )
        .all(service);
      return Object.fromEntries(rows.map((row) => [row.key, row.value]));
    },
    set(service, env) {
      const insert = db.query(
        `INSERT INTO service_env (service, key, value) VALUES (?, ?, ?)
         ON CONFLICT (service, key) DO UPDATE SET value = excluded.value`,
      );
      for (const [key, value] of Object.entries(env)) insert.run(service, key, value);
    },
    unset(service, keys) {
      const remove = db.query("DELETE FROM service_env WHERE service = ? AND key = ?");
      for (const key of keys) remove.run(service, key);
    },
    removeAll(service) {
      db.query("DELETE FROM service_env WHERE service = ?").run(service);
    },
  };
}
