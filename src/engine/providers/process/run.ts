/**
 * The process of an instance: begun, ended, begun again. What is done is written down before and after, so that a daemon
 * killed at any point leaves nothing that the next one can't find. Not safe for two callers at once: instance.ts, the
 * only one, lets one thing happen at a time, and `serial` is how the end of a process waits for its turn.
 */
import { timestamp, type Clock } from "../../../base/clock.ts";
import { messageOf } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { Log } from "../../../base/log.ts";
import { backOffMs, wantsRestart } from "./back-off.ts";
import type { InstanceFiles, RunState, StoredSpec } from "./instance-files.ts";
import { killInstance } from "./kill.ts";
import type { Launch, LaunchedProcess } from "./launch.ts";
import type { LogStore } from "./log-store.ts";
import type { SecretsOf } from "../provider.ts";
import { isSameProcess, type ProcessTable } from "./process-table.ts";
import type { Retry } from "./retry.ts";
import { planRun } from "./run-plan.ts";
import type { Serial } from "../../serial.ts";

export interface RunParts {
  readonly files: InstanceFiles;
  readonly table: ProcessTable;
  readonly launch: Launch;
  readonly secretsOf: SecretsOf;
  readonly clock: Clock;
  readonly log: Log;
  readonly logs: LogStore;
}

export interface Run {
  state(): RunState;
  save(changes: Partial<RunState>): Promise<void>;
  /** Whether the process that was written down is there. */
  isAlive(): boolean;
  /** Our own child, until its end was written down: the kernel tells us its exit code. */
  child(): LaunchedProcess | undefined;
  /** Ends what is left of an earlier run and starts a new one. Throws with nothing left running. */
  begin(): Promise<void>;
  /** As `begin`, counted, and tried again later when it fails. */
  beginAgain(): Promise<void>;
  /** Writes down that it ended, `code` undefined where nobody saw it, and plans what the policy says. */
  ended(code: number | undefined): Promise<void>;
  retryLater(): void;
  /** Kills every process of it. */
  endAll(): Promise<void>;
  /** From now on nothing is written and nothing is started. */
  release(): void;
}

export function makeRun(
  spec: StoredSpec,
  initial: RunState,
  parts: RunParts,
  serial: Serial,
  retry: Retry,
): Run {
  const { files, table, launch, secretsOf, clock, log, logs } = parts;
  const { id } = spec;
  let state = initial;
  let child: LaunchedProcess | undefined;
  let released = false;

  const isAlive = () => state.main !== null && isSameProcess(table.identify(state.main.pid), state.main);
  const report = (error: unknown) =>
    log.error("watching an instance failed", { instance: id, error: messageOf(error) });

  async function save(changes: Partial<RunState>): Promise<void> {
    state = { ...state, ...changes };
    if (!released) await files.writeState(id, state);
  }

  /** A disk that is full must not end the watching. */
  const note = (changes: Partial<RunState>) => save(changes).catch(report);

  async function endAll(): Promise<void> {
    // The session's number is ours as long as its leader, or the record of our child, is there.
    const session = isAlive() ? state.main?.pid : child?.pid;
    await killInstance(table, clock, { id, folder: files.app(id), session });
  }

  async function begin(): Promise<void> {
    try {
      await endAll();
      const wish = { ...spec, secrets: spec.service === undefined ? {} : secretsOf(spec.service) };
      const plan = await planRun(files.app(id), wish, await files.tools(id));
      await save({ desired: "running", main: null, exit: null, startedAt: timestamp(clock.now()) });
      const started = logs.withOutput((output) => launch(plan, output));
      child = started;
      const seeEnd = (code: number) => serial(async () => (child === started ? ended(code) : undefined));
      started.exited.then(seeEnd).catch(report);
      await save({ main: table.identify(started.pid) ?? null });
    } catch (error) {
      await endAll();
      child = undefined;
      throw error;
    }
  }

  async function beginAgain(): Promise<void> {
    if (released || state.desired !== "running" || isAlive()) return;
    await note({ restarts: state.restarts + 1 });
    try {
      await begin();
    } catch (error) {
      log.warn("an instance could not be started again", { instance: id, error: messageOf(error) });
      await ended(undefined);
    }
  }

  async function ended(code: number | undefined): Promise<void> {
    if (released) return;
    logs.tend();
    await endAll();
    const now = clock.now();
    const ran = child !== undefined || state.main !== null;
    const goodRun = ran && now - Date.parse(state.startedAt ?? "") >= LIMITS.restartGoodRunMs;
    const exit = { code: code ?? null, at: timestamp(now) };
    await note({ main: null, exit, crashes: (goodRun ? 0 : state.crashes) + 1 });
    child = undefined;
    log.info("an instance ended", { instance: id, exitCode: code });
    retryLater();
  }

  function retryLater(): void {
    if (state.desired !== "running" || !wantsRestart(spec.restart, state.exit?.code ?? undefined)) return;
    retry.plan(backOffMs(state.crashes), () => void serial(beginAgain).catch(report));
  }

  return {
    state: () => state,
    save,
    isAlive,
    child: () => child,
    begin,
    beginAgain,
    ended,
    retryLater,
    endAll,
    release() {
      released = true;
      retry.cancel();
    },
  };
}
