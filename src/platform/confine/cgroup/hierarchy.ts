/**
 * Where this process stands in the kernel's control groups for memory, told from the texts of /proc. Pure. Version 1 has a tree for
 * each controller, version 2 one for all; a machine may have both, and memory is in one of them.
 */
import { join, relative } from "node:path";

export interface MemoryHierarchy {
  readonly version: 1 | 2;
  /** Where the tree is mounted, and this process's folder in it. */
  readonly root: string;
  readonly folder: string;
}

/** `groups`: /proc/self/cgroup. `mounts`: /proc/self/mountinfo. For version 2 the controller must still be looked for. */
export function findMemoryHierarchy(groups: string, mounts: string): MemoryHierarchy | undefined {
  return findTree(groups, mounts, 1) ?? findTree(groups, mounts, 2);
}

// --- internal ---

interface Mount {
  /** The folder of the file system that is mounted: not `/` in a container that shares the machine's tree. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

function findTree(groups: string, mounts: string, version: 1 | 2): MemoryHierarchy | undefined {
  const group = groups
    .split("\n")
    .map(parseGroup)
    .find((found) => isMemory(found, version));
  const mount = mounts
    .split("\n")
    .map(parseMount)
    .find((found) =>
      version === 1
        ? found?.type === "cgroup" && found.options.includes("memory")
        : found?.type === "cgroup2",
    );
  if (group === undefined || mount === undefined) return undefined;
  if (!isInside(group.path, mount.root)) return undefined;
  return { version, root: mount.point, folder: join(mount.point, relative(mount.root, group.path)) };
}

/** A group above what a container is shown has a path that begins with `/..`. */
function isInside(path: string, root: string): boolean {
  return !path.startsWith("/..") && (root === "/" || path === root || path.startsWith(`${root}/`));
}

interface Group {
  readonly id: string;
  readonly controllers: readonly string[];
  readonly path: string;
}

/** `4:memory:/path`, or `0::/path` for version 2. */
function parseGroup(line: string): Group | undefined {
  const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
  if (id === undefined || controllers === undefined || path === undefined) return undefined;
  return { id, controllers: controllers.split(","), path };
}

function isMemory(group: Group | undefined, version: 1 | 2): group is Group {
  return version === 1 ? group?.controllers.includes("memory") === true : group?.id === "0";
}

/** `35 31 0:32 /root /point options - type source super-options`, with any number of fields before the dash. */
function parseMount(line: string): Mount | undefined {
  const [before = "", after = ""] = line.split(" - ");
  const [, , , root, point] = before.split(" ");
  const [type, , options] = after.split(" ");
  if (root === undefined || point === undefined || type === undefined) return undefined;
  return { root: unescape(root), point: unescape(point), type, options: (options ?? "").split(",") };
}

/** The kernel writes spaces and the like as three octal digits. */
function unescape(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
