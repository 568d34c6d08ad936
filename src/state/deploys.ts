/**
 * The `deploys` table: the journal of each deploy. A step is written here before it is done, with the id of the instance that
 * it may leave behind, so that whoever comes after a crash knows what to undo.
 * Called by engine/deploys and engine/services.
 */
import { SQLiteError } from "bun:sqlite";
import { fail } from "../base/errors.ts";
import type { Database } from "./database.ts";

export interface DeployRows {
  /** Throws `deploy.in_progress` where another deploy of the service has not ended. */
  begin(row: NewDeployRow): void;
  setStep(id: string, step: string): void;
  succeed(id: string, at: string): void;
  fail(id: string, error: string, at: string): void;
  listRunning(): readonly DeployRow[];
  /** Newest first. */
  list(service: string, limit: number): readonly DeployRow[];
  /** Forgets what ended and is older than the newest `count`. */
  keepNewest(service: string, count: number): void;
  removeAll(service: string): void;
}

export interface NewDeployRow {
  readonly id: string;
  readonly service: string;
  readonly version: number;
  readonly spec: string;
  readonly instance: string;
  readonly hostPort: number | null;
  readonly step: string;
  readonly startedAt: string;
}

export interface DeployRow extends NewDeployRow {
  readonly state: "running" | "succeeded" | "failed";
  readonly error: string | null;
  readonly endedAt: string | null;
}

export function makeDeployRows(db: Database): DeployRows {
  const columns =
    "id, service, version, spec, instance, host_port AS hostPort, state, step, error, started_at AS startedAt, ended_at AS endedAt FROM deploys";
  return {
    begin(row) {
      try {
        db.query(
          `INSERT INTO deploys (id, service, version, spec, instance, host_port, state, step, started_at)
           VALUES (?, ?, ?, ?, ?, ?, 'running', ?, ?)`,
        ).run(
          row.id,
          row.service,
          row.version,
          row.spec,
          row.instance,
          row.hostPort,
          row.step,
          row.startedAt,
        );
      } catch (error) {
        if (!(error instanceof SQLiteError && error.code === "SQLITE_CONSTRAINT_UNIQUE")) throw error;
        throw fail("deploy.in_progress", `a deploy of ${row.service} has not ended yet`);
      }
    },
    setStep(id, step) {
      db.query("UPDATE deploys SET step = ? WHERE id = ?").run(step, id);
    },
    succeed(id, at) {
      db.query("UPDATE deploys SET state = 'succeeded', ended_at = ? WHERE id = ?").run(at, id);
    },
    fail(id, error, at) {
      db.query("UPDATE deploys SET state = 'failed', error = ?, ended_at = ? WHERE id = ?").run(
        error,
        at,
        id,
      );
    },
    listRunning: () =>
      db.query<DeployRow, []>(`SELECT ${columns} WHERE state = 'running' ORDER BY started_at`).all(),
    list: (service, limit) =>
      db
        .query<DeployRow, [string, number]>(
          `SELECT ${columns} WHERE service = ? ORDER BY version DESC LIMIT ?`,
        )
        .all(service, limit),
    keepNewest(service, count) {
      db.query(
        `DELETE FROM deploys WHERE service = ?1 AND state <> 'running'
           AND id NOT IN (SELECT id FROM deploys WHERE service = ?1 ORDER BY version DESC LIMIT ?2)`,
      ).run(service, count);
    },
    removeAll(service) {
      db.query("DELETE FROM deploys WHERE service = ?").run(service);
    },
  };
}
