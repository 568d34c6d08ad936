/**
 * Which system calls a confined process may make: an allow-list, what is not here is refused. `startRules` hold from before the
 * process is executed until it is sealed, `sealedRules` from then on, on top of them. Reasons stand at what is let through;
 * nothing needs one to be refused.
 */
import type { Profile } from "../profile.ts";
import { absent, allow, allowWhen, bits, int, long, type Rule } from "./rule.ts";

export interface SealedNeeds {
  readonly profile: Profile;
  /** The process that the filter is for: its threads may signal each other. */
  readonly pid: number;
  /** The machine's O_DIRECTORY. */
  readonly openFolder: number;
  /** musl signals its own threads by tkill, whose target a filter can't check. */
  readonly mayTkill: boolean;
}

/** The last filter. What is asked for most often comes first: a filter is read from its beginning. */
export function sealedRules({ profile, pid, openFolder, mayTkill }: SealedNeeds): readonly Rule[] {
  return [
    ...frequent,
    ...memory,
    ...threads,
    ...descriptors,
    ...aboutItself,
    ...allowWhen("sched_getaffinity", [int(0, 0)], [int(0, pid)]),
    ...allowWhen("tgkill", [int(0, pid)]),
    ...(mayTkill ? allow("tkill") : []),
    ...(profile === "bundler" ? folderReading(openFolder) : []),
  ];
}

/** The first filter: what the loader, the runtime's start and the way to the seal need. Only this program's own code runs under it. */
export function startRules(): readonly Rule[] {
  const start = [...starting, ...toTheSeal];
  const named = new Set(start.map((rule) => rule.call));
  const later = [...frequent, ...memory, ...threads, ...descriptors, ...aboutItself];
  return [...start, ...later.filter((rule) => !named.has(rule.call))];
}

// --- internal ---

const FUTEX = { wait: 0, wake: 1, requeue: 3, compareRequeue: 4, wakeOp: 5, waitBits: 9, wakeBits: 10 };
/** The operation without its flags (private, clock). */
const FUTEX_OPERATION = 0x7f;

const MADVISE = {
  normal: 0,
  willNeed: 3,
  dontNeed: 4,
  free: 8,
  hugePage: 14,
  noHugePage: 15,
  dontDump: 16,
  doDump: 17,
  wipeOnFork: 18,
};

/** MAP_TYPE and the flags that make memory something else than plain and private: GROWSDOWN, LOCKED, HUGETLB, SYNC. */
const MAP_CHECKED = 0x0f | 0x20 | 0x100 | 0x2000 | 0x40000 | 0x80000;
const MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;

/** What pthread_create asks of clone, in glibc and in musl: a thread of this process and nothing else. */
const THREAD = { glibc: 0x3d0f00, musl: 0x7d0f00 };

/** O_ACCMODE, O_CREAT, the bit of O_TMPFILE and O_PATH, which Landlock does not see: a folder is opened for reading, or not at all. */
const OPEN_CHECKED = 0o3 | 0o100 | 0o20000000 | 0o10000000;

const MEMBARRIER = { query: 0, expedited: 8, registerExpedited: 16, syncCore: 32, registerSyncCore: 64 };

const FCNTL = { getDescriptorFlags: 1, setDescriptorFlags: 2, getStatusFlags: 3, setStatusFlags: 4 };
const IOCTL = { nonBlocking: 0x5421 };
const PRCTL = { setName: 15, getName: 16, setMemoryName: 0x53564d41 };

/** All but MSG_DONTWAIT and MSG_NOSIGNAL. */
const NOT_SEND_FLAGS = ~(0x40 | 0x4000) >>> 0;
/** The clocks of everybody, 0 to 15: a negative number names those of another process. */
const commonClock = bits(0, ~0xf >>> 0, 0);
const SOCKET_ERROR = [int(1, 1), int(2, 4)];
/** What the seal does with its standard error. */
const STDOUT_TO_STDERR = [int(0, 1), int(1, 2)];

