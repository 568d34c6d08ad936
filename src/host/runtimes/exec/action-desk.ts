/**
 * What one plugin that is a provider is asked to do. An action is no event: it waits for no other, several run side by side, and one that
 * fails takes nothing from the others. Each action has a health of its own, so that broken statistics never keep an instance from being
 * stopped. Knows no manifests and grants; what is to run comes from `open`. Made by installed/roster.ts, one for each installed plugin.
 */
import type { Clock } from "../../../base/clock.ts";
import { isVoxError, type VoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { REQUIRED_ACTIONS, type ProviderAction } from "../../../base/provider-actions.ts";
import type { Suspension } from "../breaker.ts";
import { makeHealth, type Health } from "../health.ts";
import type { PluginDoor } from "../runtime.ts";
import { makeLanes } from "./lanes.ts";
import { programStopped, type Program, type RunProgram } from "./run-program.ts";

export interface ActionDesk {
  /** Throws what `open`, the door and the exchange throw, `plugin.suspended`, `plugin.stopped`, or the signal's reason while it waits. */
  ask(action: ProviderAction, params: Readonly<Record<string, unknown>>, call: ActionCall): Promise<unknown>;
  /** Runs `work` while no action runs; those that do have LIMITS.drainMs to end. What it failed at is forgotten then. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** What it failed at may have passed. */
  forgive(): void;
  status(): ActionDeskStatus;
  /** Drains what runs. Calls after it throw `plugin.stopped`. */
  close(): Promise<void>;
}

export interface ActionCall {
  readonly signal: AbortSignal;
  /** Beside the time that the action has. */
  readonly moreMs?: number | undefined;
  /** A line of its standard error. */
  readonly said?: ((line: string) => void) | undefined;
  /** From now on it may do something: its process runs, the leader of a group of its own. */
  readonly began?: ((pid: number) => void) | undefined;
}

export interface ActionDeskStatus {
  readonly running: number;
  /** Calls that had to be stopped, or crashed, in the last ten minutes. */
  readonly strikes: number;
  /** Of an action that every provider has: without it the plugin is of no use. */
  readonly suspension: Suspension | undefined;
  /** All that are suspended. */
  readonly suspended: readonly { readonly action: ProviderAction; readonly suspension: Suspension }[];
  /** Why it could not be started at all, the last time. */
  readonly problem: VoxError | undefined;
}

export interface ActionDeskOptions {
  readonly plugin: string;
  readonly clock: Clock;
  readonly runProgram: RunProgram;
  /** What would run now. Throws where nothing may. */
  readonly open: (action: ProviderAction) => OpenedProgram;
  readonly suspended?: (action: ProviderAction, suspension: Suspension) => void;
}

export interface OpenedProgram {
  readonly program: Program;
  readonly door: PluginDoor;
  readonly deadlineMs: number;
}

export function makeActionDesk(options: ActionDeskOptions): ActionDesk {
  const { plugin, clock } = options;
  const lanes = makeLanes();
  const healths = new Map<ProviderAction, Health>();
  const running = new Map<Promise<unknown>, AbortController>();
  /** Settles when nothing is alone any more. */
  let alone: Promise<void> | undefined;
  let closed = false;
  let problem: VoxError | undefined;

  function healthOf(action: ProviderAction): Health {
    const suspended = (suspension: Suspension): void => options.suspended?.(action, suspension);
    const health = healths.get(action) ?? makeHealth({ plugin, clock, suspended });
    healths.set(action, health);
    return health;
  }

  /** Between the last wait and the entry in `running` nothing may come in between. */
  async function admitted(signal: AbortSignal): Promise<void> {
    for (let wait = alone; wait !== undefined; wait = alone) await wait;
    signal.throwIfAborted();
    if (closed) throw programStopped(plugin);
  }

  async function perform(
    action: ProviderAction,
    params: Readonly<Record<string, unknown>>,
    { signal, moreMs = 0, said, began }: ActionCall,
  ): Promise<unknown> {
    const health = healthOf(action);
    const pauseMs = health.pauseMs();
    if (pauseMs > 0) await clock.sleep(pauseMs, signal);
    await admitted(signal);
    const { program, door, deadlineMs } = options.open(action);
    const cut = new AbortController();
    const run = options.runProgram(program, door, {
      action,
      params,
      deadlineMs: deadlineMs + moreMs,
      during: action,
      signal: AbortSignal.any([signal, cut.signal]),
      said,
      began,
    });
    running.set(run, cut);
    try {
      const answer = await run;
      problem = undefined;
      health.worked();
      return answer;
    } catch (error) {
      note(health, error);
      throw error;
    } finally {
      running.delete(run);
    }
  }

  /** One that says that it failed is well; one that was cut off says nothing of it. */
  function note(health: Health, error: unknown): void {
    if (!isVoxError(error)) return;
    if (error.code === "plugin.failed") health.worked();
    else health.died(error, "exec");
    problem = error.code === "plugin.load_failed" ? error : undefined;
  }

  function forgive(): void {
    for (const health of healths.values()) health.forgive();
    problem = undefined;
  }

  async function exclusive<T>(work: () => Promise<T>): Promise<T> {
    for (let wait = alone; wait !== undefined; wait = alone) await wait;
    const { promise, resolve } = Promise.withResolvers<void>();
    alone = promise;
    const cancel = clock.after(LIMITS.drainMs, () => {
      for (const cut of running.values()) cut.abort(programStopped(plugin));
    });
    try {
      await Promise.allSettled(running.keys());
      cancel();
      forgive();
      return await work();
    } finally {
      alone = undefined;
      resolve();
    }
  }

  return {
    ask: (action, params, call) => lanes.run(action, call.signal, () => perform(action, params, call)),
    exclusive,
    forgive,
    status() {
      const suspended = [...healths].flatMap(([action, health]) => {
        const suspension = health.suspension();
        return suspension === undefined ? [] : [{ action, suspension }];
      });
      return {
        running: running.size,
        strikes: [...healths.values()].reduce((sum, health) => sum + health.strikes(), 0),
        suspension: suspended.find(({ action }) => isRequired(action))?.suspension,
        suspended,
        problem,
      };
    },
    async close() {
      closed = true;
      await exclusive(async () => {});
    },
  };
}

// --- internal ---

function isRequired(action: ProviderAction): boolean {
  return (REQUIRED_ACTIONS as readonly ProviderAction[]).includes(action);
}
