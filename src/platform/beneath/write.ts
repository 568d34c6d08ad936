/** Changing what is below a folder without ever leaving it. What it makes is its user's alone: files 0600, folders 0700. */
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { mkdir, rename, rmdir, unlink } from "node:fs/promises";
import { fail, systemCode } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { cutTo, syncToDisk, writeAll } from "./descriptor.ts";
import { look, openFile, refuseStrange, walkToParent, type Folder, type Names } from "./folder.ts";
import { fileProblem } from "./problem.ts";

/**
 * All of `bytes` in place of what was there, or nothing: they go to `part`, a name in the same folder that nobody else uses, and
 * take the file's name when they are on the disk. Throws as `walk` does, and `file.wrong_type` where a folder has that name.
 */
export async function writeBeneath(
  root: string,
  names: Names,
  bytes: Uint8Array,
  { part, signal }: { readonly part: string; readonly signal: AbortSignal },
): Promise<void> {
  const { folder, name } = walkToParent(root, names);
  using _held = folder;
  refuseToReplace(folder, name, names);
  let made = false;
  try {
    const fd = openSync(folder.at(part), NEW_FILE, 0o600);
    made = true;
    try {
      await writeAll(fd, bytes, signal);
      await syncToDisk(fd);
    } finally {
      closeSync(fd);
    }
    signal.throwIfAborted();
    await rename(folder.at(part), folder.at(name));
    made = false;
    await syncFolder(folder);
  } catch (error) {
    throw fileProblem(error, names);
  } finally {
    if (made) await unlink(folder.at(part)).catch(() => {});
  }
}

/** At the end of a file, which is made where there is none. Resolves with the file's size. A failure leaves the file as it was. */
export async function appendBeneath(
  root: string,
  names: Names,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<number> {
  const { folder, name } = walkToParent(root, names);
  using _held = folder;
  const fd = openToAppend(folder, name, names);
  try {
    const before = fstatSync(fd).size;
    try {
      await writeAll(fd, bytes, signal);
    } catch (error) {
      await cutTo(fd, before).catch(() => {});
      throw error;
    }
    return fstatSync(fd).size;
  } catch (error) {
    throw fileProblem(error, names);
  } finally {
    closeSync(fd);
  }
}

/** A file, or a folder that is empty. Throws as `walk` does, `file.not_empty`. */
export async function removeBeneath(root: string, names: Names): Promise<void> {
  const { folder, name } = walkToParent(root, names);
  using _held = folder;
  const isFolder = present(folder, name, names).isDirectory();
  await named(names, () => (isFolder ? rmdir(folder.at(name)) : unlink(folder.at(name))));
}

/** Throws as `walk` does, `file.exists`. */
export async function mkdirBeneath(root: string, names: Names): Promise<void> {
  const { folder, name } = walkToParent(root, names);
  using _held = folder;
  await named(names, () => mkdir(folder.at(name), { mode: 0o700 }));
}

/** A file takes the place of a file; nothing takes that of a folder. Throws as `walk` does, `file.exists`. */
export async function renameBeneath(root: string, from: Names, to: Names): Promise<void> {
  const source = walkToParent(root, from);
  using _source = source.folder;
  const target = walkToParent(root, to);
  using _target = target.folder;
  const moved = present(source.folder, source.name, from);
  const there = look(target.folder, target.name);
  if (there !== undefined) {
    refuseStrange(there, to);
    if (there.isDirectory() || moved.isDirectory())
      throw fail("file.exists", `${quote(to.join("/"))} exists already`);
  }
  await named(from, () => rename(source.folder.at(source.name), target.folder.at(target.name)));
}

// --- internal ---

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | 0o2000000;

function refuseToReplace(folder: Folder, name: string, names: Names): void {
  const there = look(folder, name);
  if (there === undefined) return;
  refuseStrange(there, names);
  if (there.isDirectory()) throw fail("file.wrong_type", `${quote(names.join("/"))} is a folder`);
}

function present(folder: Folder, name: string, names: Names) {
  const found = look(folder, name);
  if (found === undefined) throw fail("file.not_found", `${quote(names.join("/"))} does not exist`);
  refuseStrange(found, names);
  return found;
}

function openToAppend(folder: Folder, name: string, names: Names): number {
  const flags = constants.O_WRONLY | constants.O_APPEND;
  if (look(folder, name) === undefined) {
    try {
      return openSync(folder.at(name), NEW_FILE | constants.O_APPEND, 0o600);
    } catch (error) {
      // Another call made it meanwhile.
      if (systemCode(error) !== "EEXIST") throw fileProblem(error, names);
    }
  }
  return openFile(folder, name, flags, names);
}

/** The new name is on the disk too, not only the bytes. */
async function syncFolder(folder: Folder): Promise<void> {
  const fd = openSync(folder.self, constants.O_RDONLY | constants.O_DIRECTORY | 0o2000000);
  try {
    await syncToDisk(fd);
  } finally {
    closeSync(fd);
  }
}

async function named(names: Names, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw fileProblem(error, names);
  }
}
