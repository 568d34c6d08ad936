/** Changing files and folders: contents, names, rights, owners, times and attributes. */
import { ANSWER, attack, trace, type NativeAttack } from "../attack.ts";
import { FROM_HERE, NO_FOLLOW, OPEN } from "../flags.ts";

const appeared = trace(/appeared/);
const gone = trace(/canary.*gone/);
const changed = trace(/canary.*was/);
const old = { needs: "x86-64" } as const;
const times = () => new BigInt64Array([1n, 0n, 1n, 0n]);

export const FILE_CHANGES: readonly NativeAttack[] = [
  attack("creat a file", appeared, (kernel, at) => kernel.call("creat", at.newFile, 0o600), old),
  attack("create a file by openat", appeared, (kernel, at) =>
    kernel.call("openat", FROM_HERE, at.newFile, OPEN.write | OPEN.create, 0o600),
  ),
  attack("create a file by openat2", appeared, (kernel, at) => {
    const how = new BigUint64Array([BigInt(OPEN.write | OPEN.create), 0o600n, 0n]);
    kernel.call("openat2", FROM_HERE, at.newFile, how, how.byteLength);
  }),
  attack("make a file without a name and give it one", appeared, (kernel, at) => {
    const file = kernel.call("openat", FROM_HERE, at.folder, OPEN.temporary | OPEN.write, 0o600);
    const follow = 0x400;
    kernel.call("linkat", FROM_HERE, `/proc/self/fd/${file}`, FROM_HERE, at.newFile, follow);
  }),
  attack("write into a file", changed, (kernel, at) => {
    const file = kernel.call("openat", FROM_HERE, at.canaryFile, OPEN.write);
    kernel.call("write", file, "overwritten", 11);
  }),
  attack("append to a file", changed, (kernel, at) => {
    const file = kernel.call("openat", FROM_HERE, at.canaryFile, OPEN.write | OPEN.append);
    kernel.call("pwrite64", file, "more", 4, 0);
  }),
  attack("empty a file by opening it", changed, (kernel, at) =>
    kernel.call("openat", FROM_HERE, at.canaryFile, OPEN.write | OPEN.truncate),
  ),
  attack("truncate a file", changed, (kernel, at) => kernel.call("truncate", at.canaryFile, 1)),
  attack("allocate room in a file", changed, (kernel, at) => {
    const file = kernel.call("openat", FROM_HERE, at.canaryFile, OPEN.write);
    kernel.call("fallocate", file, 0, 0, 8192);
  }),
  attack("copy a file inside the kernel", appeared, (kernel, at) => {
    const from = kernel.call("openat", FROM_HERE, at.secretFile, OPEN.read);
    const to = kernel.call("openat", FROM_HERE, at.newFile, OPEN.write | OPEN.create, 0o600);
    kernel.call("copy_file_range", from, 0, to, 0, 100, 0);
  }),
  attack("rename a file", gone, (kernel, at) => kernel.call("rename", at.canaryFile, at.newFile), old),
  attack("renameat a file", gone, (kernel, at) =>
    kernel.call("renameat", FROM_HERE, at.canaryFile, FROM_HERE, at.newFile),
  ),
  attack("swap two files", changed, (kernel, at) => {
    const exchange = 2;
    kernel.call("renameat2", FROM_HERE, at.canaryFile, FROM_HERE, at.secretFile, exchange);
  }),
  attack("link a file", appeared, (kernel, at) => kernel.call("link", at.secretFile, at.newFile), old),
  attack("linkat a file", appeared, (kernel, at) =>
    kernel.call("linkat", FROM_HERE, at.secretFile, FROM_HERE, at.newFile, 0),
  ),
  attack("symlink", appeared, (kernel, at) => kernel.call("symlink", at.secretFile, at.newFile), old),
  attack("symlinkat", appeared, (kernel, at) =>
    kernel.call("symlinkat", at.secretFile, FROM_HERE, at.newFile),
  ),
  attack("unlink a file", gone, (kernel, at) => kernel.call("unlink", at.canaryFile), old),
  attack("unlinkat a file", gone, (kernel, at) => kernel.call("unlinkat", FROM_HERE, at.canaryFile, 0)),
  attack("mkdir", appeared, (kernel, at) => kernel.call("mkdir", at.newFile, 0o700), old),
  attack("mkdirat", appeared, (kernel, at) => kernel.call("mkdirat", FROM_HERE, at.newFile, 0o700)),
  attack("rmdir", trace(/empty.*gone/), (kernel, at) => kernel.call("rmdir", at.emptyFolder), old),
  attack(
    "make a pipe with a name",
    appeared,
    (kernel, at) => {
      const pipe = 0o010600;
      kernel.call("mknod", at.newFile, pipe, 0);
    },
    old,
  ),
  attack(
    "make a device",
    appeared,
    (kernel, at) => {
      const [characterDevice, kernelMemory] = [0o020600, 0x101];
      kernel.call("mknodat", FROM_HERE, at.newFile, characterDevice, kernelMemory);
    },
    { needs: "root" },
  ),
  attack("chmod a file", changed, (kernel, at) => kernel.call("chmod", at.canaryFile, 0o4777), old),
  attack("fchmodat a file", changed, (kernel, at) =>
    kernel.call("fchmodat", FROM_HERE, at.canaryFile, 0o4777),
  ),
  attack(
    "fchmodat2 a file",
    changed,
    (kernel, at) => kernel.call("fchmodat2", FROM_HERE, at.canaryFile, 0o4777, 0),
    {
      control: { ends: "reaches", errors: ["ENOSYS"], needs: "user", reason: "the kernel has it since 6.6" },
    },
  ),
  attack("chown a file", changed, (kernel, at) => kernel.call("chown", at.canaryFile, 12345, 12345), {
    control: { ends: "works", needs: "root" },
  }),
  attack(
    "fchownat a file",
    changed,
    (kernel, at) => kernel.call("fchownat", FROM_HERE, at.canaryFile, 12345, 12345, NO_FOLLOW),
    { needs: "root" },
  ),
  attack(
    "utime a file",
    changed,
    (kernel, at) => kernel.call("utime", at.canaryFile, new BigInt64Array(2)),
    old,
  ),
  attack("utimes a file", changed, (kernel, at) => kernel.call("utimes", at.canaryFile, times()), old),
  attack(
    "futimesat a file",
    changed,
    (kernel, at) => kernel.call("futimesat", FROM_HERE, at.canaryFile, times()),
    old,
  ),
  attack("utimensat a file", changed, (kernel, at) =>
    kernel.call("utimensat", FROM_HERE, at.canaryFile, times(), 0),
  ),
  attack(
    "set an extended attribute",
    changed,
    (kernel, at) => kernel.call("setxattr", at.canaryFile, "user.secret", "x", 1, 0),
    { needs: "xattr" },
  ),
  attack(
    "remove an extended attribute",
    changed,
    (kernel, at) => kernel.call("removexattr", at.canaryFile, "user.secret"),
    { needs: "xattr" },
  ),
  attack(
    "set an extended attribute by the newest call",
    changed,
    (kernel, at) => {
      const value = new Uint8Array([120]);
      const request = new BigUint64Array([kernel.address(value), 1n]);
      kernel.call("setxattrat", FROM_HERE, at.canaryFile, 0, "user.secret", request, 16);
    },
    {
      control: {
        ends: "reaches",
        errors: ["ENOSYS", "EOPNOTSUPP"],
        needs: "user",
        reason: "the kernel has it since 6.13",
      },
    },
  ),
  attack(
    "set the attributes of a file's inode",
    ANSWER,
    (kernel, at) => {
      const attributes = new Uint8Array(24);
      return `answered ${kernel.call("file_setattr", FROM_HERE, at.canaryFile, attributes, attributes.length, 0)}`;
    },
    {
      control: {
        ends: "reaches",
        errors: ["ENOSYS", "EOPNOTSUPP"],
        needs: "user",
        reason: "the kernel has it since 6.17",
      },
    },
  ),
];
