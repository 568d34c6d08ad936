/**
 * What of a folder goes to the engine for a build, as a tar stream: all but what `.dockerignore` leaves out, in Docker's own manner; the
 * Dockerfile and the list itself always do. Called by build.ts.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import dockerignore from "@balena/dockerignore";
import { fail, systemCode } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import { listFolderGently } from "../../../platform/folder/list-folder.ts";
import { tarFolder } from "../../../platform/folder/tar-folder.ts";

export interface BuildContext {
  readonly files: number;
  readonly bytes: number;
  readonly stream: Readable;
}

/** Throws `deploy.build_failed`, `upload.*`. */
export async function readBuildContext(directory: string, dockerfile: string): Promise<BuildContext> {
  const isLeftOut = await ignoreRules(directory, dockerfile);
  const all = await listFolderGently(directory, APP);
  const entries = all.filter(({ path }) => path === dockerfile || path === IGNORE_FILE || !isLeftOut(path));
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  return { files: entries.length, bytes, stream: Readable.from(tarFolder(entries)) };
}

// --- internal ---

const IGNORE_FILE = ".dockerignore";

/** It was uploaded by these rules, so that nothing more falls out. */
const APP = { keepsLinks: true, bytesMax: LIMITS.appUploadBytes, leavesOut: [] };

/** Docker's order: a list beside the Dockerfile by its name, else the one of the folder. */
async function ignoreRules(directory: string, dockerfile: string): Promise<(path: string) => boolean> {
  for (const name of [`${dockerfile}${IGNORE_FILE}`, IGNORE_FILE]) {
    const text = await readRules(join(directory, name), name);
    if (text === undefined) continue;
    const rules = dockerignore({ ignorecase: false }).add(text);
    return (path) => rules.ignores(path);
  }
  return () => false;
}

async function readRules(file: string, name: string): Promise<string | undefined> {
  try {
    const text = await readFile(file, "utf8");
    if (Buffer.byteLength(text) <= LIMITS.ignoreBytes) return text;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  throw fail("deploy.build_failed", `${name} has more than ${formatBytes(LIMITS.ignoreBytes)}`);
}
