/**
 * A folder that is held open, and the way from one to the next: each step opens one name in the folder that is held, and never
 * follows a link. Whatever others rename or plant meanwhile, a path can't lead out of where it began. `at(name)` names an entry
 * of that very folder, wherever it may be by now, for all calls that don't follow a link at the end of a path. Linux only.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from "node:fs";
import { fail, systemCode } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { fileProblem } from "./problem.ts";

export interface Folder extends Disposable {
  readonly fd: number;
  /** The folder itself, for calls that want a path. */
  readonly self: string;
  at(name: string): string;
}

/** The names on the way, from the folder where it begins: never empty, none of them `.` or `..` or with a slash. */
export type Names = readonly string[];

/** By a path that the operator chose: links in it are followed. */
export function openFolder(path: string): Folder {
  if (process.platform !== "linux")
    throw fail("file.unavailable", "files of plugins need Linux, where a path can be walked safely");
  return hold(openSync(path, PATH_ONLY | constants.O_DIRECTORY));
}

/** Throws `file.not_found`, `file.wrong_type`, `capability.out_of_scope` (a link), `file.failed`. The result is the caller's to close. */
export function walk(root: string, names: Names): Folder {
  let here = openFolder(root);
  try {
    for (const [index, name] of names.entries()) {
      const next = step(here, name, names.slice(0, index + 1));
      here[Symbol.dispose]();
      here = next;
    }
    return here;
  } catch (error) {
    here[Symbol.dispose]();
    throw error;
  }
}

/** The folder in which the last name stands, and that name. */
export function walkToParent(root: string, names: Names): { readonly folder: Folder; readonly name: string } {
  return { folder: walk(root, names.slice(0, -1)), name: names.at(-1) ?? "" };
}

/** What stands under a name, itself and not what it points at; undefined where there is nothing. */
export function look(folder: Folder, name: string): Stats | undefined {
  return lstatSync(folder.at(name), { throwIfNoEntry: false });
}

/**
 * The file of that name for reading or writing; nothing else is ever opened, not even for a moment: a device may act when it
 * is opened, a pipe may wait for ever. Links of both kinds are refused. Throws as `walk` does.
 */
export function openFile(folder: Folder, name: string, flags: number, names: Names): number {
  let node: number;
  try {
    node = openSync(folder.at(name), PATH_ONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw fileProblem(error, names);
  }
  try {
    refuseAllButFiles(fstatSync(node), names);
    // By its descriptor: this and no other file, also where the name was given to something else since.
    return openSync(`/proc/self/fd/${node}`, flags | constants.O_NONBLOCK | CLOSE_ON_EXEC);
  } catch (error) {
    throw fileProblem(error, names);
  } finally {
    closeSync(node);
  }
}

/** Throws for a folder, a link, a pipe, a device, and a file that has a second name. */
export function refuseAllButFiles(found: Stats, names: Names): void {
  refuseStrange(found, names);
  if (!found.isFile()) throw fail("file.wrong_type", `${quote(names.join("/"))} is a folder`);
  if (found.nlink > 1)
    throw fail(
      "capability.out_of_scope",
      `${quote(names.join("/"))} has other names elsewhere (a hard link), and such files are not opened`,
    );
}

/** Throws for all but files and folders. */
export function refuseStrange(found: Stats, names: Names): void {
  if (found.isSymbolicLink()) throw isLink(names);
  if (!found.isFile() && !found.isDirectory())
    throw fail("file.wrong_type", `${quote(names.join("/"))} is neither a file nor a folder`);
}

// --- internal ---

/** The same on all of Linux; Node does not name them. */
const CLOSE_ON_EXEC = 0o2000000;
const PATH_ONLY = 0o10000000 | CLOSE_ON_EXEC;

function step(from: Folder, name: string, names: Names): Folder {
  try {
    return hold(openSync(from.at(name), PATH_ONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW));
  } catch (error) {
    if (systemCode(error) === "ENOTDIR" && look(from, name)?.isSymbolicLink() === true) throw isLink(names);
    throw fileProblem(error, names);
  }
}

function hold(fd: number): Folder {
  const self = `/proc/self/fd/${fd}`;
  let open = true;
  return {
    fd,
    self,
    at: (name) => `${self}/${name}`,
    [Symbol.dispose]() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

function isLink(names: Names): Error {
  return fail("capability.out_of_scope", `${quote(names.join("/"))} is a link, and links are not followed`);
}
