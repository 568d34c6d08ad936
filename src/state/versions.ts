/**
 * The `versions` table: each version of a service that went live, with what it was made from. `spec` is the engine's JSON.
 * Called by engine/deploys, engine/services and engine/reconcile.
 */
import type { Database } from "./database.ts";

export interface VersionRows {
  find(service: string, version: number): VersionRow | undefined;
  /** The live version of each service that has one. */
  listCurrent(): readonly VersionRow[];
  /** Newest first. */
  list(service: string): readonly VersionRow[];
  add(row: VersionRow): void;
  /** It is reached elsewhere from now on. */
  setUpstream(service: string, version: number, upstream: { host: string; port: number }): void;
  /** Forgets all but the newest `count` versions and the live one. */
  keepNewest(service: string, count: number): void;
  removeAll(service: string): void;
}

export interface VersionRow {
  readonly service: string;
  readonly version: number;
  readonly spec: string;
  /** The exact name of what runs: a digest where there is one. */
  readonly image: string;
  readonly instance: string;
  readonly hostPort: number | null;
  /** Where its provider says that it is reached; null: at the host's port, on 127.0.0.1. */
  readonly host: string | null;
  readonly port: number | null;
  readonly createdAt: string;
}

export function makeVersionRows(db: Database): VersionRows {
  const columns =
    "v.service, v.version, v.spec, v.image, v.instance, v.host_port AS hostPort, v.host, v.port, v.created_at AS createdAt FROM versions v";
  return {
    find: (service, version) =>
      db
        .query<VersionRow, [string, number]>(`SELECT ${columns} WHERE v.service = ? AND v.version = ?`)
        .get(service, version) ?? undefined,
    listCurrent: () =>
      db
        .query<VersionRow, []>(
          `SELECT ${columns} JOIN services s ON s.name = v.service AND s.current_version = v.version ORDER BY v.service`,
        )
        .all(),
    list: (service) =>
      db
        .query<VersionRow, [string]>(`SELECT ${columns} WHERE v.service = ? ORDER BY v.version DESC`)
        .all(service),
    add(row) {
      db.query(
        "INSERT INTO versions (service, version, spec, image, instance, host_port, host, port, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ).run(
        row.service,
        row.version,
        row.spec,
        row.image,
        row.instance,
        row.hostPort,
        row.host,
        row.port,
        row.createdAt,
      );
    },
    setUpstream(service, version, { host, port }) {
      db.query("UPDATE versions SET host = ?, port = ? WHERE service = ? AND version = ?").run(
        host,
        port,
        service,
        version,
      );
    },
    keepNewest(service, count) {
      db.query(
        `DELETE FROM versions WHERE service = ?1
           AND version NOT IN (SELECT version FROM versions WHERE service = ?1 ORDER BY version DESC LIMIT ?2)
           AND version IS NOT (SELECT current_version FROM services WHERE name = ?1)`,
      ).run(service, count);
    },
    removeAll(service) {
      db.query("DELETE FROM versions WHERE service = ?").run(service);
    },
  };
}
