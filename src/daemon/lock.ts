/**
 * One daemon for each data directory. The lock is SQLite's own on a file of its own: the kernel lets go of it however the
 * holder dies, so it is never stale. Called by run.ts before anything else touches the directory.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../base/errors.ts";

export interface Lock {
  release(): void;
}

/** Throws `daemon.already_running` with the pid of the holder. */
export function lockDataDir(dataDir: string): Lock {
  const pidFile = join(dataDir, "daemon.pid");
  const db = new Database(join(dataDir, "daemon.lock"), { create: true });
  try {
    db.run("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (!(error instanceof SQLiteError) || error.code !== "SQLITE_BUSY") throw error;
    const pid = readPid(pidFile);
    throw fail("daemon.already_running", `a daemon with pid ${pid} already serves ${dataDir}`, {
      details: { pid, dataDir },
      hint: "stop it first, or choose another --data-dir",
    });
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return { release: () => db.close() };
}

// --- internal ---

function readPid(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "unknown";
  }
}
