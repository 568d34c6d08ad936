/** Memory of other kinds than its own and plain: shared, locked, huge, placed, taken from files. */
import { ANSWER, attack, reaches, type NativeAttack } from "../attack.ts";
import { FROM_HERE, OPEN } from "../flags.ts";

const done = (answer: number) => `answered ${answer}`;

export const MEMORY_KINDS: readonly NativeAttack[] = [
  attack(
    "place its memory on other nodes",
    ANSWER,
    (kernel) => done(kernel.call("set_mempolicy", 0, 0, 0)),
    reaches(["ENOSYS", "EINVAL"], "kernels may be built without it", "user"),
  ),
  attack("lock its memory", ANSWER, (kernel) => done(kernel.call("mlockall", 2)), { needs: "root" }),
  attack("lock a piece of its memory", ANSWER, (kernel) => {
    const page = new Uint8Array(8192);
    return done(kernel.call("mlock", kernel.address(page), 4096));
  }),
  attack("share memory with another process", ANSWER, (kernel) => {
    const [readWrite, sharedAnonymous] = [3, 0x21];
    return kernel.call("mmap", 0, 4096, readWrite, sharedAnonymous, -1, 0);
  }),
  attack(
    "map what a descriptor has",
    ANSWER,
    (kernel) => {
      const [readWrite, privately] = [3, 2];
      return kernel.call("mmap", 0, 4096, readWrite, privately, OPEN.read, 0);
    },
    reaches(["ENODEV", "EACCES"], "its descriptors have no pages", "user"),
  ),
  attack(
    "map huge pages",
    ANSWER,
    (kernel) => {
      const [readWrite, privateAnonymousHuge] = [3, 0x40022];
      return kernel.call("mmap", 0, 1 << 21, readWrite, privateAnonymousHuge, -1, 0);
    },
    reaches(["ENOMEM"], "the machine may have none set aside", "user"),
  ),
  attack(
    "merge its pages with those of others",
    ANSWER,
    (kernel) => {
      const mergeable = 12;
      const page = kernel.call("mmap", 0, 4096, 3, 0x22, -1, 0);
      return done(kernel.call("madvise", page, 4096, mergeable));
    },
    reaches(["EINVAL"], "kernels may be built without it", "user"),
  ),
  attack(
    "poison a page of the machine",
    ANSWER,
    (kernel) => kernel.call("madvise", 0, 4096, 100),
    reaches(["EINVAL", "EFAULT"], "the page would be lost to the machine"),
  ),
  attack(
    "remap pages of a file",
    ANSWER,
    (kernel) => kernel.call("remap_file_pages", 0, 4096, 0, 0, 0),
    reaches(["EINVAL"], "it has no such mapping", "user"),
  ),
  attack("load a file ahead", ANSWER, (kernel, at) =>
    done(kernel.call("readahead", kernel.call("openat", FROM_HERE, at.secretFile, OPEN.read), 0, 100)),
  ),
];
