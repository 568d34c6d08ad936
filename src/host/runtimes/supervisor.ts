/**
 * Keeps one plugin's room: opens it at the first call, lets one call in at a time, closes it when nothing happens for a while
 * and throws it away once its guest had to be stopped. Knows nothing of manifests and grants; what is to run comes from
 * `open`, which checks the files each time. Made by plugins.ts, one for each installed plugin.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, isVoxError, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { HookName } from "../../sdk/index.ts";
import type { Room } from "./runtime.ts";
import { makeTurnstile } from "./turnstile.ts";

export function makeSupervisor(options: SupervisorOptions): Supervisor {
  const { plugin, clock } = options;
  const turnstile = makeTurnstile();
  let current: OpenedRoom | undefined;
  let stale = false;
  let closed = false;
  let problem: VoxError | undefined;
  let strikes: number[] = [];
  let cancelIdle = (): void => {};
  let giveUp = (_reason: Error): void => {};

  async function room(): Promise<OpenedRoom> {
    if (stale) await drop();
    if (current !== undefined) return current;
    try {
      current = await opened();
      problem = undefined;
      return current;
    } catch (error) {
      if (isVoxError(error)) problem = error;
      strikeFor(error);
      throw error;
    }
  }

  /** A room that comes too late, or after the end, is closed again. */
  async function opened(): Promise<OpenedRoom> {
    const opening = options.open();
    const late = (): VoxError =>
      fail("plugin.load_failed", `${plugin} did not start within ${LIMITS.roomStartMs / 1000} s`);
    try {
      const found = await within(opening, LIMITS.roomStartMs + LIMITS.roomGraceMs, late);
      if (closed) throw stopped();
      return found;
    } catch (error) {
      void opening.then((found) => found.room.stop()).catch(() => {});
      throw error;
    }
  }

  async function drop(): Promise<void> {
    cancelIdle();
    stale = false;
    const old = current;
    current = undefined;
    await old?.room.stop();
  }

  async function callRoom(
    hook: HookName,
    event: unknown,
    { signal, onStart }: SupervisedCall,
  ): Promise<unknown> {
    if (closed) throw stopped();
    cancelIdle();
    const { room: guest, deadlineMs } = await room();
    const late = (): VoxError => {
      stale = true;
      return fail("plugin.timeout", `${plugin} could not be stopped at its deadline of ${deadlineMs} ms`);
    };
    try {
      signal?.throwIfAborted();
      onStart?.();
      return await within(
        guest.call(hook, event, { deadlineMs, signal }),
        deadlineMs + LIMITS.roomGraceMs,
        late,
      );
    } catch (error) {
      strikeFor(error);
      throw error;
    } finally {
      if (stale || !guest.alive) await drop();
      else cancelIdle = clock.after(options.idleMs(), () => void alone(drop).catch(() => {}));
    }
  }

  function strikeFor(error: unknown): void {
    if (isVoxError(error) && STRIKES.has(error.code)) strikes.push(clock.monotonic());
  }

  function recentStrikes(): number {
    const oldest = clock.monotonic() - LIMITS.strikeWindowMs;
    strikes = strikes.filter((at) => at > oldest);
    return strikes.length;
  }

  /** A room that breaks its word must not stop the line: `late` is then the answer, or what `giveUp` is told. */
  async function within<T>(work: Promise<T>, ms: number, late: () => VoxError): Promise<T> {
    const other = Promise.withResolvers<never>();
    const cancel = clock.after(ms, () => other.reject(late()));
    giveUp = other.reject;
    try {
      return await Promise.race([work, other.promise]);
    } finally {
      cancel();
    }
  }

  function endNow(): void {
    stale = true;
    giveUp(stopped());
  }

  function stopped(): VoxError {
    return fail("plugin.stopped", `${plugin} was stopped`);
  }

  function alone<T>(work: () => Promise<T>): Promise<T> {
    return turnstile.enter(work, { first: true });
  }

  async function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const cancel = clock.after(LIMITS.drainMs, endNow);
    try {
      return await alone(async () => {
        cancel();
        await drop();
        problem = undefined;
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
      stale = true;
      if (current !== undefined) void alone(drop).catch(() => {});
    },
    exclusive,
    status: () => ({
      running: current !== undefined,
      strikes: recentStrikes(),
      problem,
      handlers: current?.room.handlers,
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

export interface OpenedRoom {
  readonly room: Room;
  /** Wall clock of each call. */
  readonly deadlineMs: number;
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

// --- internal ---

const STRIKES: ReadonlySet<string> = new Set(["plugin.timeout", "plugin.out_of_memory", "plugin.crashed"]);
