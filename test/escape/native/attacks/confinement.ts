/** Undoing what confines it, or making itself more than it is: privileges, filters, Landlock, limits, its place in the queue. */
import { ANSWER, attack, reaches, type NativeAttack } from "../attack.ts";
import type { Kernel } from "../kernel.ts";

const done = (answer: number) => `answered ${answer}`;
const root = { needs: "root" } as const;
const PRCTL = {
  dumpable: 4,
  seccomp: 22,
  timerSlack: 29,
  memoryMap: 35,
  subreaper: 36,
  noNewPrivileges: 38,
  tracer: 0x59616d61,
} as const;

export const CONFINEMENT: readonly NativeAttack[] = [
  attack(
    "allow itself new privileges again",
    ANSWER,
    (kernel) => kernel.call("prctl", PRCTL.noNewPrivileges, 0, 0, 0, 0),
    reaches(["EINVAL"], "the kernel never allows it", "user"),
  ),
  attack("let itself be dumped and traced", ANSWER, (kernel) =>
    done(kernel.call("prctl", PRCTL.dumpable, 1, 0, 0, 0)),
  ),
  attack(
    "name its tracer",
    ANSWER,
    (kernel) => kernel.call("prctl", PRCTL.tracer, -1, 0, 0, 0),
    reaches(["EINVAL"], "kernels may be built without Yama", "user"),
  ),
  attack("become the parent of orphans", ANSWER, (kernel) =>
    done(kernel.call("prctl", PRCTL.subreaper, 1, 0, 0, 0)),
  ),
  attack(
    "change where its own memory is said to lie",
    ANSWER,
    (kernel) => kernel.call("prctl", PRCTL.memoryMap, 8, 0, 0, 0),
    reaches(["EINVAL", "EPERM"], "0 is no address for it"),
  ),
  attack("change its timers' slack", ANSWER, (kernel) =>
    done(kernel.call("prctl", PRCTL.timerSlack, 1, 0, 0, 0)),
  ),
  attack(
    "switch its seccomp mode by prctl",
    ANSWER,
    (kernel) => {
      const filter = 2;
      return kernel.call("prctl", PRCTL.seccomp, filter, 0, 0, 0);
    },
    reaches(["EFAULT"], "a filter that is in force would stay", "user"),
  ),
  attack(
    "install a filter that allows everything",
    ANSWER,
    (kernel) => {
      kernel.call("prctl", PRCTL.noNewPrivileges, 1, 0, 0, 0);
      return done(kernel.call("seccomp", 1, 0, allowAll(kernel)));
    },
    root,
  ),
  attack(
    "install a filter that asks itself",
    ANSWER,
    (kernel) => {
      const newListener = 8;
      kernel.call("prctl", PRCTL.noNewPrivileges, 1, 0, 0, 0);
      return kernel.call("seccomp", 1, newListener, allowAll(kernel));
    },
    root,
  ),
  attack("make rules for Landlock", ANSWER, (kernel) => {
    const files = new BigUint64Array([1n]);
    return kernel.call("landlock_create_ruleset", files, 8, 0);
  }),
  attack(
    "add a rule to Landlock",
    ANSWER,
    (kernel) => kernel.call("landlock_add_rule", 0, 1, new Uint8Array(16), 0),
    reaches(["EBADFD", "EBADF", "EINVAL"], "it has no rules", "user"),
  ),
  attack(
    "restrict itself by Landlock",
    ANSWER,
    (kernel) => kernel.call("landlock_restrict_self", 0, 0),
    reaches(["EBADFD", "EBADF", "EPERM"], "it has no rules", "user"),
  ),
  attack("switch off the randomness of its addresses", ANSWER, (kernel) =>
    done(kernel.call("personality", 0x0040000)),
  ),
  attack(
    "leave its session",
    ANSWER,
    (kernel) => kernel.call("setsid"),
    reaches(["EPERM"], "it leads its session already", "user"),
  ),
  attack(
    "lead a process group of its own",
    ANSWER,
    (kernel) => done(kernel.call("setpgid", 0, 0)),
    reaches(["EPERM"], "it leads its session", "user"),
  ),
  attack(
    "raise its own limits",
    ANSWER,
    (kernel) => {
      const [files, unlimited] = [7, 0xffffffffffffffffn];
      return done(kernel.call("setrlimit", files, new BigUint64Array([unlimited - 1n, unlimited - 1n])));
    },
    reaches(["EPERM"], "no process may have more files than the machine allows"),
  ),
  attack(
    "raise its own limits by prlimit64",
    ANSWER,
    (kernel) => done(kernel.call("prlimit64", 0, 2, new BigUint64Array([1n << 40n, 1n << 40n]), 0)),
    root,
  ),
  attack(
    "put itself first in the queue",
    ANSWER,
    (kernel) => done(kernel.call("setpriority", 0, 0, -5)),
    root,
  ),
  attack(
    "run in real time",
    ANSWER,
    (kernel) => done(kernel.call("sched_setscheduler", 0, 2, new Int32Array([1]))),
    root,
  ),
  attack("choose its cores", ANSWER, (kernel) => {
    kernel.call("sched_setaffinity", 0, 8, new BigUint64Array([1n]));
    return "chosen";
  }),
  attack(
    "undo the confinement of the first filter",
    ANSWER,
    (kernel) => kernel.call("seccomp", 99, 0, 0),
    reaches(["EINVAL"], "there is no such call", "user"),
  ),
];

// --- internal ---

/** struct sock_fprog with one instruction: allow. */
function allowAll(kernel: Kernel): BigUint64Array {
  const allow = new Uint8Array([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]);
  return new BigUint64Array([1n, kernel.address(allow)]);
}
