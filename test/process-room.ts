/** Process rooms for tests, confined as in the daemon: a plugin's code in, a room out, and all processes that were started for it. */
import { existsSync } from "node:fs";
import { systemClock } from "../src/base/clock.ts";
import type { GuestCode, OpenRoom, PluginDoor, Room } from "../src/host/runtimes/runtime.ts";
import { openProcessRoom } from "../src/host/runtimes/process/room.ts";
import { makeStartConfined, type ConfinedProcess } from "../src/platform/confine/confined-process.ts";
import { needs } from "./harness.ts";
import { recordedDoor } from "./js-room.ts";

/** Where not, the tests of process rooms are skipped; the report says what is missing. */
export const canConfine: boolean = needs("confinement");

export interface ProcessRooms extends AsyncDisposable {
  open(code: string | GuestCode, door?: PluginDoor, options?: ProcessRoomOptions): Promise<Room>;
  readonly openRoom: OpenRoom;
  /** All that were started, in order. */
  readonly children: readonly ConfinedProcess[];
}

export interface ProcessRoomOptions {
  readonly name?: string;
  readonly sourceMap?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly entryMs?: number;
}

/** `await using rooms = processRooms()`: what is still open in the end is closed. `executable`: in place of the source. */
export function processRooms(executable?: string): ProcessRooms {
  const children: ConfinedProcess[] = [];
  const rooms: Room[] = [];
  const command = executable === undefined ? {} : { command: (...role: string[]) => [executable, ...role] };
  const start = makeStartConfined({ clock: systemClock, ...command });
  const openRoom = openProcessRoom({
    start(spec) {
      const child = start(spec);
      children.push(child);
      return child;
    },
    clock: systemClock,
    uidFor: () => (process.getuid?.() === 0 ? UID : undefined),
    confined: () => true,
  });
  return {
    children,
    openRoom,
    async open(code, door = recordedDoor(), options = {}) {
      const { name = "sample", config = {}, entryMs = 2000, sourceMap } = options;
      const text: GuestCode = typeof code === "string" ? { kind: "js", text: code, sourceMap } : code;
      const room = await openRoom({ name, version: "1.0.0", config, entryMs, code: text }, door);
      rooms.push(room);
      return room;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(rooms.map((room) => room.stop()));
    },
  };
}

export function isRunning({ pid }: ConfinedProcess): boolean {
  return existsSync(`/proc/${pid}`);
}

// --- internal ---

/** Nobody's. */
const UID = 1_900_000_078;
