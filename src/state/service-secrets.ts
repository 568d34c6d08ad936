/**
 * The `service_secrets` table: what `secret set` gave a service. A value is sealed before it comes here and opened after it
 * leaves (engine/secret-box.ts). Called by engine/secrets and, where a service is removed or a name is taken, by its neighbours.
 */
import type { Database } from "./database.ts";

export interface ServiceSecretRows {
  find(service: string, name: string): ServiceSecretRow | undefined;
  /** Of one service, or of all: in the order of services, then of names. */
  list(service?: string): readonly ServiceSecretRow[];
  put(row: ServiceSecretRow): void;
  remove(service: string, name: string): void;
  removeAll(service: string): void;
  /** Another number after every change: what was made from the rows is made anew then. */
  revision(): number;
}

export interface ServiceSecretRow {
  readonly service: string;
  readonly name: string;
  /** Sealed. */
  readonly value: Uint8Array;
  readonly updatedAt: string;
}

export function makeServiceSecretRows(db: Database): ServiceSecretRows {
  const columns = "service, name, value, updated_at AS updatedAt FROM service_secrets";
  let revision = 0;
  return {
    find: (service, name) =>
      db
        .query<ServiceSecretRow, [string, string]>(`SELECT ${columns} WHERE service = ? AND name = ?`)
        .get(service, name) ?? undefined,
    list: (service) =>
      service === undefined
        ? db.query<ServiceSecretRow, []>(`SELECT ${columns} ORDER BY service, name`).all()
        : db
            .query<ServiceSecretRow, [string]>(`SELECT ${columns} WHERE service = ? ORDER BY name`)
            .all(service),
    put({ service, name, value, updatedAt }) {
      revision++;
      db.query(
        `INSERT INTO service_secrets (service, name, value, updated_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (service, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
      ).run(service, name, value, updatedAt);
    },
    remove(service, name) {
      revision++;
      db.query("DELETE FROM service_secrets WHERE service = ? AND name = ?").run(service, name);
    },
    removeAll(service) {
      revision++;
      db.query("DELETE FROM service_secrets WHERE service = ?").run(service);
    },
    revision: () => revision,
  };
}
