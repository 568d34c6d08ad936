/**
 * One plugin's room between its calls: opened when it is first needed, kept while it is good, stopped when it is not. Not safe
 * for two callers at once: supervisor.ts, the only one, lets one in at a time.
 */
import { fail, isVoxError, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Patience } from "./patience.ts";
import type { Guest, Room, RoomKind } from "./runtime.ts";

export interface RoomKeeper {
  /** The room that is kept, or a new one. Throws what `open` throws, and `plugin.load_failed` where that takes too long. */
  room(): Promise<OpenedRoom>;
  /** Who needs it next gets a new one. */
  expire(): void;
  isExpired(): boolean;
  /** What the last failure was due to may have passed. */
  forgive(): void;
  drop(): Promise<void>;
  /** Drops it, and what is known of it. */
  reset(): Promise<void>;
  /** Keeps this one from now on; the one that was kept is dropped. */
  adopt(next: OpenedRoom): Promise<void>;
  current(): OpenedRoom | undefined;
  /** Why no room could be opened, the last time that one was needed; unless something has changed since. */
  problem(): VoxError | undefined;
}

export interface OpenedRoom {
  readonly room: Room;
  readonly kind: RoomKind;
  /** Wall clock of each call. */
  readonly deadlineMs: number;
  /** The settings that its guest was given. */
  readonly config: Guest["config"];
  /** For one that was opened before it was needed: whether its code still is what is on disk. Asked before its first call. */
  readonly recheck?: () => Promise<unknown>;
}

export interface RoomKeeperOptions {
  readonly plugin: string;
  /** Checks what is on disk and opens a room with it. */
  readonly open: () => Promise<OpenedRoom>;
  readonly patience: Patience;
  /** Asked when a room has opened: throws where nobody wants it any more. */
  readonly throwIfClosed: () => void;
}

export function makeRoomKeeper({ plugin, open, patience, throwIfClosed }: RoomKeeperOptions): RoomKeeper {
  let current: OpenedRoom | undefined;
  let recheck: OpenedRoom["recheck"];
  let expired = false;
  let problem: VoxError | undefined;

  /** A room that comes too late, or after the end, is closed again. */
  async function opened(): Promise<OpenedRoom> {
    const opening = open();
    const late = (): VoxError =>
      fail("plugin.load_failed", `${plugin} did not start within ${LIMITS.roomStartMs / 1000} s`);
    try {
      const found = await patience.within(opening, LIMITS.roomStartMs + LIMITS.roomGraceMs, late);
      throwIfClosed();
      return found;
    } catch (error) {
      void opening.then((found) => found.room.stop()).catch(() => {});
      throw error;
    }
  }

  async function drop(): Promise<void> {
    expired = false;
    const old = current;
    current = undefined;
    recheck = undefined;
    await old?.room.stop();
  }

  async function kept(opened: OpenedRoom): Promise<OpenedRoom> {
    try {
      await recheck?.();
      recheck = undefined;
      return opened;
    } catch (error) {
      await drop();
      throw error;
    }
  }

  async function reset(): Promise<void> {
    await drop();
    problem = undefined;
  }

  return {
    async room() {
      if (expired) await drop();
      try {
        if (current !== undefined) return await kept(current);
        current = await opened();
        problem = undefined;
        return current;
      } catch (error) {
        if (isVoxError(error)) problem = error;
        throw error;
      }
    },
    expire() {
      expired = true;
    },
    isExpired: () => expired,
    forgive() {
      problem = undefined;
    },
    drop,
    reset,
    async adopt(next) {
      await reset();
      current = next;
      recheck = next.recheck;
    },
    current: () => current,
    problem: () => problem,
  };
}
