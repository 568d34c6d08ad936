/** Asking whether a file is there and what it is like, without opening it; and moving the process itself to other folders. */
import { ANSWER, attack, ELSEWHERE, reaches, SECRET, spending, type NativeAttack } from "../attack.ts";
import { EMPTY_PATH, FROM_HERE, NO_FOLLOW, OPEN } from "../flags.ts";

/** 0 is the answer of most of these: that there was one says that the file is there. */
const there = (answer: number) => `answered ${answer}`;
const buffer = () => new Uint8Array(512);
const old = { needs: "x86-64" } as const;
/** The bundler asks so for the path of the folder that it has open, and no filter can tell one path from another. */
const MAY_READ_LINKS = { bundler: { refusals: [], may: /^"secret-/ } } as const;

export const METADATA: readonly NativeAttack[] = [
  attack("stat a file", ANSWER, (kernel, at) => there(kernel.call("stat", at.canaryFile, buffer())), old),
  attack("lstat a file", ANSWER, (kernel, at) => there(kernel.call("lstat", at.canaryFile, buffer())), old),
  attack("newfstatat a file", ANSWER, (kernel, at) =>
    there(kernel.call("newfstatat", FROM_HERE, at.canaryFile, buffer(), 0)),
  ),
  attack("newfstatat a file, saying that the path is empty", ANSWER, (kernel, at) =>
    there(kernel.call("newfstatat", 0, at.canaryFile, buffer(), EMPTY_PATH)),
  ),
  attack("statx a file", ANSWER, (kernel, at) =>
    there(kernel.call("statx", FROM_HERE, at.canaryFile, NO_FOLLOW, 0xfff, buffer())),
  ),
  attack("statfs a file", ANSWER, (kernel, at) => there(kernel.call("statfs", at.canaryFile, buffer()))),
  attack(
    "ask for access to a file",
    ANSWER,
    (kernel, at) => there(kernel.call("access", at.canaryFile, 0)),
    old,
  ),
  attack("faccessat a file", ANSWER, (kernel, at) =>
    there(kernel.call("faccessat", FROM_HERE, at.canaryFile, 0)),
  ),
  attack("faccessat2 a file", ANSWER, (kernel, at) =>
    there(kernel.call("faccessat2", FROM_HERE, at.canaryFile, 0, NO_FOLLOW)),
  ),
  attack(
    "readlink a link",
    SECRET,
    (kernel, at) => {
      const text = buffer();
      return Buffer.from(
        text.subarray(0, kernel.call("readlink", at.secretLink, text, text.length)),
      ).toString();
    },
    { ...old, ...MAY_READ_LINKS },
  ),
  attack(
    "readlinkat a link",
    SECRET,
    (kernel, at) => {
      const text = buffer();
      const length = kernel.call("readlinkat", FROM_HERE, at.secretLink, text, text.length);
      return Buffer.from(text.subarray(0, length)).toString();
    },
    MAY_READ_LINKS,
  ),
  attack(
    "readlinkat the daemon's program",
    ANSWER,
    (kernel, at) => {
      const text = buffer();
      return kernel.call("readlinkat", FROM_HERE, `/proc/${at.daemonPid}/exe`, text, text.length);
    },
    ELSEWHERE,
  ),
  attack(
    "read an extended attribute",
    SECRET,
    (kernel, at) => {
      const value = buffer();
      const length = kernel.call("getxattr", at.canaryFile, "user.secret", value, value.length);
      return Buffer.from(value.subarray(0, length)).toString();
    },
    { needs: "xattr" },
  ),
  attack(
    "read an extended attribute by the newest call",
    SECRET,
    (kernel, at) => {
      const value = buffer();
      const request = new BigUint64Array([kernel.address(value), BigInt(value.length)]);
      kernel.call("getxattrat", FROM_HERE, at.canaryFile, 0, "user.secret", request, 16);
      return Buffer.from(value).toString("latin1");
    },
    { needs: "xattr" },
  ),
  attack(
    "list extended attributes",
    ANSWER,
    (kernel, at) => {
      const names = buffer();
      return kernel.call("listxattr", at.canaryFile, names, names.length);
    },
    { needs: "xattr" },
  ),
  ...spending([
    attack("chdir", ANSWER, (kernel, at) => there(kernel.call("chdir", at.folder))),
    attack("chdir to the root of another process", ANSWER, (kernel, at) =>
      there(kernel.call("chdir", `/proc/${at.daemonPid}/root`)),
    ),
    attack("fchdir", ANSWER, (kernel, at) =>
      there(kernel.call("fchdir", kernel.call("openat", FROM_HERE, at.folder, OPEN.path))),
    ),
    attack(
      "fchdir to a descriptor that is no folder",
      ANSWER,
      (kernel) => there(kernel.call("fchdir", 0)),
      reaches(["ENOTDIR"], "the process has no folder open", "user"),
    ),
    attack("chroot", ANSWER, (kernel, at) => there(kernel.call("chroot", at.folder)), { needs: "root" }),
  ]),
  attack(
    "list the mounts of the machine",
    ANSWER,
    (kernel) => {
      const wholeTree = 0xffffffffffffffffn;
      const request = new BigUint64Array([24n, wholeTree, 0n]);
      const ids = new BigUint64Array(64);
      return kernel.call("listmount", request, ids, ids.length, 0);
    },
    reaches(["ENOSYS"], "the kernel has it since 6.8", "user"),
  ),
  attack(
    "ask which security modules watch",
    ANSWER,
    (kernel) => {
      const size = new Uint32Array([512]);
      return kernel.call("lsm_list_modules", new BigUint64Array(64), size, 0);
    },
    reaches(["ENOSYS"], "the kernel has it since 6.8", "user"),
  ),
  attack(
    "ask a device what file system it has",
    ANSWER,
    (kernel) => there(kernel.call("ustat", 0, buffer())),
    {
      ...old,
      ...reaches(["EINVAL", "ENOSYS"], "number 0 is no device", "x86-64"),
    },
  ),
  attack("list the file systems of the kernel", ANSWER, (kernel) => kernel.call("sysfs", 3), {
    ...reaches(["ENOSYS"], "kernels are built without it", "x86-64"),
  }),
];
