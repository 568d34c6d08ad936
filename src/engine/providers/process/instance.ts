/**
 * One instance and what can be asked of it, one thing at a time. Its process is run.ts; this is the order of things:
 * stop asks before it kills, a start is not undone by a crash, an earlier daemon's process is taken over.
 * Called by supervisor.ts and provider.ts.
 */
import { timestamp } from "../../../base/clock.ts";
import type { InstanceStatus } from "../provider.ts";
import { wantsRestart } from "./back-off.ts";
import type { RunState, StoredSpec } from "./instance-files.ts";
import type { LogStore } from "./log-store.ts";
import { makeRetry } from "./retry.ts";
import { describeRun } from "./run-status.ts";
import { makeRun, type RunParts } from "./run.ts";
import { makeSerial } from "../../serial.ts";

export interface Instance {
  readonly spec: StoredSpec;
  readonly logs: LogStore;
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;
  /** Takes over what an earlier daemon started, and starts again what should run but does not. */
  adopt(): Promise<void>;
  /** Ends every process of it, without asking, and forgets it. */
  kill(): Promise<void>;
  /** Keeps its log within bounds and, if an earlier daemon started it, looks whether it still runs. */
  tend(): Promise<void>;
  status(): InstanceStatus;
  /** The process that runs now. */
  run(): InstanceRun | undefined;
  /** Stops watching; the processes go on. */
  release(): void;
}

export interface InstanceRun {
  readonly pid: number;
  /** Of no other run. */
  readonly name: string;
  readonly restarts: number;
}

export function makeInstance(spec: StoredSpec, initial: RunState, parts: RunParts): Instance {
  const { table, clock, logs } = parts;
  const serial = makeSerial();
  const retry = makeRetry(clock);
  const run = makeRun(spec, initial, parts, serial, retry);

  async function start(): Promise<void> {
    if (run.isAlive()) return;
    retry.cancel();
    await run.save({ crashes: 0 });
    try {
      await run.begin();
    } catch (error) {
      await run.save({ desired: "stopped", main: null });
      throw error;
    }
  }

  async function stop(graceMs: number): Promise<void> {
    retry.cancel();
    const { main } = run.state();
    await run.save({ desired: "stopped" });
    if (main !== null && run.isAlive()) {
      table.signal(-main.pid, "SIGTERM");
      const end = clock.monotonic() + graceMs;
      while (run.isAlive() && clock.monotonic() < end) await clock.sleep(STOP_POLL_MS);
    }
    await run.endAll();
    if (main !== null) await run.ended(await run.child()?.exited);
  }

  async function adopt(): Promise<void> {
    const { desired, exit, main } = run.state();
    if (desired !== "running" || run.isAlive()) return;
    if (exit !== null) return run.retryLater();
    const rebooted = main !== null && main.bootId !== table.bootId();
    // The machine was started anew, or a daemon was killed while it started this: as if it had just been asked for.
    if (main === null || (rebooted && wantsRestart(spec.restart, undefined))) return run.beginAgain();
    return run.ended(undefined);
  }

  async function kill(): Promise<void> {
    retry.cancel();
    await run.endAll();
    run.release();
    // Seen by a follower of the log, but not written down: the folder goes next.
    await run.save({ desired: "stopped", main: null, exit: { code: null, at: timestamp(clock.now()) } });
  }

  const isUnseenEnd = () => run.child() === undefined && run.state().main !== null && !run.isAlive();

  return {
    spec,
    logs,
    start: () => serial(start),
    stop: (graceMs) => serial(() => stop(graceMs)),
    adopt: () => serial(adopt),
    kill: () => serial(kill),
    async tend() {
      while (logs.tend()) await clock.sleep(TEND_PAUSE_MS);
      if (isUnseenEnd()) await serial(async () => (isUnseenEnd() ? run.ended(undefined) : undefined));
    },
    status() {
      const running = run.isAlive() || (run.state().desired === "running" && run.child() !== undefined);
      return describeRun(run.state(), spec.restart, { running, retryInMs: retry.dueInMs() });
    },
    run() {
      const { main, restarts } = run.state();
      if (main === null || !run.isAlive()) return undefined;
      return { pid: main.pid, name: `${main.bootId} ${main.startTicks} ${main.pid}`, restarts };
    },
    release: () => run.release(),
  };
}

// --- internal ---

const STOP_POLL_MS = 20;
/** A flood that nobody takes is let go of in parts, so that the daemon does something else in between. */
const TEND_PAUSE_MS = 10;
