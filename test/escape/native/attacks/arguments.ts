/**
 * Calls that a sealed process may make, with every argument that it may not give: what a filter lets through by its first arguments is
 * tried with all others. Each gives the arguments that were not refused at the door.
 */
import { ANSWER, attack, type NativeAttack } from "../attack.ts";
import { Refused } from "../errors.ts";
import { SIGNAL, THREAD } from "../flags.ts";
import type { Kernel } from "../kernel.ts";

const OWN = 3;
const STANDARD_INPUT = 0;
const NOBODY_LISTENS = 0x40;

const ALLOWED = {
  prctl: [15, 16],
  fcntl: [1, 2, 3, 4],
  ioctl: [0x5421],
  futex: [0, 1, 3, 4, 5, 9, 10],
  madvise: [0, 3, 4, 8, 14, 15, 16, 17, 18],
  sendFlags: [0x40, 0x4000],
  clocks: 16,
} as const;
/** Injected errors of the memory itself: a machine would lose pages. */
const POISON = [100, 101];

const READ_WRITE = 3;
const PLAIN = 0x22;

export const ARGUMENTS: readonly NativeAttack[] = [
  sweep("every option of prctl", range(1, 100, ALLOWED.prctl), (kernel, option) =>
    kernel.call("prctl", option, -1, -1, -1, -1),
  ),
  sweep("every command of fcntl", [...range(0, 48, ALLOWED.fcntl), ...range(1024, 1048)], (kernel, command) =>
    kernel.call("fcntl", STANDARD_INPUT, command, -1),
  ),
  sweep(
    "every ioctl of terminals, files and sockets",
    [
      ...range(0x5400, 0x5500, ALLOWED.ioctl),
      ...range(0x8900, 0x8a00),
      ...range(0x6600, 0x6640),
      ...range(0xaf00, 0xaf10),
    ],
    (kernel, request) => kernel.call("ioctl", STANDARD_INPUT, request, -1),
  ),
  sweep("every operation of futex", range(0, 64, ALLOWED.futex), (kernel, operation) =>
    kernel.call("futex", new Uint32Array(2), operation, 1, new BigInt64Array(2), 0, 0),
  ),
  sweep("every advice of madvise", range(0, 128, [...ALLOWED.madvise, ...POISON]), (kernel, advice) =>
    kernel.call("madvise", kernel.call("mmap", 0, 4096, READ_WRITE, PLAIN, -1, 0), 4096, advice),
  ),
  // Out of band has an attack of its own: it would tear the frames apart.
  sweep("every flag of sending", bitsOf(1, 31, ALLOWED.sendFlags), (kernel, flag) =>
    kernel.call("sendto", OWN, new Uint8Array(4), 4, flag | NOBODY_LISTENS, 0, 0),
  ),
  sweep("every flag of receiving", bitsOf(0, 31, ALLOWED.sendFlags), (kernel, flag) =>
    kernel.call("recvfrom", OWN, new Uint8Array(4), 4, flag | NOBODY_LISTENS, 0, 0),
  ),
  sweep("every option of its socket but its error", range(0, 100, [4]), (kernel, option) =>
    kernel.call("getsockopt", OWN, 1, option, new Uint8Array(256), new Uint32Array([256])),
  ),
  sweep("every level of options of its socket", [0, ...range(2, 300)], (kernel, level) =>
    kernel.call("getsockopt", OWN, level, 4, new Uint8Array(256), new Uint32Array([256])),
  ),
  ...(["clock_gettime", "clock_getres"] as const).map((name) =>
    sweep(`every clock of ${name} that is not everybody's`, clocks(), (kernel, clock) =>
      kernel.call(name, clock, new BigInt64Array(2)),
    ),
  ),
  sweep("every clock to sleep on that is not everybody's", clocks(), (kernel, clock) => {
    const untilThen = 1;
    return kernel.call("clock_nanosleep", clock, untilThen, new BigInt64Array(2), 0);
  }),
  sweep(
    "every kind of memory that is not plain",
    [0x01, 0x03, 0x21, 0x122, 0x2022, 0x40022, 0x80023, 0x02],
    (kernel, flags) => kernel.call("mmap", 0, 4096, READ_WRITE, flags, STANDARD_INPUT, 0),
  ),
  // 0x400000, CLONE_DETACHED, is what musl adds.
  sweep("a thread with one flag more or less", bitsOf(8, 32, [0x400000]), (kernel, flag) => {
    const places = new BigUint64Array(16);
    const [parent, child] = [kernel.address(places), kernel.address(places) + 64n];
    return kernel.thread("clone", BigInt(THREAD) ^ BigInt(flag), 0, parent, child, 0);
  }),
  // Below them is the signal for the parent.
  sweep("a process with any one flag", bitsOf(8, 32), (kernel, flag) =>
    kernel.fork("clone", BigInt(flag) | BigInt(SIGNAL.child), 0, 0, 0, 0),
  ),
  sweep("every way to duplicate a descriptor but the seal's own", range(0, 20), (kernel, number) =>
    kernel.call("dup3", OWN, 20 + number, 0),
  ),
  sweep("every signal to every process but itself", [0, 1, 2, -1, 999_999], (kernel, process) =>
    kernel.call("tgkill", process, process, 0),
  ),
];

// --- internal ---

function sweep(
  name: string,
  values: readonly number[],
  run: (kernel: Kernel, value: number) => number,
): NativeAttack {
  return attack(name, ANSWER, (kernel) => {
    const refusals = new Set<string>();
    const open = values.filter((value) => {
      const refusal = refusalOf(() => run(kernel, value));
      if (refusal === "EPERM") refusals.add(refusal);
      return refusal !== "EPERM";
    });
    if (open.length === 0) throw new Refused([...refusals].join(" "), name);
    return open;
  });
}

/** Another error than this shows that the kernel looked at the arguments. */
function refusalOf(work: () => number): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

function range(from: number, end: number, left: readonly number[] = []): readonly number[] {
  return Array.from({ length: end - from }, (_, i) => from + i).filter((value) => !left.includes(value));
}

function bitsOf(from: number, end: number, left: readonly number[] = []): readonly number[] {
  return range(from, end)
    .map((bit) => 2 ** bit)
    .filter((value) => !left.includes(value));
}

/** Of processes and threads by number, and those after the ones that everybody has. */
function clocks(): readonly number[] {
  return [...range(-64, 0), ...range(ALLOWED.clocks, 64)];
}
