/** Reading files by every road, listing folders, watching them, and getting at files by handles. */
import {
  ANSWER,
  attack,
  ELSEWHERE,
  fails,
  reaches,
  SECRET,
  type NativeAttack,
  type Places,
} from "../attack.ts";
import { Refused } from "../errors.ts";
import { FROM_HERE, NO_FOLLOW, OPEN } from "../flags.ts";
import type { Kernel } from "../kernel.ts";

const UP = "../".repeat(30);

const roads: readonly (readonly [name: string, path: (at: Places) => string])[] = [
  ["by its whole path", (at) => at.secretFile],
  ["by a path from here", (at) => UP + at.secretFile.slice(1)],
  ["through /proc/self/root", (at) => `/proc/self/root${at.secretFile}`],
  ["through /proc/thread-self/cwd", (at) => `/proc/thread-self/cwd/${UP}${at.secretFile}`],
  ["through the daemon's root in /proc", (at) => `/proc/${at.daemonPid}/root${at.secretFile}`],
  ["through the daemon's folder in /proc", (at) => `/proc/${at.daemonPid}/cwd/${UP}${at.secretFile}`],
  ["that the daemon has open, in /proc", (at) => `/proc/${at.daemonPid}/fd/${at.secretDescriptor}`],
];

const devices: readonly string[] = [
  "/dev/mem",
  "/dev/kvm",
  "/dev/fuse",
  "/dev/net/tun",
  "/dev/ptmx",
  "/dev/tty",
  "/proc/sysrq-trigger",
];
const controls: readonly string[] = ["/dev/kmsg", "/proc/sys/kernel/core_pattern"];

