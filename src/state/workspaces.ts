/**
 * The `workspaces` table: what there is, what should run, and what is being done to it. Nothing here starts or stops anything.
 * Called by engine/workspaces.
 */
import { inTransaction, type Database } from "./database.ts";
import type { Desired } from "./services.ts";

export interface WorkspaceRows {
  find(name: string): WorkspaceRow | undefined;
  list(): readonly WorkspaceRow[];
  hasInstance(instance: string): boolean;
  /** Throws where there is one of that name. */
  insert(row: WorkspaceRow): void;
  /** What is absent stays. */
  change(name: string, changes: WorkspaceChanges): void;
  remove(name: string): void;
  /** All of `work` is on disk, or none. */
  readonly transaction: <T>(work: () => T) => T;
}

export type WorkspacePhase = "create" | "start" | "stop" | "destroy";

export interface WorkspaceRow {
  readonly name: string;
  readonly provider: string;
  readonly server: string;
  readonly spec: string;
  /** As its provider named it exactly; null until that is known. */
  readonly image: string | null;
  readonly instance: string;
  readonly desired: Desired;
  /** Written before a provider is asked for anything, and cleared with the event that tells of the end. */
  readonly phase: WorkspacePhase | null;
  /** What was asked for together with the phase, and comes after it. */
  readonly next: "start" | null;
  /** False while it is made for the first time, and where that failed. */
  readonly made: boolean;
  /** How the last thing that was tried with it failed. */
  readonly error: string | null;
  readonly createdAt: string;
}

export type WorkspaceChanges = Partial<
  Pick<WorkspaceRow, "image" | "desired" | "phase" | "next" | "made" | "error">
>;

export function makeWorkspaceRows(db: Database): WorkspaceRows {
  const columns =
    "name, provider, server, spec, image, instance, desired, phase, next, made, error, created_at AS createdAt";
  const find = (name: string): WorkspaceRow | undefined => {
    const row = db.query<StoredRow, [string]>(`SELECT ${columns} FROM workspaces WHERE name = ?`).get(name);
    return row === null ? undefined : rowOf(row);
  };
  return {
    find,
    list: () => db.query<StoredRow, []>(`SELECT ${columns} FROM workspaces ORDER BY name`).all().map(rowOf),
    hasInstance: (instance) => db.query("SELECT 1 FROM workspaces WHERE instance = ?").get(instance) !== null,
    insert(row) {
      db.query(
        `INSERT INTO workspaces (name, provider, server, spec, image, instance, desired, phase, next, made, error, created_at)
         VALUES ($name, $provider, $server, $spec, $image, $instance, $desired, $phase, $next, $made, $error, $createdAt)`,
      ).run({ ...row, made: Number(row.made) });
    },
    change(name, changes) {
      const row = find(name);
      if (row === undefined) return;
      const { image, desired, phase, next, made, error } = { ...row, ...changes };
      db.query(
        `UPDATE workspaces SET image = $image, desired = $desired, phase = $phase, next = $next, made = $made, error = $error
         WHERE name = $name`,
      ).run({ name, image, desired, phase, next, made: Number(made), error });
    },
    remove(name) {
      db.query("DELETE FROM workspaces WHERE name = ?").run(name);
    },
    transaction: (work) => inTransaction(db, work),
  };
}

// --- internal ---

type StoredRow = Omit<WorkspaceRow, "made"> & { readonly made: number };

function rowOf(row: StoredRow): WorkspaceRow {
  return { ...row, made: row.made !== 0 };
}
