/** The other doors into the kernel of x86-64: the calls for 32-bit programs, the x32 numbering, and numbers that nobody has heard of. */
import { ABSENT, ANSWER, attack, fails, reaches, SECRET, type NativeAttack } from "../attack.ts";
import { Refused } from "../errors.ts";
import type { Kernel } from "../kernel.ts";

/** Numbers of the 32-bit table. */
const I386 = { open: 5, fork: 2, read: 3, socketCall: 102, getpid: 20 } as const;
const X32 = 0x40000000;
/** A process that comes by the 32-bit door is ended by the filter; in words, how it ended. */
const KILLED = ["SIGSYS"];
const needs = {
  refusals: KILLED,
  ...reaches(["SIGSEGV"], "kernels may be built without it", "x86-64"),
} as const;

export const ABI: readonly NativeAttack[] = [
  attack(
    "read a file by the 32-bit door",
    SECRET,
    (kernel, at) => {
      const file = kernel.call32(I386.open, at.secretFile, 0);
      const bytes = new Uint8Array(200);
      return Buffer.from(bytes.subarray(0, kernel.call("read", file, bytes, 200))).toString("latin1");
    },
    needs,
  ),
  attack("ask for its number by the 32-bit door", ANSWER, (kernel) => kernel.call32(I386.getpid), needs),
  attack(
    "make a socket by the 32-bit door",
    ANSWER,
    (kernel) => kernel.call32(I386.socketCall, 1, new Uint32Array([1, 1, 0])),
    needs,
  ),
  ...(
    [
      ["open", 2],
      ["socket", 41],
      ["execve", 520],
      ["ptrace", 521],
      ["getpid", 39],
    ] as const
  ).map(([name, number]) =>
    attack(
      `${name} by the x32 numbering`,
      ANSWER,
      (kernel, at) => raw(kernel, X32 + number, at.secretFile),
      fails("kernels are built without the x32 numbering"),
    ),
  ),
  attack(
    "x32 by a number with a sign",
    ANSWER,
    (kernel, at) => raw(kernel, -1 - X32, at.secretFile),
    fails("there is no such call"),
  ),
  attack("a number that no kernel has yet", ANSWER, (kernel) => raw(kernel, 4000), {
    ...fails("no kernel has it"),
    refusals: ABSENT,
  }),
];

// --- internal ---

function raw(kernel: Kernel, number: number, argument: string | number = 0): string {
  const answer = kernel.raw(number, argument);
  if (answer === -38n) throw new Refused("ENOSYS", `call ${number}`);
  if (answer === -1n) throw new Refused("EPERM", `call ${number}`);
  return `answered ${answer}`;
}
