/**
 * A child process of this program that has no power but its socket: it is confined by the kernel before it reads anything of a
 * plugin, watched from outside, and killed with its whole process group. Only the daemon's side; the child's is seal.ts.
 */
import { closeSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { selfCommand, sourceFolder } from "../self.ts";
import { makeMemoryGroups } from "./cgroup/memory-groups.ts";
import { findMemoryPlace } from "./cgroup/place.ts";
import { childEnvironment } from "./environment.ts";
import { openKernel } from "./kernel.ts";
import { makeMemoryWatch, type Excess } from "./memory-watch.ts";
import { writePlan, type ConfinePlan } from "./plan.ts";
import { howItEnded, type ProcessEnd } from "./process-end.ts";
import { readText } from "./read-text.ts";
import { openProcessStat } from "./process-stat.ts";
import type { Profile } from "./profile.ts";
import { confinementReport, whatIsMissing, type ConfinementReport } from "./report.ts";

export type { ProcessEnd } from "./process-end.ts";
export type { Profile } from "./profile.ts";

export interface ConfinedSpec {
  /** The words after the executable, as in `["__plugin", "wasm", "deploy-window"]`. */
  readonly role: readonly string[];
  readonly profile: Profile;
  /** The user and group it becomes; undefined where the daemon is not root: it stays what the daemon is. */
  readonly uid: number | undefined;
  /** Resident memory at which it is killed. */
  readonly memoryBytes: number;
  /** What its engine asks for as data and hardly touches, beyond the memory that it may have. */
  readonly reservedBytes?: number;
  /** CPU time in its whole life after which the kernel kills it: a backstop, where nobody looks any more. */
  readonly cpuMs?: number;
  /** False only where the operator wrote `allow_unconfined`. */
  readonly confined: boolean;
}

export interface ConfinedProcess {
  readonly pid: number;
  /** Our end of the socket pair whose other end is the child's descriptor 3. Whoever takes it closes it. */
  readonly descriptor: number;
  /** How it ended; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** SIGKILL to the whole process group; harmless when repeated. */
  kill(): void;
  /** CPU time it has used so far; undefined once it is gone. */
  cpuMs(): number | undefined;
}

/** Throws `confinement.unavailable` where this machine can't confine and `confined` asks for it. */
export type StartConfined = (spec: ConfinedSpec) => ConfinedProcess;

export interface StartConfinedDeps {
  readonly clock: Clock;
  /** argv that runs this program in a role; `selfCommand`, or a test's own executable. */
  readonly command?: (...role: readonly string[]) => readonly string[];
}

export function makeStartConfined({ clock, command = selfCommand }: StartConfinedDeps): StartConfined {
  const memoryWatch = makeMemoryWatch(clock);
  const machine = lazily(() => confinementReport());
  const memoryGroups = lazily(() => makeMemoryGroups(findMemoryPlace(openKernel()), clock));

  return (spec) => {
    checkMachine(machine(), spec);
    // Before there is a child: where groups can be made is seen by who stands in the daemon's own.
    const groups = memoryGroups();
    const child = spawn(spec, command);
    const { pid } = child;
    const descriptor = child.stdio[LINK] as unknown as number;
    let killed = false;
    let over = false;
    let excess: Excess | undefined;
    const kill = (): void => {
      if (over) return;
      killed = true;
      killGroup(pid);
    };
    const { stat, stopWatching } = orEndAll({ pid, descriptor }, () => {
      const opened = openProcessStat(pid);
      const tooMuch = (found: Excess): void => {
        excess ??= found;
        killGroup(pid);
      };
      return { stat: opened, stopWatching: memoryWatch.watch(opened, spec.memoryBytes, tooMuch) };
    });
    const group = groups.add(pid, spec.memoryBytes);
    const stderr = readText(child.stderr, LIMITS.confinedStderrBytes);

    async function end(): Promise<ProcessEnd> {
      await child.exited;
      over = true;
      // What it started lives on where it was not confined.
      if (!spec.confined) killGroup(pid);
      stopWatching();
      stat.close();
      if (await group.endedByKernel()) excess ??= { kind: "memory", bytes: spec.memoryBytes };
      void group.remove();
      const { exitCode: status, signalCode } = child;
      const signal = signalCode === null ? null : String(signalCode);
      return howItEnded({ status, signal, excess, killed, stderr: await stderr });
    }

    return {
      pid,
      descriptor,
      ended: end(),
      kill,
      cpuMs: () => stat.read()?.cpuMs,
    };
  };
}

// --- internal ---

/** The child's descriptor of the socket pair; 0 to 2 come before it. */
const LINK = 3;

function checkMachine(report: ConfinementReport, spec: ConfinedSpec): void {
  const missing = whatIsMissing(report, spec);
  if (missing === undefined) return;
  throw fail("confinement.unavailable", `plugin processes can't be started here: ${missing.found}`, {
    hint: missing.advice,
  });
}

function spawn(spec: ConfinedSpec, command: (...role: readonly string[]) => readonly string[]) {
  const plan = planOf(spec);
  const role = spec.confined ? ["__confine", writePlan(plan), ...spec.role] : spec.role;
  const [program, ...words] = command(...role);
  return Bun.spawn([program === process.execPath ? "/proc/self/exe" : (program ?? ""), ...words], {
    cwd: sourceFolder() ?? "/",
    env: childEnvironment(plan, process.env["TZ"] ?? Intl.DateTimeFormat().resolvedOptions().timeZone),
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    // A session and a process group of its own, so that it can be killed with all that it may have started.
    detached: true,
  });
}

/** What a daemon without plugin processes needs not is not looked at. */
function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function planOf({
  profile,
  uid,
  memoryBytes,
  reservedBytes = 0,
  cpuMs,
  confined,
}: ConfinedSpec): ConfinePlan {
  return {
    profile,
    uid,
    confined,
    dataBytes: memoryBytes + reservedBytes + LIMITS.confinedDataSlackBytes,
    cpuSeconds: cpuMs === undefined ? undefined : Math.ceil(cpuMs / 1000),
    parent: process.pid,
    kept: [],
  };
}

/** A process that nobody watches must not be; and nobody will take our end of its socket. */
function orEndAll<T>({ pid, descriptor }: Pick<ConfinedProcess, "pid" | "descriptor">, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    killGroup(pid);
    closeSync(descriptor);
    throw fail("confinement.unavailable", `process ${pid} can't be watched`, { cause });
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
