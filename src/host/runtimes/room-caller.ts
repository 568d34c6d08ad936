/**
 * One call of one plugin, from the room that it needs to the room that it leaves behind. Not safe for two callers at once:
 * supervisor.ts, the only one, lets one in at a time.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { HookName } from "../../sdk/index.ts";
import type { Health } from "./health.ts";
import type { Patience } from "./patience.ts";
import type { OpenedRoom, RoomKeeper } from "./room-keeper.ts";

export interface SupervisedCall {
  readonly signal?: AbortSignal | undefined;
  /** Told when its turn has come and the room is open; what it throws is the call's error. */
  readonly onStart?: () => void;
}

export type CallRoom = (hook: HookName, event: unknown, call: SupervisedCall) => Promise<unknown>;

export interface RoomCallerDeps {
  readonly plugin: string;
  readonly clock: Clock;
  readonly keeper: RoomKeeper;
  readonly health: Health;
  readonly patience: Patience;
  /** Throws where something else has waited long enough for this call's turn to end. */
  readonly throwIfHurried: () => void;
}

export function makeRoomCaller(deps: RoomCallerDeps): CallRoom {
  const { plugin, clock, keeper, health, patience } = deps;

  /** One that died while nobody called is replaced here, and counts as one that crashed. */
  async function ready(signal: AbortSignal | undefined): Promise<OpenedRoom> {
    const kept = keeper.current();
    if (kept?.room.alive === false) {
      health.died(fail("plugin.crashed", `${plugin} ended between two calls`), kept.kind);
      await keeper.drop();
    }
    const pauseMs = keeper.current() === undefined ? health.pauseMs() : 0;
    if (pauseMs > 0) await pause(pauseMs, signal);
    try {
      return await keeper.room();
    } catch (error) {
      health.died(error);
      throw error;
    }
  }

  async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const tooLong = (): VoxError => fail("plugin.stopped", `${plugin} was stopped`);
    await patience.within(clock.sleep(ms, signal), 2 * ms, tooLong);
  }

  return async (hook, event, { signal, onStart }) => {
    const { room, kind, deadlineMs } = await ready(signal);
    let isOverdue = false;
    const late = (): VoxError => {
      isOverdue = true;
      return fail("plugin.timeout", `${plugin} could not be stopped at its deadline of ${deadlineMs} ms`);
    };
    const isGone = (): boolean => isOverdue || !room.alive;
    try {
      signal?.throwIfAborted();
      deps.throwIfHurried();
      onStart?.();
      const answer = room.call(hook, event, { deadlineMs, signal });
      return await patience.within(answer, deadlineMs + LIMITS.roomGraceMs, late);
    } catch (error) {
      if (isGone()) health.died(error, kind);
      throw error;
    } finally {
      if (!isGone()) health.worked();
      if (keeper.isExpired() || isGone()) await keeper.drop();
    }
  };
}