const frequent: readonly Rule[] = [
  // Not the operations with priorities: much kernel code, and nothing here needs them.
  ...allowWhen("futex", ...Object.values(FUTEX).map((op) => [bits(1, FUTEX_OPERATION, op)])),
  ...allow("read", "write", "epoll_wait", "epoll_pwait", "epoll_pwait2", "sched_yield"),
  ...allowWhen("clock_gettime", [commonClock]),
  // No destination: an existing connection only. No urgent data, whose code has had holes (CVE-2025-38236).
  ...allowWhen("sendto", [long(4, 0), bits(3, NOT_SEND_FLAGS, 0)]),
  ...allowWhen("recvfrom", [bits(3, NOT_SEND_FLAGS, 0)]),
  // Not MERGEABLE (pages of others could be told apart by time) and nothing that acts on other processes' memory.
  ...allowWhen("madvise", ...Object.values(MADVISE).map((advice) => [int(2, advice)])),
];

const memory: readonly Rule[] = [
  // Writable and executable as it likes: the just-in-time compiler. Shared memory is not counted by RLIMIT_DATA.
  ...allowWhen("mmap", [bits(3, MAP_CHECKED, MAP_PRIVATE_ANONYMOUS)]),
  ...allow("munmap", "mprotect", "mremap", "brk"),
  // Among its own threads: the wider ones interrupt other processes.
  ...allowWhen("membarrier", ...Object.values(MEMBARRIER).map((command) => [int(0, command)])),
];

const threads: readonly Rule[] = [
  ...allowWhen("clone", ...Object.values(THREAD).map((flags) => [int(0, flags)])),
  // Its flags lie in memory, where a filter can't read. libc falls back to clone.
  ...absent("clone3"),
  ...allow("exit", "exit_group", "set_robust_list", "rseq", "restart_syscall", "gettid"),
  ...allow("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "sigaltstack"),
  ...allow("nanosleep", "gettimeofday", "time"),
  ...allowWhen("clock_nanosleep", [commonClock]),
  ...allowWhen("clock_getres", [commonClock]),
];

/** On what is open already; none of these opens or names anything else. */
const descriptors: readonly Rule[] = [
  ...allow("readv", "writev", "close", "lseek", "fstat", "poll", "ppoll", "shutdown"),
  // Not who is at the other end: its process and its descriptor are the daemon's.
  ...allowWhen("getsockopt", SOCKET_ERROR),
  ...allowWhen("dup3", STDOUT_TO_STDERR),
  ...allow("epoll_create1", "epoll_ctl", "eventfd2"),
  ...allow("timerfd_create", "timerfd_settime", "timerfd_gettime"),
  ...allowWhen("fcntl", ...Object.values(FCNTL).map((command) => [int(1, command)])),
  ...allowWhen("ioctl", [int(1, IOCTL.nonBlocking)]),
];

const aboutItself: readonly Rule[] = [
  ...allow("getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getcwd", "uname"),
  ...allow("getrandom", "getrusage", "getrlimit", "times", "sysinfo", "getcpu"),
  ...allowWhen("prlimit64", [int(0, 0), long(2, 0)]),
  ...allowWhen("prctl", ...Object.values(PRCTL).map((option) => [int(0, option)])),
];

/** No file, whatever the path; which folders is Landlock's. The link that is read is /proc/self/fd/N. */
function folderReading(openFolder: number): Rule[] {
  return [
    ...allowWhen("openat", [bits(2, openFolder | OPEN_CHECKED, openFolder)]),
    ...allow("getdents64", "readlink", "readlinkat"),
  ];
}

/** Landlock decides which files. */
const starting: readonly Rule[] = allow(
  "execve",
  "open",
  "openat",
  "stat",
  "lstat",
  "newfstatat",
  "statx",
  "access",
  "faccessat",
  "faccessat2",
  "readlink",
  "readlinkat",
  "getdents64",
  "pread64",
  "mmap",
  "arch_prctl",
  "set_tid_address",
  "prctl",
  "prlimit64",
  "sched_getaffinity",
  "fcntl",
  "ioctl",
  "madvise",
  "futex",
  "tgkill",
  "tkill",
  "close_range",
  "chdir",
  "dup",
  "dup2",
  "dup3",
);

const toTheSeal: readonly Rule[] = allow(
  "setgroups",
  "setresgid",
  "setresuid",
  "getresuid",
  "capget",
  "capset",
  "seccomp",
  "socket",
  "landlock_create_ruleset",
);
