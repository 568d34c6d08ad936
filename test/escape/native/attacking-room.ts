/** An attacker that is a plugin: the product's own room and the product's own executable, with the hostile plugin in it. */
import { readFileSync } from "node:fs";
import { systemClock } from "../../../src/base/clock.ts";
import { isVoxError } from "../../../src/base/errors.ts";
import { openProcessRoom } from "../../../src/host/runtimes/process/room.ts";
import type { PluginDoor } from "../../../src/host/runtimes/runtime.ts";
import { makeStartConfined } from "../../../src/platform/confine/confined-process.ts";
import type { Outcome } from "./attacker.ts";
import { PATIENCE_MS, type Attacker, type Ending } from "./attacking-process.ts";

export interface RoomPlan {
  readonly executable: string;
  /** A file with the hostile plugin's code. */
  readonly plugin: string;
  readonly uid: number | undefined;
  readonly confined: boolean;
}

export async function openAttackingRoom({ executable, plugin, uid, confined }: RoomPlan): Promise<Attacker> {
  let pid = 0;
  const start = makeStartConfined({ clock: systemClock, command: (...role) => [executable, ...role] });
  const open = openProcessRoom({
    start(spec) {
      const child = start(spec);
      ({ pid } = child);
      return child;
    },
    clock: systemClock,
    uidFor: () => uid,
    confined: () => confined,
  });
  const code = { kind: "js", text: readFileSync(plugin, "utf8"), sourceMap: undefined } as const;
  const guest = { name: "hostile", version: "1.0.0", code, config: {}, entryMs: PATIENCE_MS };
  const room = await open(guest, CLOSED).catch(endingOf);
  if (!("call" in room)) return neverStarted(room);
  return {
    pid,
    over: () => !room.alive,
    async tell({ attack, places }) {
      const event = { service: attack, image: JSON.stringify(places) };
      try {
        return (await room.call("on_deploy_success", event, { deadlineMs: PATIENCE_MS })) as Outcome;
      } catch (error) {
        return endingOf(error);
      }
    },
    wake: () => Promise.resolve(),
    end: () => room.stop(),
  };
}

// --- internal ---

/** For the test to read why. */
function neverStarted(ending: Ending): Attacker {
  return {
    pid: 0,
    over: () => true,
    tell: () => Promise.resolve(ending),
    wake: () => Promise.resolve(),
    end: () => Promise.resolve(),
  };
}

/** It has nothing to ask for. */
const CLOSED: PluginDoor = {
  methods: [],
  invoke: () => Promise.resolve(),
  log: () => {},
};

/** The room's error, or the signal that it names. */
function endingOf(error: unknown): Ending {
  if (!isVoxError(error)) throw error;
  if (error.code === "plugin.timeout") return { kind: "hung" };
  if (error.code === "plugin.out_of_memory")
    return { kind: "ended", how: "threads" in error.details ? "threads" : "memory" };
  return {
    kind: "ended",
    how: /\bSIG[A-Z]+\b/.exec(error.message)?.[0] ?? `${error.code}: ${error.message}`,
  };
}
