/**
 * Three strikes: a plugin whose Worker's guests had to be stopped too often gets a process of its own, where the kernel stops them.
 * Says so, and says so too where it stays. Called by roster.ts for each guest that was stopped.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { PluginRows } from "../../state/plugins.ts";
import type { RoomKind } from "../runtimes/runtime.ts";
import type { Announce } from "./announce.ts";
import { roomOf, type Version } from "./version.ts";

/** True where the plugin's next room is another: its row says so. `recent`: stops in the last ten minutes. */
export type StrikeOut = (
  version: Pick<Version, "row" | "manifest">,
  kind: RoomKind,
  recent: number,
) => boolean;

export interface StrikeOutDeps {
  readonly rows: Pick<PluginRows, "setStruckOut">;
  readonly canConfine: () => boolean;
  readonly announce: Announce;
  readonly clock: Clock;
}

export function makeStrikeOut({ rows, canConfine, announce, clock }: StrikeOutDeps): StrikeOut {
  return ({ row, manifest }, kind, recent) => {
    if (kind !== "js-worker" || recent < LIMITS.strikesMax) return false;
    const at = timestamp(clock.now());
    const next = roomOf({ row: { ...row, struckOutAt: at }, manifest }, canConfine());
    const stopped = `its guest had to be stopped ${recent} times within ${LIMITS.strikeWindowMs / 60_000} minutes`;
    if (next.room === "js-worker") {
      // Once for each time that the bound is met, not for each stop beyond it.
      if (recent === LIMITS.strikesMax)
        announce(row.name, "warn", `${stopped}; it stays in its Worker, because ${next.reason}`);
      return false;
    }
    rows.setStruckOut(row.name, at);
    announce(row.name, "warn", `${stopped}: from now on it runs in a process of its own`);
    return true;
  };
}
