/**
 * Keeps one plugin's room: opens it at the first call, lets one call in at a time, closes it when nothing happens for a while
 * and throws it away once its guest had to be stopped. Knows nothing of manifests and grants; what is to run comes from
 * `open`, which checks the files each time. Made by plugin-roster.ts, one for each installed plugin.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { HookName } from "../../sdk/index.ts";
import { makePatience } from "./patience.ts";
import { makeRoomKeeper, type OpenedRoom } from "./room-keeper.ts";
import { makeStrikes } from "./strikes.ts";
import { makeTurnstile } from "./turnstile.ts";

export function makeSupervisor(options: SupervisorOptions): Supervisor {
  const { plugin, clock, open } = options;
  const turnstile = makeTurnstile();
  const strikes = makeStrikes(clock);
  const patience = makePatience(clock);
  const keeper = makeRoomKeeper({ plugin, open, patience, throwIfClosed });
  let closed = false;
  let cancelIdle = (): void => {};

  function stopped(): VoxError {
    return fail("plugin.stopped", `${plugin} was stopped`);
  }

  function throwIfClosed(): void {
    if (closed) throw stopped();
  }

  function noted(error: unknown): never {
    strikes.note(error);
    throw error;
  }

  async function callRoom(hook: HookName, event: unknown, call: SupervisedCall): Promise<unknown> {
    throwIfClosed();
    cancelIdle();
    const { room, deadlineMs } = await keeper.room().catch(noted);
    const late = (): VoxError => {
      keeper.expire();
      return fail("plugin.timeout", `${plugin} could not be stopped at its deadline of ${deadlineMs} ms`);
    };
    try {
      call.signal?.throwIfAborted();
      call.onStart?.();
      const answer = room.call(hook, event, { deadlineMs, signal: call.signal });
      return await patience.within(answer, deadlineMs + LIMITS.roomGraceMs, late);
    } catch (error) {
      return noted(error);
    } finally {
      if (keeper.isExpired() || !room.alive) await keeper.drop();
      else cancelIdle = clock.after(options.idleMs(), dropAlone);
    }
  }

  function alone<T>(work: () => Promise<T>): Promise<T> {
    return turnstile.enter(work, { first: true });
  }

  function dropAlone(): void {
    void alone(async () => {
      cancelIdle();
      await keeper.drop();
    }).catch(() => {});
  }

  async function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const cancel = clock.after(LIMITS.drainMs, () => {
      keeper.expire();
      patience.giveUp(stopped());
    });
    try {
      return await alone(async () => {
        cancel();
        cancelIdle();
        await keeper.reset();
        return work();
      });
    } finally {
      cancel();
    }
  }

  return {
    call: (hook, event, call = {}) =>
      turnstile.enter(() => callRoom(hook, event, call), { signal: call.signal }),
    restart() {
      keeper.expire();
      if (keeper.current() !== undefined) dropAlone();
    },
    exclusive,
    status: () => ({
      running: keeper.current() !== undefined,
      strikes: strikes.recent(),
      problem: keeper.problem(),
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
}

export interface Supervisor {
  /** Waits its turn. Throws what `open` and the room throw, `plugin.stopped`, or the signal's reason. */
  call(hook: HookName, event: unknown, call?: SupervisedCall): Promise<unknown>;
  /** The next call gets a new room; the running one ends in the old. */
  restart(): void;
  /** Runs `work` while no guest runs, before all that waits; a running call has LIMITS.drainMs to end. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  status(): SupervisorStatus;
  /** Turns away what waits, drains what runs, stops the room. Calls after it throw `plugin.stopped`. */
  close(): Promise<void>;
}

export interface SupervisedCall {
  readonly signal?: AbortSignal | undefined;
  /** Told when its turn has come and the room is open. */
  readonly onStart?: () => void;
}

export interface SupervisorStatus {
  readonly running: boolean;
  /** Guests that had to be stopped in the last ten minutes. */
  readonly strikes: number;
  /** Why no room could be opened, the last time that one was needed. */
  readonly problem: VoxError | undefined;
  /** What the guest's code can handle, while a room is open. */
  readonly handlers: readonly string[] | undefined;
}
