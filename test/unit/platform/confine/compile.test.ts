/** The seccomp filters, run by an interpreter of their instructions for every system call of the tables, and for strange ones. */
import { describe, expect, test } from "bun:test";
import {
  ANSWER,
  CODE,
  compileFilter,
  DATA,
  encodeInstructions,
  type Instruction,
} from "../../../../src/platform/confine/seccomp/compile.ts";
import { MACHINES } from "../../../../src/platform/confine/seccomp/machine.ts";
import { allow, allowWhen, bits, int, long } from "../../../../src/platform/confine/seccomp/rule.ts";
import { sealedRules, startRules } from "../../../../src/platform/confine/seccomp/rules.ts";

const PID = 4711;

/** What a filter answers, as the kernel would compute it. */
function run(
  program: readonly Instruction[],
  number: number,
  args: readonly bigint[] = [],
  arch?: number,
): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setInt32(DATA.number, number, true);
  data.setUint32(DATA.arch, arch ?? program[1]!.value, true);
  for (const [i, arg] of args.entries())
    data.setBigUint64(DATA.arguments + 8 * i, BigInt.asUintN(64, arg), true);
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const { code, value, whenTrue, whenFalse } = program[at]!;
    if (code === CODE.answer) return value;
    if (code === CODE.load) accumulator = data.getUint32(value, true);
    else if (code === CODE.and) accumulator = (accumulator & value) >>> 0;
    else at += holds(code, accumulator, value) ? whenTrue : whenFalse;
  }
  throw new Error("ran past the end");
}

function holds(code: number, accumulator: number, value: number): boolean {
  if (code === CODE.equal) return accumulator === value;
  if (code === CODE.above) return accumulator > value;
  if (code === CODE.atLeast) return accumulator >= value;
  throw new Error(`unknown instruction ${code}`);
}

/**
 * All that a sealed guest may call, whatever the arguments, and what depends on them. Written down a second time, so that nothing is
 * let through by the way: whoever adds a rule says so here too.
 */
const GUEST_ALWAYS = `brk close epoll_create1 epoll_ctl epoll_pwait
  epoll_pwait2 epoll_wait eventfd2 exit exit_group fstat getcpu getcwd getegid geteuid getgid getpid getppid getrandom getrlimit
  getrusage gettid gettimeofday getuid lseek mprotect mremap munmap nanosleep poll ppoll read readv
  restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend sched_yield set_robust_list shutdown sigaltstack sysinfo
  time timerfd_create timerfd_gettime timerfd_settime times uname write writev`
  .split(/\s+/)
  .toSorted();
const GUEST_BY_ARGUMENT =
  `clock_getres clock_gettime clock_nanosleep clone dup3 fcntl futex getsockopt ioctl madvise membarrier mmap prctl prlimit64
  recvfrom sched_getaffinity sendto tgkill`
    .split(/\s+/)
    .toSorted();

