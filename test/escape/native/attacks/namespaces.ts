/** Getting into another world: namespaces of its own and of others, mounts, another root. */
import { ANSWER, attack, reaches, type NativeAttack } from "../attack.ts";
import { CLONE, FROM_HERE, OPEN } from "../flags.ts";
import type { Kernel } from "../kernel.ts";

const done = (answer: number) => `answered ${answer}`;
const root = { needs: "root" } as const;

export const NAMESPACES: readonly NativeAttack[] = [
  attack(
    "become root in a user namespace",
    ANSWER,
    (kernel) => done(kernel.call("unshare", CLONE.user)),
    // A process with threads may not.
    reaches(["EINVAL"], "only a process with one thread may", "user"),
  ),
  ...(["mounts", "hostname", "ipc", "pids", "net"] as const).map((what) =>
    attack(`unshare its ${what}`, ANSWER, (kernel) => done(kernel.call("unshare", CLONE[what])), root),
  ),
  attack("stop sharing its folder with its threads", ANSWER, (kernel) => done(kernel.call("unshare", 0x200))),
  attack(
    "enter the namespaces of the daemon",
    ANSWER,
    (kernel, at) => {
      const namespace = kernel.call("openat", FROM_HERE, `/proc/${at.daemonPid}/ns/uts`, OPEN.read);
      return done(kernel.call("setns", namespace, 0));
    },
    root,
  ),
  attack(
    "enter a namespace by a descriptor that is none",
    ANSWER,
    (kernel) => kernel.call("setns", 0, 0),
    reaches(["EINVAL"], "it has no such descriptor", "user"),
  ),
  attack(
    "mount a file system over a folder",
    ANSWER,
    (kernel, at) => {
      apart(kernel);
      return done(kernel.call("mount", "none", at.emptyFolder, "tmpfs", 0, 0));
    },
    root,
  ),
  attack(
    "mount without a namespace of its own",
    ANSWER,
    (kernel, at) => kernel.call("mount", "none", at.emptyFolder, "no-such-type", 0, 0),
    reaches(["ENODEV"], "everybody would see it"),
  ),
  attack(
    "mount the new way",
    ANSWER,
    (kernel, at) => {
      apart(kernel);
      const system = kernel.call("fsopen", "tmpfs", 0);
      const create = 6;
      kernel.call("fsconfig", system, create, 0, 0, 0);
      const made = kernel.call("fsmount", system, 0, 0);
      const emptyPath = 4;
      return done(kernel.call("move_mount", made, "", FROM_HERE, at.emptyFolder, emptyPath));
    },
    root,
  ),
  attack(
    "take a copy of the tree",
    ANSWER,
    (kernel) => {
      const clone = 1;
      return kernel.call("open_tree", FROM_HERE, "/", clone);
    },
    root,
  ),
  attack("take a handle of the tree", ANSWER, (kernel) => kernel.call("open_tree", FROM_HERE, "/", 0)),
  attack(
    "take a copy of the tree with other attributes",
    ANSWER,
    (kernel) => kernel.call("open_tree_attr", FROM_HERE, "/", 0, 0, 0),
    reaches(["ENOSYS", "EINVAL"], "the kernel has it since 6.15", "user"),
  ),
  attack(
    "look into a file system's settings",
    ANSWER,
    (kernel) => kernel.call("fspick", FROM_HERE, "/", 0),
    reaches(["EINVAL", "EOPNOTSUPP"], "file systems may lack it"),
  ),
  attack(
    "make a mount writable",
    ANSWER,
    (kernel) => {
      apart(kernel);
      const [readOnly, nothing] = [0n, 0n];
      const attributes = new BigUint64Array([nothing, readOnly, nothing, nothing]);
      return done(kernel.call("mount_setattr", FROM_HERE, "/", 0, attributes, 32));
    },
    root,
  ),
  attack(
    "unmount",
    ANSWER,
    (kernel, at) => kernel.call("umount2", at.emptyFolder, 0),
    reaches(["EINVAL"], "nothing is mounted there"),
  ),
  attack(
    "change the root by pivot_root",
    ANSWER,
    (kernel, at) => kernel.call("pivot_root", at.emptyFolder, at.emptyFolder),
    reaches(["EINVAL", "EBUSY"], "the folder is no mount"),
  ),
];

// --- internal ---

/** A mount namespace of its own, from which nothing comes back. */
function apart(kernel: Kernel): void {
  kernel.call("unshare", CLONE.mounts);
  const recursivelyPrivate = 0x44000;
  kernel.call("mount", "none", "/", 0, recursivelyPrivate, 0);
}
