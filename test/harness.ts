/** What tests share: temporary places, waiting for a condition, a clock with hands, and what this machine has. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../src/base/clock.ts";
import { confinementReport } from "../src/platform/confine/report.ts";

/** A new folder that goes away with the test: `await using dir = tempDir()`. */
export function tempDir(): { readonly path: string; [Symbol.asyncDispose](): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), "voxeltron-test-"));
  return {
    path,
    async [Symbol.asyncDispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** A loopback port that nothing listens on now. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  listener.stop(true);
  return listener.port;
}

/** Resolves with the first truthy value of `condition`, asked every few milliseconds; fails loudly after the deadline. */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly what?: string } = {},
): Promise<NonNullable<T>> {
  const end = performance.now() + (options.timeoutMs ?? 5000);
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited in vain for ${options.what ?? "a condition"}`);
    await Bun.sleep(5);
  }
}

export interface FakeClock extends Clock {
  /** Turns the hands and runs what falls due, in order. */
  advance(ms: number): Promise<void>;
}

export function fakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsed = 0;
  const due = new Set<{ readonly at: number; readonly task: () => void }>();
  const clock: FakeClock = {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    after(ms, task) {
      const entry = { at: elapsed + ms, task };
      due.add(entry);
      return () => due.delete(entry);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error);
        const cancel = clock.after(ms, resolve);
        signal?.addEventListener("abort", () => (cancel(), reject(signal.reason as Error)), { once: true });
      }),
    async advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        const next = [...due].filter((entry) => entry.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        due.delete(next);
        elapsed = Math.max(elapsed, next.at);
        next.task();
        await Bun.sleep(0);
      }
      elapsed = end;
      await Bun.sleep(0);
    },
  };
  return clock;
}

/** Whether this machine has what some tests need. With CI=true a missing part is a failure, not a skip. */
export function needs(part: keyof typeof parts): boolean {
  if (parts[part]()) return true;
  lacks(part);
  return false;
}

/** Says so at the end of `bun run test`; throws with CI=true. */
export function lacks(part: string): void {
  if (process.env["CI"] === "true") throw new Error(`CI needs ${part}, and it is not there`);
  const report = process.env["VOXELTRON_TEST_MISSING"];
  if (report !== undefined) appendFileSync(report, `${part}\n`);
}

// --- internal ---

const SECOND_ENGINE = ["dockerd", "docker", "ip", "busybox"];
const SYSTEM = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };

const parts = {
  /** An engine that answers, its command line, and the program of which the test image is made. */
  docker: () => succeeds("docker", "version", "--format", "x") && Bun.which("busybox") !== null,
  /** May start an engine of its own, with a bridge of its own. */
  "second engine": () =>
    parts.root() && SECOND_ENGINE.every((program) => Bun.which(program, SYSTEM) !== null),
  /** Debian's packages podman and containernetworking-plugins. */
  podman: () => Bun.which("python3") !== null && Bun.which("busybox") !== null && succeeds("podman", "info"),
  /** Debian's packages lxc and dnsmasq-base, root, and its bridge. */
  "lxc and its bridge": () =>
    process.getuid?.() === 0 &&
    ["python3", "busybox", "lxc-start"].every((program) => Bun.which(program) !== null) &&
    existsSync("/sys/class/net/lxcbr0"),
  "docker-registry": () => Bun.which("docker-registry") !== null,
  python3: () => Bun.which("python3") !== null,
  /** Debian's package prometheus has it. */
  promtool: () => Bun.which("promtool") !== null,
  /** An ACME authority and a name server for it. */
  pebble: () => Bun.which("pebble") !== null && Bun.which("pebble-challtestsrv") !== null,
  compiled: () => existsSync(join(import.meta.dir, "../dist/voxeltron")),
  linux: () => process.platform === "linux",
  /** A kernel that can confine plugin processes. */
  confinement: () => process.platform === "linux" && confinementReport().ok,
  /** Root with all that belongs to it: a container's root often has less. */
  root: () => process.platform === "linux" && process.getuid?.() === 0 && isUnbounded(),
  /** Root that may mount: a container's root often may not. */
  mount: () => process.platform === "linux" && process.getuid?.() === 0 && canMount(),
  /** May make a network namespace, and has the tool (iproute2) to set it up. */
  "own network": () => succeeds("unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"),
} as const;

function isUnbounded(): boolean {
  const status = readFileSync("/proc/self/status", "latin1");
  const held = BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(status)?.[1] ?? 0}`);
  const [netAdmin, netRaw, sysModule, sysRawIo, sysPtrace, sysAdmin, sysTime, makeNode] = [
    12, 13, 16, 17, 19, 21, 25, 27,
  ];
  const wanted = [netAdmin, netRaw, sysModule, sysRawIo, sysPtrace, sysAdmin, sysTime, makeNode];
  return (
    wanted.every((capability) => ((held >> BigInt(capability)) & 1n) === 1n) &&
    status.includes("Seccomp:\t0\n")
  );
}

function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), "voxeltron-mount-"));
  try {
    if (!succeeds("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place)) return false;
    return succeeds("umount", place);
  } finally {
    rmdirSync(place);
  }
}

function succeeds(...command: string[]): boolean {
  return (
    Bun.which(command[0] ?? "") !== null &&
    Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).exitCode === 0
  );
}