for (const [name, machine] of Object.entries(MACHINES)) {
  const guest = compileFilter(
    sealedRules({ profile: "guest", pid: PID, openFolder: machine.openFolder, mayTkill: false }),
    machine,
  );
  const bundler = compileFilter(
    sealedRules({ profile: "bundler", pid: PID, openFolder: machine.openFolder, mayTkill: false }),
    machine,
  );
  const start = compileFilter(startRules(), machine);
  const known = Object.keys(machine.numbers).toSorted();
  const ask = (program: readonly Instruction[], call: string, ...args: (number | bigint)[]) =>
    run(program, machine.numbers[call]!, args.map(BigInt));
  const let_through = (program: readonly Instruction[], call: string, ...args: (number | bigint)[]) =>
    ask(program, call, ...args) === ANSWER.allow;

  describe(`the filters on ${name}`, () => {
    test("a sealed guest may make the calls that are listed here, and no other", () => {
      const strange = 0xfeed_feed_feed_feedn;
      const allowed = known.filter((call) =>
        let_through(guest, call, strange, strange, strange, strange, strange, strange),
      );
      expect(allowed).toEqual(GUEST_ALWAYS.filter((call) => call in machine.numbers));
    });

    test("every other call that the kernel has is refused, clone3 as if it weren't there", () => {
      const inRules = new Set([...GUEST_ALWAYS, ...GUEST_BY_ARGUMENT, "clone3"]);
      const others = known.filter((call) => !inRules.has(call));
      expect(others.length).toBeGreaterThan(200);
      for (const call of others) expect([call, ask(guest, call)]).toEqual([call, ANSWER.notPermitted]);
      expect(ask(guest, "clone3")).toBe(ANSWER.notImplemented);
    });

    test.each([
      "open openat openat2 creat stat lstat statx newfstatat access faccessat faccessat2 readlink readlinkat chdir fchdir chroot",
      "socket socketpair connect bind listen accept accept4 sendmsg sendmmsg recvmsg recvmmsg setsockopt",
      "fork vfork execve execveat ptrace process_vm_readv process_vm_writev pidfd_open pidfd_getfd pidfd_send_signal kill tkill",
      "rt_sigqueueinfo rt_tgsigqueueinfo memfd_create memfd_secret io_uring_setup io_uring_enter io_uring_register bpf perf_event_open",
      "userfaultfd keyctl add_key request_key mount umount2 pivot_root unshare setns setuid setgid setresuid setresgid setgroups capset",
      "personality seccomp landlock_restrict_self setrlimit sched_setaffinity setpriority shmget msgget semget mq_open process_madvise",
    ])("no guest may call %s", (calls) => {
      for (const call of calls.split(" ").filter((call) => call in machine.numbers)) {
        expect([call, ask(guest, call)]).toEqual([call, ANSWER.notPermitted]);
      }
    });

    test("a bundler may also list folders, and open nothing else", () => {
      const folder = machine.openFolder;
      const more = known.filter((call) => let_through(bundler, call) && !let_through(guest, call));
      expect(more).toEqual(
        ["getdents64", "readlink", "readlinkat"].filter((call) => call in machine.numbers),
      );
      expect(let_through(bundler, "openat", -100, 1, folder)).toBe(true);
      expect(let_through(bundler, "openat", -100, 1, 0)).toBe(false);
      expect(let_through(bundler, "openat", -100, 1, folder | 1)).toBe(false);
      expect(let_through(bundler, "openat", -100, 1, folder | 0o100)).toBe(false);
      expect(let_through(bundler, "openat", -100, 1, folder | 0o10000000)).toBe(false);
      expect(let_through(bundler, "openat", -100, 1, folder | 0o20000000 | 2)).toBe(false);
    });

    test("a thread may be made, a process may not", () => {
      expect(let_through(guest, "clone", 0x3d0f00)).toBe(true);
      expect(let_through(guest, "clone", 0x7d0f00)).toBe(true);
      for (const flags of [
        17,
        0,
        0x4111,
        0x100,
        0x3d0f00 | 0x10000000,
        0x3d0f00 | 0x20000,
        0x3d0f00 & ~0x10000,
      ]) {
        expect(let_through(guest, "clone", flags)).toBe(false);
      }
    });

    test("memory is private and anonymous", () => {
      expect(let_through(guest, "mmap", 0, 4096, 7, 0x22)).toBe(true);
      expect(let_through(guest, "mmap", 0, 4096, 0, 0x22 | 0x4000 | 0x20000 | 0x10)).toBe(true);
      for (const flags of [0x21, 0x2, 0x1, 0x23, 0x22 | 0x40000, 0x22 | 0x100, 0x22 | 0x2000]) {
        expect(let_through(guest, "mmap", 0, 4096, 3, flags)).toBe(false);
      }
    });

    test("signals go to the process's own threads", () => {
      expect(let_through(guest, "tgkill", PID, PID + 3, 9)).toBe(true);
      for (const pid of [0, -1, -PID, 1, PID + 1]) {
        expect(let_through(guest, "tgkill", pid, PID, 9)).toBe(false);
      }
    });

    test("where libc can't do without tkill it is let through, and only then", () => {
      const needs = { profile: "guest", pid: PID, openFolder: machine.openFolder } as const;
      expect(let_through(compileFilter(sealedRules({ ...needs, mayTkill: true }), machine), "tkill")).toBe(
        true,
      );
      expect(let_through(guest, "tkill")).toBe(false);
    });

    test("nothing is sent to an address, no limit is changed, no futex has a priority", () => {
      expect(let_through(guest, "sendto", 3, 1, 1, 0, 0, 0)).toBe(true);
      expect(let_through(guest, "sendto", 3, 1, 1, 0, 0x7fff_0000_0000n, 16)).toBe(false);
      expect(let_through(guest, "prlimit64", 0, 7, 0, 1)).toBe(true);
      expect(let_through(guest, "prlimit64", 0, 7, 1, 0)).toBe(false);
      expect(let_through(guest, "prlimit64", 1, 7, 0, 1)).toBe(false);
      expect(let_through(guest, "futex", 1, 0x80 | 0x100 | 9)).toBe(true);
      for (const operation of [6, 7, 8, 11, 12, 13]) {
        expect(let_through(guest, "futex", 1, operation)).toBe(false);
        expect(let_through(guest, "futex", 1, operation | 0x80)).toBe(false);
      }
    });

    test("a socket gives and takes plain data, and says nothing of who is at its other end", () => {
      for (const call of ["sendto", "recvfrom"]) {
        for (const flags of [0, 0x40, 0x4000, 0x4040])
          expect(let_through(guest, call, 3, 1, 1, flags, 0, 0)).toBe(true);
        for (const flags of [0x1, 0x41, 0x2000, 0x2, 0x4000000, 0x20000000])
          expect(let_through(guest, call, 3, 1, 1, flags, 0, 0)).toBe(false);
      }
      if (known.includes("getsockopt")) expect(let_through(guest, "getsockopt", 3, 1, 4)).toBe(true);
      for (const option of [17, 31, 59, 77])
        expect(let_through(guest, "getsockopt", 3, 1, option)).toBe(false);
      expect(let_through(guest, "getsockopt", 3, 6, 4)).toBe(false);
    });

    test("no clock is another process's", () => {
      for (const call of ["clock_gettime", "clock_getres", "clock_nanosleep"]) {
        for (const clock of [0, 1, 2, 3, 4, 7]) expect(let_through(guest, call, clock)).toBe(true);
        for (const clock of [-2, -6, ~PID * 8 + 2]) expect(let_through(guest, call, clock)).toBe(false);
      }
    });

    test("fcntl, ioctl, prctl and madvise do what the runtime needs", () => {
      expect(let_through(guest, "fcntl", 3, 3)).toBe(true);
      for (const command of [0, 8, 1024, 1030, 1031, 1033])
        expect(let_through(guest, "fcntl", 3, command)).toBe(false);
      expect(let_through(guest, "getsockopt", 3, 1, 4)).toBe(true);
      for (const option of [17, 31, 77, 59])
        expect(let_through(guest, "getsockopt", 3, 1, option)).toBe(false);
      expect(let_through(guest, "membarrier", 8)).toBe(true);
      for (const command of [1, 2, 4, 128]) expect(let_through(guest, "membarrier", command)).toBe(false);
      expect(let_through(guest, "ioctl", 3, 0x5421)).toBe(true);
      for (const request of [0x5412, 0x5401, 0x8912, 0x541c])
        expect(let_through(guest, "ioctl", 0, request)).toBe(false);
      expect(let_through(guest, "prctl", 15)).toBe(true);
      for (const option of [1, 4, 22, 23, 24, 38, 47, 36, 0x59616d61])
        expect(let_through(guest, "prctl", option)).toBe(false);
      expect(let_through(guest, "madvise", 0, 0, 4)).toBe(true);
      for (const advice of [9, 12, 100, 101, 22, 23])
        expect(let_through(guest, "madvise", 0, 0, advice)).toBe(false);
    });

    test("the upper half of an int is not looked at, of an address it is", () => {
      expect(let_through(guest, "tgkill", 0xffff_ffff_0000_0000n | BigInt(PID))).toBe(true);
      expect(let_through(guest, "sendto", 3, 1, 1, 0, 1n << 32n)).toBe(false);
    });

    test.each([
      ["a foreign architecture ends the process", 0, 0x40000003, ANSWER.killProcess],
      ["the x32 numbering is refused", 0x40000000 + 1, undefined, ANSWER.notPermitted],
      ["a negative number is refused", -1, undefined, ANSWER.notPermitted],
      [
        "a call that is newer than the table does not exist",
        Math.max(...Object.values(machine.numbers)) + 1,
        undefined,
        ANSWER.notImplemented,
      ],
    ] as const)("%s", (_, number, arch, answer) => {
      for (const program of [guest, bundler, start]) expect(run(program, number, [], arch)).toBe(answer);
    });

    test("no number without a name is let through", () => {
      const named = new Set<number>(Object.values(machine.numbers));
      const nameless = Array.from({ length: 2048 }, (_, number) => number).filter(
        (number) => !named.has(number),
      );
      for (const program of [guest, bundler, start]) {
        expect(nameless.filter((number) => run(program, number) === ANSWER.allow)).toEqual([]);
      }
    });

    test("the first filter lets through all that the second does, and neither a process nor a network", () => {
      const needs = { pid: PID, openFolder: machine.openFolder, mayTkill: true } as const;
      const later = [
        ...sealedRules({ ...needs, profile: "guest" }),
        ...sealedRules({ ...needs, profile: "bundler" }),
      ];
      const first = new Map(startRules().map((rule) => [rule.call, rule.verdict]));
      for (const { call, verdict } of later) {
        if (first.get(call) !== "allow") expect([call, first.get(call)]).toEqual([call, verdict]);
      }
      for (const call of [
        "fork",
        "vfork",
        "connect",
        "bind",
        "ptrace",
        "mount",
        "bpf",
        "io_uring_setup",
        "unshare",
        "memfd_create",
      ]) {
        if (call in machine.numbers) expect([call, ask(start, call)]).toEqual([call, ANSWER.notPermitted]);
      }
      expect(let_through(start, "clone", 17)).toBe(false);
    });

    test("a filter fits into what the kernel takes", () => {
      for (const program of [guest, bundler, start]) {
        expect(program.length).toBeLessThan(4096);
        expect(encodeInstructions(program).length).toBe(program.length * 8);
      }
    });
  });
}

