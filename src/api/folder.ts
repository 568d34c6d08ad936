/**
 * Looks at a folder that is to be uploaded: which files it has after `.voxeltronignore`, where each really is, and whether
 * they fit. A plugin's links are followed to their content (a plugin has no links), an app's stay links; a link that leaves
 * the folder, a loop of folders, a socket or a device is an error. The content is read later, entry by entry, and only if it is still the file that was listed.
 */
import { constants, lstatSync, readdirSync, readFileSync, realpathSync, statSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import ignore, { type Ignore } from "ignore";
import { fail, messageOf, systemCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { formatBytes, quote } from "../base/text.ts";
import type { UploadKind } from "./operations.ts";

export interface FolderEntry {
  /** Below the folder, with `/`; never starts with `/` and has no `..`. */
  readonly path: string;
  /** Where its content is, links resolved. */
  readonly file: string;
  readonly size: number;
  readonly executable: boolean;
  /** Set for a link: its target, relative to where the link is, and inside the folder. */
  readonly link: string | undefined;
  /** Which file it was when it was looked at, so that another in its place is noticed. */
  readonly device: number;
  readonly inode: number;
}

/** Every file in the order of its path. Throws `upload.invalid` or `upload.too_large`. */
export function listFolder(folder: string, kind: UploadKind): readonly FolderEntry[] {
  const root = realRoot(folder);
  const walk: Walk = {
    folder,
    root,
    keepsLinks: kind === "app",
    bytesMax: kind === "plugin" ? LIMITS.pluginUploadBytes : LIMITS.appUploadBytes,
    ignored: readIgnoreFile(root, kind),
    entries: [],
    bytes: 0,
    visited: 0,
  };
  visitDirectory(walk, root, "", []);
  return walk.entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The content of one listed file in pieces. Throws `upload.invalid` when it is not what was listed. */
export async function* readEntry(entry: FolderEntry): AsyncGenerator<Uint8Array, void, undefined> {
  // Not blocking: a pipe that was put in the file's place must not hang us.
  const handle = await open(entry.file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw fail("upload.invalid", `${quote(entry.path)} can't be read: ${reason(error)}`);
  });
  try {
    const stats = await handle.stat();
    let left = entry.size;
    if (stats.ino !== entry.inode || stats.dev !== entry.device || stats.size !== left) throw changed(entry);
    while (left > 0) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(Math.min(left, PIECE_BYTES)));
      if (bytesRead === 0) throw changed(entry);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

// --- internal ---

const PIECE_BYTES = 256 * 1024;

interface Walk {
  readonly folder: string;
  readonly root: string;
  readonly keepsLinks: boolean;
  readonly bytesMax: number;
  readonly ignored: Ignore;
  readonly entries: FolderEntry[];
  bytes: number;
  visited: number;
}

const IGNORE_FILE = ".voxeltronignore";
const SDK_COPY = "node_modules/@voxeltron/sdk";

function realRoot(folder: string): string {
  try {
    const root = realpathSync(folder);
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    throw fail("upload.invalid", `the folder ${quote(folder)} can't be read: ${reason(error)}`);
  }
  throw fail("upload.invalid", `${quote(folder)} is a file, wanted a folder`);
}

/** `.git` stays out whatever the file says. So does an author's copy of the SDK, mostly a link: the daemon provides it. */
function readIgnoreFile(root: string, kind: UploadKind): Ignore {
  const rules = ignore();
  if (kind === "plugin") rules.add(`/${SDK_COPY}`);
  const file = join(root, IGNORE_FILE);
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return rules;
  if (!stats.isFile() || stats.size > LIMITS.configBytes)
    throw fail(
      "upload.invalid",
      `${IGNORE_FILE} should be a plain file of at most ${formatBytes(LIMITS.configBytes)}`,
    );
  return rules.add(readFileSync(file, "utf8"));
}

/** `above`: the real directories that lead here, by which a loop shows. */
function visitDirectory(walk: Walk, directory: string, prefix: string, above: readonly string[]): void {
  if (above.includes(directory)) throw unfit(walk, prefix, "is a link to a folder that holds it");
  for (const name of namesIn(walk, directory, prefix)) {
    if (name === ".git") continue;
    const path = `${prefix}${name}`;
    if (++walk.visited > LIMITS.uploadFiles * 2) throw tooMany(walk);
    const link = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (link === undefined) throw unfit(walk, path, "went away while the folder was read");
    if (link.isDirectory()) {
      if (!walk.ignored.ignores(`${path}/`))
        visitDirectory(walk, join(directory, name), `${path}/`, [...above, directory]);
    } else if (!walk.ignored.ignores(path)) visitLeaf(walk, directory, name, path, link, above);
  }
}

function visitLeaf(
  walk: Walk,
  directory: string,
  name: string,
  path: string,
  link: Stats,
  above: readonly string[],
): void {
  if (!link.isSymbolicLink()) {
    addFile(walk, path, join(directory, name), link);
    return;
  }
  const file = resolveLink(walk, join(directory, name), path);
  if (walk.keepsLinks) {
    addEntry(walk, { ...entryOf(path, file, link), size: 0, link: relative(directory, file) || "." });
    return;
  }
  const stats = statSync(file);
  if (stats.isDirectory()) visitDirectory(walk, file, `${path}/`, [...above, directory]);
  else addFile(walk, path, file, stats);
}

function addFile(walk: Walk, path: string, file: string, stats: Stats): void {
  if (!stats.isFile()) throw unfit(walk, path, "is neither a file nor a folder");
  addEntry(walk, entryOf(path, file, stats));
}

function entryOf(path: string, file: string, { size, mode, dev, ino }: Stats): FolderEntry {
  const executable = (mode & 0o100) !== 0;
  return { path, file, size, executable, link: undefined, device: dev, inode: ino };
}

function addEntry(walk: Walk, entry: FolderEntry): void {
  if (Buffer.byteLength(entry.path) > LIMITS.uploadPathBytes)
    throw unfit(walk, entry.path, `has a path longer than ${LIMITS.uploadPathBytes} bytes`);
  if (walk.entries.length >= LIMITS.uploadFiles) throw tooMany(walk);
  walk.bytes += entry.size;
  if (walk.bytes > walk.bytesMax)
    throw fail(
      "upload.too_large",
      `the folder ${quote(walk.folder)} holds more than ${formatBytes(walk.bytesMax)}`,
      { hint: `leave out what is not needed with a ${IGNORE_FILE} file`, details: { limit: walk.bytesMax } },
    );
  walk.entries.push(entry);
}

function namesIn(walk: Walk, directory: string, prefix: string): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    throw unfit(walk, prefix === "" ? "." : prefix, `can't be read: ${reason(error)}`);
  }
  const broken = names.find((name) => name.includes("\uFFFD"));
  if (broken !== undefined) throw unfit(walk, `${prefix}${broken}`, "has a name that is not UTF-8");
  return names;
}

function resolveLink(walk: Walk, link: string, path: string): string {
  let target: string;
  try {
    target = realpathSync(link);
  } catch (error) {
    throw unfit(walk, path, `is a link that leads nowhere: ${reason(error)}`);
  }
  if (target !== walk.root && !target.startsWith(walk.root + sep))
    throw unfit(walk, path, "is a link that leaves the folder");
  return target;
}

function unfit(walk: Walk, path: string, problem: string): Error {
  return fail("upload.invalid", `${quote(path)} in ${quote(walk.folder)} ${problem}`, {
    hint: `remove it, or leave it out with a ${IGNORE_FILE} file`,
    details: { path },
  });
}

function changed(entry: FolderEntry): Error {
  return fail("upload.invalid", `${quote(entry.path)} changed while it was read`, {
    hint: "try again when nothing writes to the folder",
  });
}

function tooMany(walk: Walk): Error {
  return fail(
    "upload.too_large",
    `the folder ${quote(walk.folder)} holds more than ${LIMITS.uploadFiles} files`,
    {
      hint: `leave out what is not needed with a ${IGNORE_FILE} file`,
      details: { limit: LIMITS.uploadFiles },
    },
  );
}

function reason(error: unknown): string {
  return REASONS[systemCode(error) ?? ""] ?? messageOf(error);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  EACCES: "permission denied",
  ENOTDIR: "it is no folder",
  ELOOP: "it is a loop of links",
};
