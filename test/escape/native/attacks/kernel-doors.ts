/** The doors to the kernel that exploits come through. */
import { ANSWER, attack, reaches, type NativeAttack } from "../attack.ts";

const buffer = () => new Uint8Array(512);
const done = (answer: number) => `answered ${answer}`;

export const KERNEL_DOORS: readonly NativeAttack[] = [
  attack(
    "set up an io_uring",
    ANSWER,
    (kernel) => kernel.call("io_uring_setup", 8, buffer()),
    reaches(["ENOSYS"], "kernels may be built without it", "user"),
  ),
  attack(
    "enter an io_uring",
    ANSWER,
    (kernel) => kernel.call("io_uring_enter", 0, 1, 0, 0, 0, 0),
    reaches(["EOPNOTSUPP", "EBADF", "ENOSYS"], "it has none", "user"),
  ),
  attack(
    "register with an io_uring",
    ANSWER,
    (kernel) => kernel.call("io_uring_register", -1, 8, buffer(), 1),
    reaches(["EINVAL", "EBADF", "ENOSYS"], "it has none", "user"),
  ),
  attack("set up the old asynchronous input and output", ANSWER, (kernel) =>
    done(kernel.call("io_setup", 8, new BigUint64Array(1))),
  ),
  attack("make memory with a descriptor", ANSWER, (kernel) => kernel.call("memfd_create", "canary", 0)),
  attack(
    "make memory that is hidden from the kernel",
    ANSWER,
    (kernel) => kernel.call("memfd_secret", 0),
    reaches(["ENOSYS"], "kernels may be started without it", "user"),
  ),
  attack("handle page faults itself", ANSWER, (kernel) => kernel.call("userfaultfd", 1), { needs: "root" }),
  attack(
    "make a map for eBPF",
    ANSWER,
    (kernel) => {
      const array = new Uint32Array(32);
      array.set([2, 4, 4, 1]);
      return kernel.call("bpf", 0, array, array.byteLength);
    },
    { needs: "root" },
  ),
  attack(
    "load an eBPF program",
    ANSWER,
    (kernel) => {
      const [moveZero, exit, license] = [0xb7n, 0x95n, Buffer.from("GPL\0")];
      const program = new BigUint64Array(16);
      new Uint32Array(program.buffer).set([1, 2]);
      program.set([kernel.address(new BigUint64Array([moveZero, exit])), kernel.address(license)], 1);
      return kernel.call("bpf", 5, program, program.byteLength);
    },
    { needs: "root" },
  ),
  attack(
    "watch the machine by perf events",
    ANSWER,
    (kernel) => {
      const [software, cpuClock] = [1, 0n];
      const attributes = new Uint8Array(112);
      const view = new DataView(attributes.buffer);
      view.setUint32(0, software, true);
      view.setUint32(4, attributes.length, true);
      view.setBigUint64(8, cpuClock, true);
      return kernel.call("perf_event_open", attributes, -1, 0, -1, 0);
    },
    { needs: "root" },
  ),
  attack("add a key to a keyring", ANSWER, (kernel, at) =>
    kernel.call("add_key", "user", at.marker, "x", 1, -3),
  ),
  attack(
    "ask for a key",
    ANSWER,
    (kernel, at) => kernel.call("request_key", "user", at.marker, 0, 0),
    reaches(["ENOKEY"], "there is no such key", "user"),
  ),
  attack("open the session's keyring", ANSWER, (kernel) => kernel.call("keyctl", 0, -3, 1, 0, 0)),
  attack(
    "write its own segment descriptors",
    ANSWER,
    (kernel) => {
      const write = 1;
      const descriptor = new Uint32Array([0, 0, 0xfffff, 0b1010001]);
      return done(kernel.call("modify_ldt", write, descriptor, descriptor.byteLength));
    },
    { needs: "x86-64" },
  ),
  attack(
    "type into a terminal",
    ANSWER,
    (kernel) => kernel.call("ioctl", 0, 0x5412, new Uint8Array([10])),
    reaches(["ENOTTY", "EIO"], "it has no terminal", "user"),
  ),
  attack(
    "paste into a terminal",
    ANSWER,
    (kernel) => kernel.call("ioctl", 0, 0x541c, new Uint8Array([3])),
    reaches(["ENOTTY"], "it has no terminal", "user"),
  ),
  attack(
    "change the attributes of an inode by ioctl",
    ANSWER,
    (kernel) => kernel.call("ioctl", 0, 0x40086602, buffer()),
    reaches(["ENOTTY"], "it has no file open", "user"),
  ),
  attack(
    "clone a file by ioctl",
    ANSWER,
    (kernel) => kernel.call("ioctl", 0, 0x40049409, 0),
    reaches(["ENOTTY", "EOPNOTSUPP", "EXDEV", "EINVAL", "EBADF"], "it has no file open", "user"),
  ),
  attack("make a futex with the priorities of others", ANSWER, (kernel) => {
    const lockWithPriority = 6 | 128;
    return done(kernel.call("futex", new Uint32Array(1), lockWithPriority, 0, 0, 0, 0));
  }),
  attack(
    "wait on many futexes",
    ANSWER,
    (kernel) => kernel.call("futex_waitv", buffer(), 0, 0, 0, 0),
    reaches(["EINVAL", "ENOSYS"], "it has none to wait for", "user"),
  ),
  attack(
    "have system calls handed to itself",
    ANSWER,
    (kernel) => done(kernel.call("prctl", 59, 0, 0, 0, 0)),
    reaches(["EINVAL"], "arm64 may lack it", "user"),
  ),
];
