/**
 * Keeps one plugin's room: opens it at the first call, lets one call in at a time, closes it when nothing happens for a while,
 * throws it away once its guest had to be stopped, and takes another in its place between two calls. Knows nothing of manifests
 * and grants; what is to run comes from `open`, which checks the files each time. Made by installed/roster.ts, one for each
 * installed plugin.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { HookName } from "../../sdk/index.ts";
import type { Suspension } from "./breaker.ts";
import { makeHealth, type Struck, type Suspended } from "./health.ts";
import { makePatience } from "./patience.ts";
import { makeRoomCaller, type SupervisedCall } from "./room-caller.ts";
import { makeRoomKeeper, type OpenedRoom } from "./room-keeper.ts";
import { makeTurnstile } from "./turnstile.ts";

export function makeSupervisor(options: SupervisorOptions): Supervisor {
  const { plugin, clock, open } = options;
  const turnstile = makeTurnstile();
  const health = makeHealth(options);
  const patience = makePatience(clock);
  const keeper = makeRoomKeeper({ plugin, open, patience, throwIfClosed });
  const callRoom = makeRoomCaller({ plugin, clock, keeper, health, patience, throwIfHurried });
  let closed = false;
  /** Something has waited long enough for its turn: what has it gives it up. */
  let isHurried = false;
  let cancelIdle = (): void => {};

  function stopped(): VoxError {
    return fail("plugin.stopped", `${plugin} was stopped`);
  }

  function throwIfClosed(): void {
    if (closed) throw stopped();
  }

  function throwIfHurried(): void {
    if (isHurried) throw stopped();
  }

  /** Whatever is left when a turn ends stands idle until the next one. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    cancelIdle();
    try {
      return await work();
    } finally {
      if (keeper.current() !== undefined) cancelIdle = clock.after(options.idleMs(), dropAlone);
    }
  }

  function alone<T>(work: () => Promise<T>): Promise<T> {
    return turnstile.enter(() => inTurn(work), { first: true });
  }

  function dropAlone(): void {
    void alone(() => keeper.drop()).catch(() => {});
  }

  /** Before all that waits. What runs has its time to end. */
  async function between<T>(work: () => Promise<T>): Promise<T> {
    const cancel = clock.after(LIMITS.drainMs, () => {
      isHurried = true;
      keeper.expire();
      patience.giveUp(stopped());
    });
    try {
      return await alone(async () => {
        cancel();
        isHurried = false;
        return work();
      });
    } finally {
      cancel();
    }
  }

  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    return between(async () => {
      await keeper.reset();
      health.forgive();
      return work();
    });
  }

  return {
    call: (hook, event, call = {}) =>
      turnstile.enter(
        () =>
          inTurn(async () => {
            throwIfClosed();
            return callRoom(hook, event, call);
          }),
        { signal: call.signal },
      ),
    restart() {
      health.forgive();
      keeper.forgive();
      keeper.expire();
      if (keeper.current() !== undefined) dropAlone();
    },
    move() {
      health.forget();
      keeper.expire();
    },
    exclusive,
    swap: (work) =>
      between(async () => {
        throwIfClosed();
        const next = await work();
        await (next === undefined ? keeper.reset() : keeper.adopt(next));
        health.forget();
      }),
    status: () => ({
      running: keeper.current()?.room.alive === true,
      config: keeper.current()?.config,
      strikes: health.strikes(),
      problem: keeper.problem(),
      suspension: health.suspension(),
      handlers: keeper.current()?.room.handlers,
    }),
    async close() {
      closed = true;
      turnstile.turnAway(stopped());
      await exclusive(async () => {});
    },
  };
}

export interface SupervisorOptions {
  readonly plugin: string;
  readonly clock: Clock;
  /** How long a room may stand idle; asked each time, so that a reload can change it. */
  readonly idleMs: () => number;
  /** Checks what is on disk and opens a room with it. */
  readonly open: () => Promise<OpenedRoom>;
  readonly struck?: Struck;
  readonly suspended?: Suspended;
}

export interface Supervisor {
  /** Waits its turn. Throws what `open` and the room throw, `plugin.suspended`, `plugin.stopped`, or the signal's reason. */
  call(hook: HookName, event: unknown, call?: SupervisedCall): Promise<unknown>;
  /** The next call gets a new room, and gets it at once; the running one ends in the old. */
  restart(): void;
  /** As `restart`, into a room of another kind: what happened in the old one counts no more. For `struck`. */
  move(): void;
  /** Runs `work` while no guest runs, before all that waits; a running call has LIMITS.drainMs to end. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` between two calls and takes the room that it gives in place of the old one. Where it throws, the old one goes on.
   * As with `exclusive`, a running call has LIMITS.drainMs to end.
   */
  swap(work: () => Promise<OpenedRoom | undefined>): Promise<void>;
  status(): SupervisorStatus;
  /** Turns away what waits, drains what runs, stops the room. Calls after it throw `plugin.stopped`. */
  close(): Promise<void>;
}

export interface SupervisorStatus {
  /** A room is open, and its guest lives. */
  readonly running: boolean;
  /** The settings that the guest in the room was given. */
  readonly config: OpenedRoom["config"] | undefined;
  /** Guests that had to be stopped in the last ten minutes. */
  readonly strikes: number;
  /** Why no room could be opened, the last time that one was needed; unless something has changed since. */
  readonly problem: VoxError | undefined;
  readonly suspension: Suspension | undefined;
  /** What the guest's code can handle, while a room is open. */
  readonly handlers: readonly string[] | undefined;
}
