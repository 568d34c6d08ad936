/**
 * One instance and its life: started, watched, started again after a crash, stopped. What it does is written down before
 * and after, so that a daemon killed at any point leaves nothing that the next one can't find. One thing at a time.
 * Called by supervisor.ts.
 */
import { timestamp, type Clock } from "../../../base/clock.ts";
import { messageOf } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { Log } from "../../../base/log.ts";
import type { InstanceStatus } from "../provider.ts";
import { backOffMs, wantsRestart } from "./back-off.ts";
import type { InstanceFiles, RunState, StoredSpec } from "./instance-files.ts";
import { killInstance } from "./kill.ts";
import type { Launch, LaunchedProcess } from "./launch.ts";
import type { LogStore } from "./log-store.ts";
import { isSameProcess, type ProcessTable } from "./process-table.ts";
import { planRun } from "./run-plan.ts";
import { describeRun } from "./run-status.ts";
import { makeSerial } from "./serial.ts";

export interface Instance {
  readonly spec: StoredSpec;
  readonly logs: LogStore;
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;
  /** Takes over what an earlier daemon started, and starts again what should run but does not. */
  adopt(): Promise<void>;
  /** Ends every process of it, without asking, and forgets it. */
  kill(): Promise<void>;
  /** A look at its log and, if an earlier daemon started it, at whether it still runs. */
  tend(): Promise<void>;
  status(): InstanceStatus;
  /** Stops watching; the processes go on. */
  release(): void;
}

export interface InstanceParts {
  readonly files: InstanceFiles;
  readonly table: ProcessTable;
  readonly launch: Launch;
  readonly clock: Clock;
  readonly log: Log;
  readonly logs: LogStore;
}

export function makeInstance(spec: StoredSpec, initial: RunState, parts: InstanceParts): Instance {
  const { files, table, launch, clock, log, logs } = parts;
  const { id } = spec;
  const serial = makeSerial();
  let state = initial;
  /** Our own child, whose end the kernel tells us with its exit code. */
  let child: LaunchedProcess | undefined;
  let retry: { readonly atMs: number; readonly cancel: () => void } | undefined;
  let released = false;

  const runs = (): boolean =>
    state.main !== null && isSameProcess(table.identify(state.main.pid), state.main);

  async function save(changes: Partial<RunState>): Promise<void> {
    state = { ...state, ...changes };
    await files.writeState(id, state);
  }

  async function run(): Promise<void> {
    // What an earlier run left behind, or a start that was never written down, would be in the way.
    await killAll(undefined);
    const plan = await planRun(files.app(id), spec);
    await save({ desired: "running", main: null, exit: null, startedAt: timestamp(clock.now()) });
    const started = logs.withOutput((output) => launch(plan, output));
    child = started;
    void started.exited.then((code) => serial(() => ended(started, code))).catch(report);
    await save({ main: table.identify(started.pid) ?? null });
  }

  async function ended(process: LaunchedProcess | undefined, code: number | undefined): Promise<void> {
    if (child !== process || released) return;
    logs.tend();
    await killAll(process?.pid);
    const now = clock.now();
    const goodRun = now - Date.parse(state.startedAt ?? "") >= LIMITS.restartGoodRunMs;
    const exit = { code: code ?? null, at: timestamp(now) };
    await save({ main: null, exit, crashes: (goodRun ? 0 : state.crashes) + 1 });
    child = undefined;
    log.info("an instance ended", { instance: id, exitCode: code });
    retryLater();
  }

  function retryLater(): void {
    if (state.desired !== "running" || !wantsRestart(spec.restart, state.exit?.code ?? undefined)) return;
    const delayMs = backOffMs(state.crashes);
    const cancel = clock.after(delayMs, () => void serial(runAgain).catch(report));
    retry = { atMs: clock.now() + delayMs, cancel };
  }

  async function runAgain(): Promise<void> {
    if (retry === undefined || released) return;
    retry = undefined;
    await save({ restarts: state.restarts + 1 });
    try {
      await run();
    } catch (error) {
      log.warn("an instance could not be started again", { instance: id, error: messageOf(error) });
      await save({
        main: null,
        exit: { code: null, at: timestamp(clock.now()) },
        crashes: state.crashes + 1,
      });
      retryLater();
    }
  }

  const killAll = (session: number | undefined) =>
    killInstance(table, clock, { id, folder: files.app(id), session });

  /** The session's number is ours as long as its leader runs. */
  const endAll = () => killAll(runs() ? state.main?.pid : child?.pid);

  function cancelRetry(): void {
    retry?.cancel();
    retry = undefined;
  }

  function report(error: unknown): void {
    log.error("watching an instance failed", { instance: id, error: messageOf(error) });
  }

  return {
    spec,
    logs,

    start: () =>
      serial(async () => {
        if (runs()) return;
        cancelRetry();
        await save({ crashes: 0 });
        try {
          await run();
        } catch (error) {
          await save({ desired: "stopped", main: null });
          throw error;
        }
      }),

    stop: (graceMs) =>
      serial(async () => {
        cancelRetry();
        const { main } = state;
        await save({ desired: "stopped" });
        if (main !== null && runs()) {
          table.signal(-main.pid, "SIGTERM");
          const end = clock.monotonic() + graceMs;
          while (runs() && clock.monotonic() < end) await clock.sleep(STOP_POLL_MS);
        }
        await endAll();
        if (main === null) return;
        const code = await child?.exited;
        child = undefined;
        logs.tend();
        await save({ main: null, exit: { code: code ?? null, at: timestamp(clock.now()) } });
      }),

    adopt: () =>
      serial(async () => {
        if (state.desired !== "running" || runs()) return;
        if (state.exit !== null) return retryLater();
        const { main } = state;
        const rebooted = main !== null && main.bootId !== table.bootId();
        const restart = main === null || (rebooted && wantsRestart(spec.restart, undefined));
        if (!restart) return ended(undefined, undefined);
        // The machine was started anew, or a daemon was killed while it started this: as if it had just been asked for.
        retry = { atMs: clock.now(), cancel: () => {} };
        await runAgain();
      }),

    kill: () =>
      serial(async () => {
        released = true;
        cancelRetry();
        await endAll();
        child = undefined;
        // Not written down: the folder goes next. A follower of the log sees that this has ended.
        state = { ...state, desired: "stopped", main: null };
      }),

    async tend() {
      logs.tend();
      if (child !== undefined || state.main === null || runs()) return;
      await serial(async () => {
        if (child === undefined && state.main !== null && !runs()) await ended(undefined, undefined);
      });
    },

    status: () =>
      describeRun(state, spec.restart, {
        running: child !== undefined || runs(),
        retryInMs: retry === undefined ? undefined : retry.atMs - clock.now(),
      }),
    release() {
      released = true;
      cancelRetry();
    },
  };
}

// --- internal ---

const STOP_POLL_MS = 20;
