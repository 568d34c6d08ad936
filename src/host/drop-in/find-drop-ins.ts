/**
 * Which plugins lie in the folders of drop-ins, and which of them counts under its name: what is installed comes before all of them,
 * then they come in the order of the folders. Nothing of them is run. Called by drop-ins.ts and, without a daemon, api/offline.ts.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, systemCode } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { EXEC_MANIFEST_FILE, MANIFEST_FILE } from "../manifest/manifest.ts";
import { lookAtDropIn, type DropIn } from "./read-drop-in.ts";

export interface Found {
  /** In the order of the folders, then of their names. */
  readonly dropIns: readonly DropIn[];
  readonly folders: readonly SearchedFolder[];
}

export interface SearchedFolder {
  readonly path: string;
  /** Why what is in it is not seen, or not all of it. */
  readonly problem: string | null;
}

export async function findDropIns(folders: readonly string[]): Promise<Found> {
  const dropIns: DropIn[] = [];
  const searched: SearchedFolder[] = [];
  for (const path of folders) {
    const { names, problem } = await namesIn(path);
    for (const name of names) dropIns.push(await lookAtDropIn(path, name));
    searched.push({ path, problem });
  }
  return { dropIns, folders: searched };
}

/** Those of one name, in order. A name that is a path finds nothing. */
export async function dropInsNamed(folders: readonly string[], name: string): Promise<readonly DropIn[]> {
  if (!mayBeDropIn(name)) return [];
  const found: DropIn[] = [];
  for (const path of folders) {
    const { names } = await namesIn(path);
    if (names.includes(name)) found.push(await lookAtDropIn(path, name));
  }
  return found;
}

/** What of an installed plugin matters here. */
export type InstalledFolder = { readonly dropIn: string | null } | undefined;

export interface Ranked {
  readonly dropIn: DropIn;
  /** Why another counts in its place; undefined where it counts. */
  readonly behind: string | undefined;
}

/** Without those that are installed: these are installed plugins and no longer only drop-ins. */
export function rankDropIns(
  dropIns: readonly DropIn[],
  installed: (name: string) => InstalledFolder,
  isBuiltIn: (name: string) => boolean,
): readonly Ranked[] {
  const first = new Map<string, string>();
  return dropIns.flatMap((dropIn) => {
    const { name, folder } = dropIn;
    const present = installed(name);
    if (present?.dropIn === folder) return [];
    const before = first.get(name);
    if (before === undefined) first.set(name, folder);
    return [{ dropIn, behind: reasonBehind(name, present, isBuiltIn(name), before) }];
  });
}

// --- internal ---

function reasonBehind(
  name: string,
  present: InstalledFolder,
  isBuiltIn: boolean,
  before: string | undefined,
): string | undefined {
  if (present !== undefined)
    return `${name} is installed ${present.dropIn === null ? "already" : `from ${present.dropIn}`}; to have this one instead, first: voxeltron plugin remove ${name}`;
  if (isBuiltIn) return `what is called ${name} is built in`;
  return before === undefined ? undefined : `${before} comes first`;
}

/** Hidden names are the operator's own business, as are files beside the folders. */
async function namesIn(
  folder: string,
): Promise<{ readonly names: readonly string[]; readonly problem: string | null }> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && mayBeDropIn(entry.name))
      .map((entry) => entry.name)
      .toSorted();
    const loose = entries.find((entry) => entry.isFile() && MANIFESTS.includes(entry.name));
    return { names: names.slice(0, LIMITS.dropInsPerFolder), problem: troubleWith(names, loose?.name) };
  } catch (error) {
    return { names: [], problem: systemCode(error) === "ENOENT" ? null : messageOf(error) };
  }
}

const MANIFESTS = [MANIFEST_FILE, EXEC_MANIFEST_FILE];

function troubleWith(names: readonly string[], loose: string | undefined): string | null {
  const most = LIMITS.dropInsPerFolder;
  if (names.length > most) return `it holds ${names.length} folders; the first ${most} of them are looked at`;
  return loose === undefined
    ? null
    : `it holds a ${loose} itself; each plugin wants a folder of its own in it`;
}

function mayBeDropIn(name: string): boolean {
  return name !== "" && !name.startsWith(".") && !name.includes("/") && join("/", name) === `/${name}`;
}
