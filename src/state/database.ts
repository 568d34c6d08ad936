/**
 * Opens the daemon's SQLite file and brings it to the newest schema. Only `state/` speaks SQL; everyone else gets a
 * repository. Called by daemon/compose.ts, and by tests with `:memory:`.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { diskFull } from "../base/disk-full.ts";
import { fail } from "../base/errors.ts";
import { sql as initial } from "./migrations/0001-initial.ts";
import { sql as serviceSecrets } from "./migrations/0002-service-secrets.ts";
import { sql as metrics } from "./migrations/0003-metrics.ts";
import { sql as auditTotals } from "./migrations/0004-audit-totals.ts";
import { sql as pluginFiles } from "./migrations/0005-plugin-files.ts";
import { sql as servers } from "./migrations/0006-servers.ts";
import { sql as workspaces } from "./migrations/0007-workspaces.ts";
import { sql as providerInstances } from "./migrations/0008-provider-instances.ts";
import { sql as certificates } from "./migrations/0009-certificates.ts";
import { sql as dropIns } from "./migrations/0010-drop-ins.ts";
import { sql as upstreams } from "./migrations/0011-upstreams.ts";
import { sql as alerts } from "./migrations/0012-alerts.ts";

export type { Database } from "bun:sqlite";

/** In order; the number of a migration is its place here plus one. */
const migrations: readonly string[] = [
  initial,
  serviceSecrets,
  metrics,
  auditTotals,
  pluginFiles,
  servers,
  workspaces,
  providerInstances,
  certificates,
  dropIns,
  upstreams,
  alerts,
];

export function openDatabase(path: string): Database {
  const db = guarded(path, () => new Database(path, { create: true, strict: true }));
  guarded(path, () => {
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = NORMAL");
    // Small and often: one large checkpoint would hold up the daemon's only thread.
    db.run("PRAGMA wal_autocheckpoint = 200");
    db.run("PRAGMA foreign_keys = ON");
    db.run("PRAGMA busy_timeout = 5000");
    migrate(db);
  });
  return db;
}

/** For looking at the data of a daemon that does not run: nothing is created, changed or migrated. */
export function openDatabaseReadOnly(path: string): Database {
  return guarded(path, () => {
    const db = new Database(path, { readonly: true, strict: true });
    const found = schemaOf(db);
    if (found === migrations.length) return db;
    db.close();
    throw fail(
      found > migrations.length ? "state.newer" : "state.unusable",
      `the data has schema ${found}, this voxeltron reads ${migrations.length}`,
    );
  });
}

/** Runs `work` in one transaction: all of it is on disk, or none. Nests as a savepoint. */
export function inTransaction<T>(db: Database, work: () => T): T {
  return db.transaction(work)();
}

/** The same for work that is done often: what it takes is made once. */
export function transactionOf<A extends unknown[]>(
  db: Database,
  work: (...args: A) => void,
): (...args: A) => void {
  return db.transaction(work);
}

/** What was committed is on disk when this returns, also for a power cut; a commit alone is safe from a kill only. */
export function flush(db: Database): void {
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

// --- internal ---

function migrate(db: Database): void {
  const found = schemaOf(db);
  if (found > migrations.length)
    throw fail(
      "state.newer",
      `the data has schema ${found}, this voxeltron knows up to ${migrations.length}`,
    );
  for (const [index, sql] of migrations.entries()) {
    if (index < found) continue;
    inTransaction(db, () => {
      db.run(sql);
      db.run(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

function schemaOf(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SQLiteError)) throw error;
    const known = diskFull(error);
    if (known !== error) throw known;
    throw fail("state.unusable", `the database ${path} can't be used: ${error.message}`, { cause: error });
  }
}
