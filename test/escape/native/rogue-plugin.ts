/**
 * A plugin that misuses what every process has: memory, threads, descriptors, processor time, its own life. The alert's message says
 * which deed; anything else is answered with `well`. Bundled by bundle-hostile.ts, driven by test/e2e/robustness-process.test.ts.
 */
import { Refused } from "./errors.ts";
import { CLONE, SIGNAL, THREAD } from "./flags.ts";
import type { Kernel } from "./kernel.ts";
import { takePower } from "./take-power.ts";
import { touchNothing } from "./touch-nothing.ts";

let kernel: Kernel | undefined;

export default {
  async on_alert({ message }: { readonly message: string }): Promise<unknown> {
    kernel ??= await takePower();
    return (await deeds[message]?.(kernel)) ?? "well";
  },
};

// --- internal ---

const MIB = 1024 * 1024;
const MAP = { readWrite: 3, plain: 0x22, atOnce: 0x8022 } as const;

const deeds: Readonly<Record<string, (kernel: Kernel) => unknown>> = {
  "a loop": () => forEver(() => {}),
  "a loop behind every signal": (kernel) => {
    const ignore = new BigUint64Array([1n, 0n, 0n, 0n]);
    for (let signal = 1; signal < 32; signal++)
      tolerate(() => kernel.call("rt_sigaction", signal, ignore, 0, 8));
    forEver(() => {});
  },
  "a wrong address": (kernel) => kernel.bytesAt(1, 1)[0],
  "an abort": () => globalThis.process.abort(),
  "an exit": () => globalThis.process.reallyExit(3),
  "its own death": (kernel) => signalItself(kernel, SIGNAL.kill),
  "a halt": (kernel) => signalItself(kernel, SIGNAL.stop),
  "a sleep without end": (kernel) => kernel.call("nanosleep", new BigInt64Array([1n << 40n, 0n]), 0),
  "memory at once": (kernel) =>
    forEver(() => kernel.call("mmap", 0, 256 * MIB, MAP.readWrite, MAP.atOnce, -1, 0)),
  "memory piece by piece": (kernel) =>
    forEver(() => kernel.call("mmap", 0, MIB, MAP.readWrite, MAP.atOnce, -1, 0)),
  "objects without end": () => {
    const all: unknown[] = [];
    forEver(() => all.push({ all: [all.length] }));
  },
  "buffers without end, behind a catch": () => {
    const all: unknown[] = [];
    forEver(() => tolerate(() => all.push(new Uint8Array(MIB).fill(1))));
  },
  "page tables without end": (kernel) => forEver(() => touchNothing(kernel, 16)),
  "threads without end": (kernel) => forEver(() => startThread(kernel, "sleeper")),
  "threads without end, behind a catch": (kernel) =>
    forEver(() => tolerate(() => startThread(kernel, "sleeper"))),
  "Workers without end": async () => {
    const name = ["node", "worker_threads"].join(":");
    const { Worker } = (await import(name)) as typeof import("node:worker_threads");
    forEver(() => new Worker("setInterval(() => {}, 1000)", { eval: true }));
  },
  "a fork bomb": (kernel) =>
    forEver(() => {
      tolerate(() => kernel.fork("clone", SIGNAL.child, 0, 0, 0, 0));
      tolerate(() => kernel.fork("clone", CLONE.vfork | CLONE.memory | SIGNAL.child, 0, 0, 0, 0));
      tolerate(() => Bun.spawnSync(["/proc/self/exe"]));
    }),
  "descriptors without end": (kernel) => {
    let count = 0;
    try {
      forEver(() => (kernel.call("eventfd2", 0, 0), count++));
    } catch (error) {
      return `${(error as Refused).code} after ${count}`;
    }
  },
  "a loop after its answer": () => void setTimeout(() => forEver(() => {}), 0),
  "a thread that never rests": (kernel) => startThread(kernel, "spinner"),
};

function forEver(work: () => unknown): never {
  for (;;) work();
}

function tolerate(work: () => unknown): void {
  try {
    work();
  } catch {
    // And again.
  }
}

function signalItself(kernel: Kernel, signal: number): void {
  kernel.call("tgkill", kernel.call("getpid"), kernel.call("gettid"), signal);
}

/** On a stack that all of them share: they never use it. */
function startThread(kernel: Kernel, how: "sleeper" | "spinner"): void {
  stack ??= kernel.call("mmap", 0, MIB, MAP.readWrite, MAP.plain, -1, 0);
  kernel[how]("clone", THREAD, stack + MIB / 2, stack, stack, stack);
}

let stack: number | undefined;
