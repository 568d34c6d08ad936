/**
 * What of a folder goes to the engine for a build, as a tar stream: all but what `.dockerignore` leaves out, in Docker's own manner; the
 * Dockerfile and the list itself always do. Called by build.ts.
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fail } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import { listFolderGently, type FolderEntry } from "../../../platform/folder/list-folder.ts";
import { readPlainFile } from "../../../platform/folder/read-plain-file.ts";
import { tarFolder } from "../../../platform/folder/tar-folder.ts";
import { readIgnoreRules, type IsIgnored } from "./ignore-rules.ts";

export interface BuildContext {
  readonly files: number;
  readonly bytes: number;
  readonly stream: Readable;
}

/** Throws `deploy.build_failed`, `upload.*`, the signal's reason. */
export async function readBuildContext(
  directory: string,
  dockerfile: string,
  signal: AbortSignal,
): Promise<BuildContext> {
  const isLeftOut = ignoreRules(directory, dockerfile);
  const all = await listFolderGently(directory, APP);
  const entries: FolderEntry[] = [];
  for (const entry of all) {
    // The rules are a stranger's, and the daemon has others to answer.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    const { path } = entry;
    if (path === dockerfile || path === IGNORE_FILE || !isLeftOut(path)) entries.push(entry);
  }
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  return { files: entries.length, bytes, stream: Readable.from(tarFolder(entries)) };
}

// --- internal ---

const IGNORE_FILE = ".dockerignore";

/** It was uploaded by these rules, so that nothing more falls out. */
const APP = { keepsLinks: true, bytesMax: LIMITS.appUploadBytes, leavesOut: [] };

/** Docker's order: a list beside the Dockerfile by its name, else the one of the folder. */
function ignoreRules(directory: string, dockerfile: string): IsIgnored {
  for (const name of [`${dockerfile}${IGNORE_FILE}`, IGNORE_FILE]) {
    const file = join(directory, name);
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) continue;
    const text = readPlainFile(file, LIMITS.ignoreBytes);
    if (text === undefined)
      throw fail(
        "deploy.build_failed",
        `${name} should be a plain file of at most ${formatBytes(LIMITS.ignoreBytes)}`,
      );
    return readIgnoreRules(text, name);
  }
  return () => false;
}
