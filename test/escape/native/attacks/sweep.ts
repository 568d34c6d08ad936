/** Every number that the kernel has a call for, without knowing what it does: what is not needed must be refused before it is looked at. */
import { ANSWER, attack, REFUSED, type NativeAttack } from "../attack.ts";
import { Refused } from "../errors.ts";
import type { Kernel } from "../kernel.ts";
import { syscallName, syscallNumber, type Syscall } from "../syscalls.ts";

/** What a sealed process may call, with some arguments at least. Whoever adds one here has read what it can do. */
const NEEDED: readonly Syscall[] = [
  "read",
  "write",
  "readv",
  "writev",
  "close",
  "lseek",
  "fstat",
  "poll",
  "ppoll",
  "shutdown",
  "getsockopt",
  "sendto",
  "recvfrom",
  "fcntl",
  "ioctl",
  "epoll_create",
  "epoll_create1",
  "epoll_ctl",
  "epoll_wait",
  "epoll_pwait",
  "epoll_pwait2",
  "eventfd2",
  "timerfd_create",
  "timerfd_settime",
  "timerfd_gettime",
  "mmap",
  "munmap",
  "mprotect",
  "mremap",
  "brk",
  "madvise",
  "membarrier",
  "clone",
  "exit",
  "exit_group",
  "set_robust_list",
  "rseq",
  "restart_syscall",
  "gettid",
  "futex",
  "sched_yield",
  "rt_sigaction",
  "rt_sigprocmask",
  "rt_sigreturn",
  "rt_sigsuspend",
  "sigaltstack",
  "nanosleep",
  "clock_nanosleep",
  "clock_getres",
  "clock_gettime",
  "gettimeofday",
  "time",
  "getpid",
  "getppid",
  "getuid",
  "geteuid",
  "getgid",
  "getegid",
  "getcwd",
  "uname",
  "getrandom",
  "getrusage",
  "getrlimit",
  "times",
  "sysinfo",
  "getcpu",
  "prlimit64",
  "sched_getaffinity",
  "prctl",
  "kill",
  "tgkill",
];

/** What would end, stop or copy the attacker where nothing refuses it; they have attacks of their own. */
const RISKY: readonly Syscall[] = ["pause", "fork", "vfork", "vhangup", "setsid", "sync"];

/** `uretprobe` and `uprobe` of x86-64: no filter is asked about them, and the kernel ends who calls them by SIGILL. */
const PAST_FILTERS: readonly number[] = process.arch === "x64" ? [335, 336] : [];

const NUMBERS = 512;
const MINUS_ONE = -1;

/** There they list a folder, too. */
const IN_BUNDLER = /^\["(readlink: -22",")?getdents64: -9","readlinkat: -22"\]$/;

export const SWEEP: readonly NativeAttack[] = [
  attack(
    "make every call that nobody needs",
    ANSWER,
    (kernel) => {
      const left = new Set([...[...NEEDED, ...RISKY].map(syscallNumber), ...PAST_FILTERS]);
      const numbers = Array.from({ length: NUMBERS }, (_, number) => number);
      return callAll(
        kernel,
        numbers.filter((number) => !left.has(number)),
      );
    },
    { bundler: { refusals: REFUSED, may: IN_BUNDLER } },
  ),
];

// --- internal ---

/** The numbers that were not refused at the door, with what the kernel thought of the arguments. */
function callAll(kernel: Kernel, numbers: readonly number[]): readonly string[] {
  const minusOnes = Array.from({ length: 6 }, () => MINUS_ONE);
  const answers = numbers.map((number) => [number, kernel.raw(number, ...minusOnes)] as const);
  const [notPermitted, notThere] = [-1n, -38n];
  const open = answers.filter(([, answer]) => answer !== notPermitted && answer !== notThere);
  if (open.length === 0) throw new Refused("EPERM", "every call that nobody needs");
  return open.map(([number, answer]) => `${syscallName(number)}: ${answer}`);
}
