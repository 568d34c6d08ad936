/**
 * What a process needs to read to be executed and to start, and nothing else: this program's executable, the files that are mapped
 * into this very process, and the loader's list of them. From source also the project.
 */
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { sourceFolder } from "../self.ts";
import { RIGHT, type Allowed } from "./landlock.ts";

export function readableFiles(): Allowed[] {
  const { execute, readFile, readFolder, writeFile } = RIGHT;
  const project = sourceFolder();
  return [
    // Not the executable's path: it may lie where a path can't be followed, or be another version by now.
    { path: "/proc/self/exe", rights: readFile | execute },
    ...mappedFiles(readFileSync("/proc/self/maps", "utf8"), readlinkSync("/proc/self/exe")).map((path) => ({
      path,
      rights: readFile | execute,
    })),
    ...LOADER_LISTS.filter((path) => existsSync(path)).map((path) => ({ path, rights: readFile })),
    { path: "/dev/urandom", rights: readFile },
    { path: "/dev/null", rights: readFile | writeFile },
    // The runtime doesn't start without its own map.
    { path: "/proc/self/maps", rights: readFile, keep: true },
    // The seal looks at each thread, and the bundler has it as its working folder.
    { path: "/proc/self/task", rights: readFile | readFolder, keep: true },
    ...(project === undefined ? [] : [{ path: project, rights: readFile | readFolder }]),
  ];
}

/**
 * The files in a map of /proc, each once, without the executable itself. One that was replaced since, by an upgrade, is the new one:
 * that is what the child will load.
 */
export function mappedFiles(maps: string, executable: string): string[] {
  const paths = maps.split("\n").map((line) => /^(?:\S+ +){5}(\/.*)$/.exec(line)?.[1]);
  const libraries = paths.filter((path) => path !== undefined && path !== executable);
  return [...new Set(libraries.map((path = "") => path.replace(/ \(deleted\)$/, "")))];
}

// --- internal ---

/** Where glibc's and musl's loaders look for libraries; whichever exists. */
const LOADER_LISTS = ["/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path"];
