/** Taking more of what everybody shares than one process may: memory, the kernel's tables of it, threads, descriptors. Each stops by itself. */
import { ANSWER, attack, type AttackOptions, type NativeAttack } from "../attack.ts";
import { THREAD } from "../flags.ts";
import { touchNothing } from "../touch-nothing.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MAP = { readWrite: 3, plain: 0x22, atOnce: 0x8022 } as const;

/** `memory` and `threads`: by who watches how many it has. */
function taking(...refusals: readonly string[]): AttackOptions {
  return { refusals, wastes: true, control: { ends: "works", needs: "user", careless: true } };
}

export const RESOURCES: readonly NativeAttack[] = [
  attack(
    "take a gigabyte of memory",
    ANSWER,
    (kernel) => {
      kernel.call("mmap", 0, GIB, MAP.readWrite, MAP.atOnce, -1, 0);
      return "a gigabyte";
    },
    taking("ENOMEM", "memory"),
  ),
  attack(
    "have the kernel keep tables of 64 gigabytes in which nothing is",
    ANSWER,
    (kernel) => {
      for (let i = 0; i < 16; i++) touchNothing(kernel, 4);
      return "128 megabytes of tables";
    },
    taking("ENOMEM", "memory"),
  ),
  attack(
    "start two thousand threads",
    ANSWER,
    async (kernel) => {
      const stack = kernel.call("mmap", 0, MIB, MAP.readWrite, MAP.plain, -1, 0);
      for (let i = 0; i < 2000; i++) {
        kernel.sleeper("clone", THREAD, stack + MIB / 2, stack, stack, stack);
        // Whoever watches must get to look.
        if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return "two thousand";
    },
    taking("EAGAIN", "threads"),
  ),
  attack(
    "open five hundred descriptors",
    ANSWER,
    (kernel) => {
      for (let i = 0; i < 500; i++) kernel.call("eventfd2", 0, 0);
      return "five hundred";
    },
    taking("EMFILE"),
  ),
];