export const FILES: readonly NativeAttack[] = [
  attack(
    "open a file",
    SECRET,
    (kernel, at) => kernel.readAll(kernel.call("open", at.secretFile, OPEN.read)),
    {
      needs: "x86-64",
    },
  ),
  ...roads.map(([how, path]) =>
    attack(`openat a file ${how}`, SECRET, (kernel, at) => readByPath(kernel, path(at))),
  ),
  attack(
    "openat a file through /proc/1/root",
    SECRET,
    (kernel, at) => readByPath(kernel, `/proc/1/root${at.secretFile}`),
    reaches(["EACCES"], "process 1 may be out of reach of this machine's root"),
  ),
  attack("openat a file from the descriptor of the root", SECRET, (kernel, at) => {
    const root = kernel.call("openat", FROM_HERE, "/", OPEN.path | OPEN.folder);
    return kernel.readAll(kernel.call("openat", root, at.secretFile.slice(1), OPEN.read));
  }),
  attack("openat2 a file", SECRET, (kernel, at) => {
    const how = new BigUint64Array(3);
    return kernel.readAll(kernel.call("openat2", FROM_HERE, at.secretFile, how, how.byteLength));
  }),
  attack("open a file as a path only, then again by /proc/self/fd", SECRET, (kernel, at) => {
    const path = kernel.call("openat", FROM_HERE, at.secretFile, OPEN.path);
    return readByPath(kernel, `/proc/self/fd/${path}`);
  }),
  attack("open the daemon's socket as a path only", ANSWER, (kernel, at) =>
    kernel.call("openat", FROM_HERE, at.streamSocket, OPEN.path),
  ),
  attack("open a folder as a path only, and look at it", ANSWER, (kernel, at) => {
    const folder = kernel.call("openat", FROM_HERE, at.folder, OPEN.path | OPEN.folder);
    return `answered ${kernel.call("fstat", folder, new Uint8Array(256))}`;
  }),
  // Landlock keeps the bundler out of it, and the error says why.
  attack(
    "ask by opening it as a folder whether a file is there",
    ANSWER,
    (kernel, at) => {
      try {
        return kernel.call("openat", FROM_HERE, at.canaryFile, OPEN.folder);
      } catch (error) {
        if (error instanceof Refused && error.code === "ENOTDIR") return "it is there";
        throw error;
      }
    },
    { bundler: { refusals: [], may: /^"it is there"$/ } },
  ),
  attack("open the program itself", ANSWER, (kernel) =>
    kernel.call("openat", FROM_HERE, "/proc/self/exe", OPEN.read),
  ),
  attack(
    "list a folder",
    ANSWER,
    (kernel, at) => {
      const folder = kernel.call("openat", FROM_HERE, at.folder, OPEN.folder);
      const entries = new Uint8Array(4096);
      return kernel.call("getdents64", folder, entries, entries.length);
    },
    ELSEWHERE,
  ),
  ...devices.map((path) =>
    attack(
      `open ${path}`,
      ANSWER,
      (kernel) => kernel.call("openat", FROM_HERE, path, OPEN.write),
      reaches(["ENOENT", "ENXIO", "ENODEV"], "the machine may not have it"),
    ),
  ),
  ...controls.map((path) =>
    attack(`open ${path}`, ANSWER, (kernel) => kernel.call("openat", FROM_HERE, path, OPEN.write), {
      needs: "root",
    }),
  ),
  attack("open a file by its handle", SECRET, openByHandle, { needs: "root" }),
  attack(
    "open a file by a handle that is guessed",
    ANSWER,
    (kernel) => {
      const handle = new Uint8Array(136);
      new DataView(handle.buffer).setUint32(0, 128, true);
      return kernel.call("open_by_handle_at", FROM_HERE, handle, OPEN.read);
    },
    reaches(["ESTALE"], "no handle is guessed at the first try"),
  ),
  attack("watch a folder by inotify", ANSWER, (kernel, at) =>
    kernel.call("inotify_add_watch", kernel.call("inotify_init1", 0), at.folder, 0xfff),
  ),
  attack("watch by the old inotify", ANSWER, (kernel) => kernel.call("inotify_init"), { needs: "x86-64" }),
  attack(
    "watch what everybody opens by fanotify",
    ANSWER,
    (kernel, at) => {
      const [addToMount, opened] = [0x11, 0x20n];
      const group = kernel.call("fanotify_init", 0, OPEN.read);
      return `answered ${kernel.call("fanotify_mark", group, addToMount, opened, FROM_HERE, at.folder)}`;
    },
    { needs: "root" },
  ),
  attack(
    "read the quotas of a device",
    ANSWER,
    (kernel) => kernel.call("quotactl", 0x80000500, "/dev/none", 0, new Uint8Array(256)),
    reaches(["ENOENT"], "there is no such device"),
  ),
  attack(
    "read the quotas of a descriptor's file system",
    ANSWER,
    (kernel) => kernel.call("quotactl_fd", 0, 0x80000500, 0, new Uint8Array(256)),
    reaches(["ENOSYS", "ESRCH", "EINVAL"], "no file system here has quotas"),
  ),
  attack(
    "look into the cookies of a profiler",
    ANSWER,
    (kernel) => kernel.call("lookup_dcookie", 0, new Uint8Array(64), 64),
    fails("the kernel dropped it in 6.7"),
  ),
  attack("map a file's pages into memory", SECRET, (kernel, at) => {
    const file = kernel.call("openat", FROM_HERE, at.secretFile, OPEN.read);
    const [read, shared] = [1, 1];
    return kernel.bytesAt(kernel.call("mmap", 0, 4096, read, shared, file, 0), 64).toString("latin1");
  }),
  attack(
    "read the attributes of a file's inode",
    ANSWER,
    (kernel, at) => {
      const attributes = new Uint8Array(24);
      kernel.call("file_getattr", FROM_HERE, at.canaryFile, attributes, attributes.length, NO_FOLLOW);
      return "its attributes";
    },
    reaches(["ENOSYS", "EOPNOTSUPP", "ENOTTY"], "the kernel has it since 6.17", "user"),
  ),
];

// --- internal ---

function readByPath(kernel: Kernel, path: string): string {
  return kernel.readAll(kernel.call("openat", FROM_HERE, path, OPEN.read));
}

function openByHandle(kernel: Kernel, at: Places): string {
  const handle = new Uint8Array(136);
  new DataView(handle.buffer).setUint32(0, 128, true);
  kernel.call("name_to_handle_at", FROM_HERE, at.secretFile, handle, new Int32Array(1), 0);
  const near = kernel.call("openat", FROM_HERE, at.folder, OPEN.read);
  return kernel.readAll(kernel.call("open_by_handle_at", near, handle, OPEN.read));
}
