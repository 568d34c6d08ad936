/**
 * Starts a version's code: in the room that it belongs to, with its own settings. Who made sure that the code is the right one, and
 * what the door opens, is the caller's business. Called by roster.ts, and by install/switch-version.ts for a version that is not there yet.
 */
import type { GuestCode, OpenRoom, PluginDoor, RoomKind } from "../runtimes/runtime.ts";
import type { OpenedRoom } from "../runtimes/room-keeper.ts";
import type { Integrity } from "./integrity.ts";
import { guestOf } from "./guest.ts";
import { configOf, roomOf, type PluginOverrides, type Version } from "./version.ts";

/** Throws `config.invalid`, `plugin.load_failed`, and what the room throws. */
export type OpenVersion = (
  version: Pick<Version, "row" | "manifest">,
  code: GuestCode,
  door: PluginDoor,
) => Promise<OpenedRoom>;

export interface OpenVersionDeps {
  readonly openRooms: Readonly<Record<RoomKind, OpenRoom>>;
  readonly configFor: PluginOverrides;
  /** Whether this machine can confine a process. */
  readonly canConfine: () => boolean;
  /** Where the files of a version are. */
  readonly disk: Integrity["disk"];
}

export function makeOpenVersion({ openRooms, configFor, canConfine, disk }: OpenVersionDeps): OpenVersion {
  return async (version, code, door) => {
    const config = configOf(version, configFor);
    const { room: kind } = roomOf(version, canConfine());
    const room = await openRooms[kind](guestOf(version.manifest, code, config, disk(version.row)), door);
    return { room, kind, config, deadlineMs: version.manifest.timeoutMs };
  };
}
