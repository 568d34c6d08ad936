/** The daemon's place in the machine: its turn, its cores, its limits, its pages; and whether it is there at all. */
import { ANSWER, attack, fails, reaches, trace, type NativeAttack } from "../attack.ts";
import { vectors } from "../vectors.ts";

const slowed = trace(/priority.*was/);

export const OTHER_PLACE: readonly NativeAttack[] = [
  attack("slow the daemon down by setpriority", slowed, (kernel, at) =>
    kernel.call("setpriority", 0, at.daemonPid, 19),
  ),
  attack("make the daemon idle by sched_setscheduler", trace(/policy.*was/), (kernel, at) => {
    const idle = 5;
    kernel.call("sched_setscheduler", at.daemonPid, idle, new Int32Array(1));
  }),
  attack("make the daemon idle by sched_setattr", trace(/policy.*was/), (kernel, at) => {
    const attributes = new Uint32Array(12);
    attributes.set([48, 5]);
    kernel.call("sched_setattr", at.daemonPid, attributes, 0);
  }),
  attack(
    "set the daemon's scheduling parameter",
    ANSWER,
    (kernel, at) => `answered ${kernel.call("sched_setparam", at.daemonPid, new Int32Array(1))}`,
  ),
  attack(
    "bind the daemon to one core",
    trace(/cores.*was/),
    (kernel, at) => kernel.call("sched_setaffinity", at.daemonPid, 8, new BigUint64Array([1n])),
    {
      needs: "cores",
    },
  ),
  attack("set the daemon's priority on disks", ANSWER, (kernel, at) => {
    const [process, idle] = [1, 3 << 13];
    return `answered ${kernel.call("ioprio_set", process, at.daemonPid, idle)}`;
  }),
  attack("lower the daemon's limits", trace(/limits.*was/), (kernel, at) => {
    const files = 7;
    kernel.call("prlimit64", at.daemonPid, files, new BigUint64Array([100n, 100n]), 0);
  }),
  attack(
    "read the daemon's limits",
    ANSWER,
    (kernel, at) => `answered ${kernel.call("prlimit64", at.daemonPid, 7, 0, new BigUint64Array(2))}`,
  ),
  attack(
    "read the daemon's list of locks",
    ANSWER,
    (kernel, at) =>
      `answered ${kernel.call("get_robust_list", at.daemonPid, new BigUint64Array(1), new BigUint64Array(1))}`,
  ),
  attack("compare itself with the daemon", ANSWER, (kernel, at) => {
    const sameMemory = 1;
    return `answered ${kernel.call("kcmp", at.daemonPid, at.daemonPid, sameMemory, 0, 0)}`;
  }),
  attack(
    "move the daemon's pages",
    ANSWER,
    (kernel, at) => `answered ${kernel.call("move_pages", at.daemonPid, 0, 0, 0, 0, 0)}`,
    reaches(["ENODEV", "EINVAL", "ENOSYS"], "the machine may have one memory only", "user"),
  ),
  attack(
    "migrate the daemon's pages",
    ANSWER,
    (kernel, at) =>
      `answered ${kernel.call("migrate_pages", at.daemonPid, 8, new BigUint64Array([1n]), new BigUint64Array([1n]))}`,
    reaches(["ENODEV", "EINVAL", "ENOSYS"], "the machine may have one memory only", "user"),
  ),
  attack(
    "advise the kernel to page the daemon out",
    ANSWER,
    (kernel, at) => {
      const pageOut = 21;
      const [, theirs] = vectors(kernel, at, new Uint8Array(8));
      theirs.set([BigInt(at.memoryAddress) & ~0xfffn, 4096n]);
      return kernel.call(
        "process_madvise",
        kernel.call("pidfd_open", at.daemonPid, 0),
        theirs,
        1,
        pageOut,
        0,
      );
    },
    { needs: "root" },
  ),
  attack(
    "free the memory of a dying daemon",
    ANSWER,
    (kernel) => kernel.call("process_mrelease", 0, 0),
    reaches(["EBADF"], "the daemon is not dying", "user"),
  ),
  ...(["getpgid", "getsid", "sched_getscheduler"] as const).map((name) =>
    attack(
      `ask by ${name} whether the daemon lives`,
      ANSWER,
      (kernel, at) => `answered ${kernel.call(name, at.daemonPid)}`,
    ),
  ),
  attack("ask by sched_getaffinity whether the daemon lives", ANSWER, (kernel, at) =>
    kernel.call("sched_getaffinity", at.daemonPid, 128, new Uint8Array(128)),
  ),
  attack("ask by getpriority whether the daemon lives", ANSWER, (kernel, at) =>
    kernel.call("getpriority", 0, at.daemonPid),
  ),
  attack("ask for the time that the daemon used", ANSWER, (kernel, at) => {
    const clockOfProcess = ~at.daemonPid * 8 + 2;
    kernel.call("clock_gettime", clockOfProcess, new BigInt64Array(2));
    return "the time";
  }),
  attack(
    "wait for children that are none",
    ANSWER,
    (kernel) => kernel.call("wait4", -1, 0, 1, 0),
    reaches(["ECHILD"], "it has none", "user"),
  ),
  attack(
    "survive the daemon",
    ANSWER,
    (kernel) => {
      const parentDeathSignal = 1;
      return `answered ${kernel.call("prctl", parentDeathSignal, 0, 0, 0, 0)}`;
    },
    { spent: true },
  ),
  attack(
    "join the daemon's process group",
    ANSWER,
    (kernel, at) => `answered ${kernel.call("setpgid", 0, at.daemonPid)}`,
    {
      ...reaches(["EPERM"], "it leads a session of its own", "user"),
    },
  ),
  attack(
    "put the process into a core group with the daemon",
    ANSWER,
    (kernel, at) => {
      const [scheduleCore, share] = [62, 3];
      return `answered ${kernel.call("prctl", scheduleCore, share, at.daemonPid, 0, 0)}`;
    },
    fails("the kernel needs SMT and CONFIG_SCHED_CORE"),
  ),
];