describe("compiling", () => {
  const machine = { auditArch: 7, numbers: { read: 1, kill: 2, write: 9 }, openFolder: 0 };

  test("a clause holds where all of its tests do, a rule where one of its clauses does", () => {
    const program = compileFilter(
      allowWhen("kill", [int(0, 5), bits(1, 0xf0, 0x30)], [long(2, 0x80000000)]),
      machine,
    );
    expect(run(program, 2, [5n, 0x3fn])).toBe(ANSWER.allow);
    expect(run(program, 2, [5n, 0x4fn])).toBe(ANSWER.notPermitted);
    expect(run(program, 2, [6n, 0x3fn])).toBe(ANSWER.notPermitted);
    expect(run(program, 2, [6n, 0n, 0x80000000n])).toBe(ANSWER.allow);
    expect(run(program, 2, [6n, 0n, 0x1_80000000n])).toBe(ANSWER.notPermitted);
  });

  test("a rule without a clause refuses always; a call that the machine lacks has no rule", () => {
    expect(run(compileFilter(allowWhen("kill"), machine), 2)).toBe(ANSWER.notPermitted);
    expect(compileFilter(allow("open"), machine)).toEqual(compileFilter([], machine));
  });

  test("a rule that is too long for a jump is a mistake that shows", () => {
    const clauses = Array.from({ length: 100 }, (_, i) => [int(0, i)]);
    expect(() => compileFilter(allowWhen("kill", ...clauses), machine)).toThrow("too long");
  });

  test("an instruction is laid out as the kernel's struct sock_filter", () => {
    const bytes = encodeInstructions([{ code: 0x15, whenTrue: 1, whenFalse: 2, value: 0xc000003e }]);
    expect([...bytes]).toEqual([0x15, 0, 1, 2, 0x3e, 0, 0, 0xc0]);
  });
});
