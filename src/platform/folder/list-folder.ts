/**
 * Looks at a folder that is to be sent or installed: which files it has after `.voxeltronignore`, where each really is, and whether
 * they fit. A link that leaves the folder, a loop of folders, a socket or a device is an error. The content is read later, entry by
 * entry, and only if it is still the file that was listed. Called by api/folder.ts and host/package/source-folder.ts.
 */
import { constants, lstatSync, readdirSync, readlinkSync, realpathSync, statSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import ignore, { type Ignore } from "ignore";
import { fail, messageOf, systemCode } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes, quote } from "../../base/text.ts";
import { readPlainFile } from "./read-plain-file.ts";

export interface FolderRules {
  /** Links inside the folder stay links; else each is followed to its content. */
  readonly keepsLinks: boolean;
  readonly bytesMax: number;
  /** Stays out whatever `.voxeltronignore` says, in its manner; `.git` always does. */
  readonly leavesOut: readonly string[];
}

export interface FolderEntry {
  /** Below the folder, with `/`; never starts with `/` and has no `..`. */
  readonly path: string;
  /** The folder, links resolved. */
  readonly root: string;
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
export function listFolder(folder: string, rules: FolderRules): readonly FolderEntry[] {
  const walk = makeWalk(folder, rules);
  for (const _ of visitDirectory(walk, walk.root, "", []));
  return inOrder(walk);
}

/** The same with pauses, for who has others to answer meanwhile. */
export async function listFolderGently(folder: string, rules: FolderRules): Promise<readonly FolderEntry[]> {
  const walk = makeWalk(folder, rules);
  for (const _ of visitDirectory(walk, walk.root, "", []))
    await new Promise((resolve) => setImmediate(resolve));
  return inOrder(walk);
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
    const isSame = stats.ino === entry.inode && stats.dev === entry.device && stats.size === left;
    if (!isSame || !isBelow(entry.root, handle.fd)) throw changed(entry);
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

/** Entries of folders that are looked at without a pause. */
const VISITS_AT_ONCE = 128;

const IGNORE_FILE = ".voxeltronignore";

/** Three stars and more are read as two. */
const GLOBSTAR_WITHIN = /\/\*{2,}(?=\/)/g;

interface Walk {
  readonly folder: string;
  readonly root: string;
  readonly rules: FolderRules;
  readonly ignored: Ignore;
  readonly entries: FolderEntry[];
  bytes: number;
  visited: number;
}

/** A pause may be made at each `yield`. */
type Visit = Generator<void, void, undefined>;

function makeWalk(folder: string, rules: FolderRules): Walk {
  const root = realRoot(folder);
  const ignored = readIgnoreFile(root).add([...rules.leavesOut]);
  return { folder, root, rules, ignored, entries: [], bytes: 0, visited: 0 };
}

function inOrder({ entries }: Walk): readonly FolderEntry[] {
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function realRoot(folder: string): string {
  try {
    const root = realpathSync(folder);
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    throw fail("upload.invalid", `the folder ${quote(folder)} can't be read: ${reason(error)}`);
  }
  throw fail("upload.invalid", `${quote(folder)} is a file, wanted a folder`);
}

function readIgnoreFile(root: string): Ignore {
  const rules = ignore();
  const file = join(root, IGNORE_FILE);
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return rules;
  const text = readPlainFile(file, LIMITS.ignoreBytes);
  const most = formatBytes(LIMITS.ignoreBytes);
  if (text === undefined)
    throw fail("upload.invalid", `${IGNORE_FILE} should be a plain file of at most ${most}`);
  checkCost(text);
  return rules.add(text);
}

/** The daemon reads folders of strangers: what they write must not keep it busy. */
function checkCost(text: string): void {
  const lines = text.split("\n");
  if (lines.length > LIMITS.ignoreRules)
    throw fail("upload.invalid", `${IGNORE_FILE} has more than ${LIMITS.ignoreRules} lines`);
  const globstars = lines.map((line) => line.match(GLOBSTAR_WITHIN)?.length ?? 0);
  const worst = globstars.findIndex((count) => count > LIMITS.ignoreGlobstarsPerRule);
  if (worst !== -1)
    throw fail(
      "upload.invalid",
      `${IGNORE_FILE}, line ${worst + 1}: more than ${LIMITS.ignoreGlobstarsPerRule} times /**/ in one rule`,
    );
  if (globstars.reduce((sum, count) => sum + count, 0) > LIMITS.ignoreGlobstars)
    throw fail("upload.invalid", `${IGNORE_FILE} has more than ${LIMITS.ignoreGlobstars} times /**/`);
}

/** `above`: the real directories that lead here, by which a loop shows. */
function* visitDirectory(walk: Walk, directory: string, prefix: string, above: readonly string[]): Visit {
  if (above.includes(directory)) throw unfit(walk, prefix, "is a link to a folder that holds it");
  if (above.length > LIMITS.uploadDepth)
    throw unfit(walk, prefix, `is more than ${LIMITS.uploadDepth} folders down`);
  for (const name of namesIn(walk, directory, prefix)) {
    if (name === ".git") continue;
    const path = `${prefix}${name}`;
    if (++walk.visited > LIMITS.uploadFiles * 2) throw tooMany(walk);
    if (walk.visited % VISITS_AT_ONCE === 0) yield;
    const link = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (link === undefined) throw unfit(walk, path, "went away while the folder was read");
    if (link.isDirectory()) {
      if (!walk.ignored.ignores(`${path}/`))
        yield* visitDirectory(walk, join(directory, name), `${path}/`, [...above, directory]);
    } else if (!walk.ignored.ignores(path)) yield* visitLeaf(walk, directory, name, path, link, above);
  }
}

function* visitLeaf(
  walk: Walk,
  directory: string,
  name: string,
  path: string,
  link: Stats,
  above: readonly string[],
): Visit {
  if (!link.isSymbolicLink()) {
    addFile(walk, path, join(directory, name), link);
    return;
  }
  const file = resolveLink(walk, join(directory, name), path);
  if (walk.rules.keepsLinks) {
    addEntry(walk, { ...entryOf(walk, path, file, link), size: 0, link: relative(directory, file) || "." });
    return;
  }
  const stats = statSync(file);
  if (stats.isDirectory()) yield* visitDirectory(walk, file, `${path}/`, [...above, directory]);
  else addFile(walk, path, file, stats);
}

function addFile(walk: Walk, path: string, file: string, stats: Stats): void {
  if (!stats.isFile()) throw unfit(walk, path, "is neither a file nor a folder");
  addEntry(walk, entryOf(walk, path, file, stats));
}

function entryOf({ root }: Walk, path: string, file: string, { size, mode, dev, ino }: Stats): FolderEntry {
  const executable = (mode & 0o100) !== 0;
  return { path, root, file, size, executable, link: undefined, device: dev, inode: ino };
}

function addEntry(walk: Walk, entry: FolderEntry): void {
  if (Buffer.byteLength(entry.path) > LIMITS.uploadPathBytes)
    throw unfit(walk, entry.path, `has a path longer than ${LIMITS.uploadPathBytes} bytes`);
  if (walk.entries.length >= LIMITS.uploadFiles) throw tooMany(walk);
  walk.bytes += entry.size;
  const { bytesMax } = walk.rules;
  if (walk.bytes > bytesMax)
    throw fail(
      "upload.too_large",
      `the folder ${quote(walk.folder)} holds more than ${formatBytes(bytesMax)}`,
      { hint: `leave out what is not needed with a ${IGNORE_FILE} file`, details: { limit: bytesMax } },
    );
  walk.entries.push(entry);
}

/**
 * Whether what was opened is in the folder: between the look and the opening a part of the path may have become a link that leads
 * out, and the daemon reads with more power than who owns the folder. Only Linux can say it.
 */
function isBelow(root: string, descriptor: number): boolean {
  if (process.platform !== "linux") return true;
  return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(root === sep ? sep : root + sep);
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
