/** The daemon's memory, environment and descriptors: by /proc, by ptrace, by calls made for it. */
import { ANSWER, attack, ELSEWHERE, reaches, SECRET, trace, type NativeAttack } from "../attack.ts";
import { FROM_HERE, OPEN } from "../flags.ts";
import type { Kernel } from "../kernel.ts";
import { vectors } from "../vectors.ts";

const PTRACE = { traceMe: 0, peek: 2, attach: 16, detach: 17, seize: 0x4206, interrupt: 0x4207 } as const;

export const OTHER_MEMORY: readonly NativeAttack[] = [
  attack("read the daemon's environment in /proc", SECRET, (kernel, at) =>
    readWhole(kernel, `/proc/${at.daemonPid}/environ`),
  ),
  attack("read the daemon's words in /proc", ANSWER, (kernel, at) =>
    readWhole(kernel, `/proc/${at.daemonPid}/cmdline`),
  ),
  attack("read where the daemon's memory lies", ANSWER, (kernel, at) =>
    readWhole(kernel, `/proc/${at.daemonPid}/maps`),
  ),
  attack("read the daemon's memory in /proc", SECRET, (kernel, at) => {
    const memory = kernel.call("openat", FROM_HERE, `/proc/${at.daemonPid}/mem`, OPEN.read);
    const bytes = new Uint8Array(at.memoryBytes);
    kernel.call("pread64", memory, bytes, bytes.length, BigInt(at.memoryAddress));
    return Buffer.from(bytes).toString("latin1");
  }),
  attack("write the daemon's memory in /proc", trace(/memory.*was/), (kernel, at) => {
    const memory = kernel.call("openat", FROM_HERE, `/proc/${at.daemonPid}/mem`, OPEN.write);
    kernel.call("pwrite64", memory, "overwritten", 11, BigInt(at.memoryAddress));
  }),
  attack(
    "read the environment of process 1",
    ANSWER,
    (kernel) => readWhole(kernel, "/proc/1/environ"),
    reaches(["EACCES"], "process 1 may be out of reach of this machine's root"),
  ),
  attack(
    "list all processes",
    ANSWER,
    (kernel) => {
      const folder = kernel.call("openat", FROM_HERE, "/proc", OPEN.folder);
      const entries = new Uint8Array(4096);
      return kernel.call("getdents64", folder, entries, entries.length);
    },
    ELSEWHERE,
  ),
  attack("write its own memory in /proc", ANSWER, (kernel) => {
    const memory = kernel.call("openat", FROM_HERE, "/proc/self/mem", OPEN.readWrite);
    const own = new Uint8Array(8);
    return kernel.call("pwrite64", memory, "x", 1, kernel.address(own));
  }),
  attack("make the daemon the first to be killed for memory", trace(/oom_score_adj/), (kernel, at) => {
    const file = kernel.call("openat", FROM_HERE, `/proc/${at.daemonPid}/oom_score_adj`, OPEN.write);
    kernel.call("write", file, "1000", 4);
  }),
  attack("process_vm_readv the daemon", SECRET, (kernel, at) => {
    const bytes = new Uint8Array(at.memoryBytes);
    const [ours, theirs] = vectors(kernel, at, bytes);
    kernel.call("process_vm_readv", at.daemonPid, ours, 1, theirs, 1, 0);
    return Buffer.from(bytes).toString("latin1");
  }),
  attack("process_vm_writev the daemon", trace(/memory.*was/), (kernel, at) => {
    const [ours, theirs] = vectors(kernel, at, Buffer.alloc(at.memoryBytes, "x"));
    kernel.call("process_vm_writev", at.daemonPid, ours, 1, theirs, 1, 0);
  }),
  attack("ptrace the daemon and read its memory", SECRET, (kernel, at) => {
    kernel.call("ptrace", PTRACE.attach, at.daemonPid, 0, 0);
    waitFor(kernel, at.daemonPid);
    const words = new BigUint64Array(at.memoryBytes / 8);
    for (const i of words.keys())
      kernel.call(
        "ptrace",
        PTRACE.peek,
        at.daemonPid,
        BigInt(at.memoryAddress) + BigInt(8 * i),
        words.subarray(i),
      );
    kernel.call("ptrace", PTRACE.detach, at.daemonPid, 0, 0);
    return Buffer.from(words.buffer).toString("latin1");
  }),
  attack("seize the daemon by ptrace", ANSWER, (kernel, at) => {
    kernel.call("ptrace", PTRACE.seize, at.daemonPid, 0, 0);
    kernel.call("ptrace", PTRACE.interrupt, at.daemonPid, 0, 0);
    waitFor(kernel, at.daemonPid);
    return `answered ${kernel.call("ptrace", PTRACE.detach, at.daemonPid, 0, 0)}`;
  }),
  attack(
    "ask to be traced by the daemon",
    ANSWER,
    (kernel) => `answered ${kernel.call("ptrace", PTRACE.traceMe, 0, 0, 0)}`,
    { spent: true },
  ),
  attack("pidfd_open the daemon", ANSWER, (kernel, at) => kernel.call("pidfd_open", at.daemonPid, 0)),
  attack("take a descriptor out of the daemon", SECRET, (kernel, at) => {
    const process = kernel.call("pidfd_open", at.daemonPid, 0);
    const taken = kernel.call("pidfd_getfd", process, at.secretDescriptor, 0);
    const bytes = new Uint8Array(200);
    return Buffer.from(bytes.subarray(0, kernel.call("pread64", taken, bytes, 200, 0))).toString("latin1");
  }),
];

// --- internal ---

function readWhole(kernel: Kernel, path: string): string {
  return kernel.readAll(kernel.call("openat", FROM_HERE, path, OPEN.read));
}

/** Until what it traces stands still. */
function waitFor(kernel: Kernel, pid: number): void {
  const anyThread = 0x40000000;
  kernel.call("wait4", pid, new Int32Array(1), anyThread, 0);
}
