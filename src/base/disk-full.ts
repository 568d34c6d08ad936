/**
 * A full disk is the operator's news, not a bug: gives it its own code, whether SQLite or the file system reports it, and any
 * other error back as it is. Called by whoever writes into the data directory.
 */
import { fail, systemCode } from "./errors.ts";

export function diskFull(error: unknown): unknown {
  if (!FULL.has(systemCode(error) ?? "")) return error;
  return fail("disk.full", "the disk that holds the data directory is full", { cause: error });
}

// --- internal ---

/** The last one: SQLite found no room for the index of its log, which it makes when it opens the file. */
const FULL: ReadonlySet<string> = new Set(["SQLITE_FULL", "ENOSPC", "EDQUOT", "SQLITE_IOERR_SHMSIZE"]);
