/** Looking below a folder without ever leaving it: a file's bytes, what stands under a name, what a folder holds. */
import { closeSync, constants, fstatSync, lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { fail } from "../../base/errors.ts";
import { formatBytes, quote } from "../../base/text.ts";
import { readFrom } from "./descriptor.ts";
import { look, openFile, refuseStrange, walk, walkToParent, type Folder, type Names } from "./folder.ts";
import { fileProblem } from "./problem.ts";

export interface Range {
  readonly offset: number;
  /** Undefined: to the end. */
  readonly length: number | undefined;
  /** More is an error, `capability.limit`. */
  readonly most: number;
}

export interface Found {
  readonly type: "file" | "directory" | "other";
  /** Of a file; 0 for anything else. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface Entry extends Found {
  readonly name: string;
}

/** Bytes of a file. A range that begins behind its end is empty. Throws as `openFile` does. */
export async function readBeneath(
  root: string,
  names: Names,
  { offset, length, most }: Range,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { folder, name } = walkToParent(root, names);
  using _held = folder;
  const fd = openFile(folder, name, constants.O_RDONLY, names);
  try {
    const rest = Math.max(0, fstatSync(fd).size - offset);
    const wanted = Math.min(length ?? rest, rest);
    if (wanted > most)
      throw fail(
        "capability.limit",
        `${quote(names.join("/"))} has ${formatBytes(rest)}, at most ${formatBytes(most)} are read at a time`,
        { hint: "read it in parts, with {offset, length}" },
      );
    return await readFrom(fd, offset, wanted, signal);
  } catch (error) {
    throw fileProblem(error, names);
  } finally {
    closeSync(fd);
  }
}

/** What stands there, links not followed: they are `other`, as are pipes and devices. Throws `file.not_found` and as `walk` does. */
export function statBeneath(root: string, names: Names): Found {
  const { folder, name } = walkToParent(root, names);
  using _held = folder;
  const found = look(folder, name);
  if (found === undefined) throw fail("file.not_found", `${quote(names.join("/"))} does not exist`);
  if (found.isSymbolicLink()) refuseStrange(found, names);
  return foundFrom(found);
}

/**
 * Names in a folder, in no order. Throws `capability.limit` where the folder is so large that reading it would cost the daemon
 * more than it may: the system gives no name before it has given all.
 */
export async function namesBeneath(folder: Folder, names: Names, mostBytes: number): Promise<string[]> {
  if (fstatSync(folder.fd).size > mostBytes)
    throw fail("capability.limit", `the folder ${quote(names.join("/"))} is too large to be listed`);
  try {
    return await readdir(folder.self);
  } catch (error) {
    throw fileProblem(error, names);
  }
}

/** The entries of these names; what has gone meanwhile is left out. Throws the signal's reason. */
export async function entriesOf(
  folder: Folder,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const [index, name] of names.entries()) {
    if (index % LOOKS_AT_ONCE === LOOKS_AT_ONCE - 1) await turn();
    signal?.throwIfAborted();
    const found = lstatSync(folder.at(name), { throwIfNoEntry: false });
    if (found !== undefined) entries.push({ name, ...foundFrom(found) });
  }
  return entries;
}

/** The folder of that path, for the two above; the caller closes it. */
export const folderBeneath: (root: string, names: Names) => Folder = walk;

// --- internal ---

/** A look takes two microseconds; after so many of them others have their turn. */
const LOOKS_AT_ONCE = 500;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function foundFrom(stats: {
  isFile(): boolean;
  isDirectory(): boolean;
  size: number;
  mtimeMs: number;
}): Found {
  const type = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
  return { type, size: type === "file" ? stats.size : 0, modified: Math.floor(stats.mtimeMs) };
}
