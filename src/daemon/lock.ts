/**
 * One daemon for each data directory. The lock is SQLite's own on a file of its own: the kernel lets go of it however the
 * holder dies, so it is never stale. Called by run.ts before anything else touches the directory.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diskFull } from "../base/disk-full.ts";
import { fail } from "../base/errors.ts";

export interface Lock {
  release(): void;
}

/** Throws `daemon.already_running` with the pid of the holder, `state.unusable`, `disk.full`. */
export function lockDataDir(dataDir: string): Lock {
  const pidFile = join(dataDir, "daemon.pid");
  const lockFile = join(dataDir, "daemon.lock");
  let db: Database | undefined;
  try {
    db = new Database(lockFile, { create: true });
    db.run("BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    if (!(error instanceof SQLiteError) || error.code !== "SQLITE_BUSY") throw unusable(lockFile, error);
    const pid = readPid(pidFile);
    throw fail("daemon.already_running", `a daemon with pid ${pid} already serves ${dataDir}`, {
      details: { pid, dataDir },
      hint: "stop it first, or choose another --data-dir",
    });
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  const held = db;
  return { release: () => held.close() };
}

// --- internal ---

function unusable(lockFile: string, error: unknown): unknown {
  const known = diskFull(error);
  if (known !== error || !(error instanceof SQLiteError)) return known;
  return fail("state.unusable", `the lock ${lockFile} can't be taken: ${error.message}`, {
    hint: "let the daemon's user write to the data directory, or choose another --data-dir",
    cause: error,
  });
}

function readPid(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "unknown";
  }
}
