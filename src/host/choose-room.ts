/**
 * In which room a plugin's code runs, and why, in words for `plugin info`. Pure. A plugin gets into a process that nothing confines
 * only where there is no other way to run it at all, never by its author's wish or by misbehaving. Called by the plugin host.
 */
import { LIMITS } from "../base/limits.ts";
import type { Isolation, Manifest } from "./manifest/manifest.ts";
import type { RoomKind } from "./runtimes/runtime.ts";

export interface RoomQuestion {
  readonly tier: Manifest["tier"];
  /** `[runtime] isolation` in plugin.toml. */
  readonly manifestIsolation: Isolation | undefined;
  /** `--isolation` at install. */
  readonly operatorIsolation: Isolation | undefined;
  /** What its bundle imports, as `node:crypto`. An install refuses them where a Worker was asked for. */
  readonly builtins: readonly string[];
  /** Its Worker guests had to be stopped too often. */
  readonly struckOut: boolean;
  /** What confinementReport() found, whatever `allow_unconfined` says. */
  readonly canConfine: boolean;
}

export interface RoomChoice {
  readonly room: RoomKind;
  /** Completes the sentence "it runs there because …". */
  readonly reason: string;
}

export function chooseRoom(question: RoomQuestion): RoomChoice {
  for (const rule of RULES) {
    const choice = rule(question);
    if (choice !== undefined) return choice;
  }
  return { room: "js-worker", reason: "that is where JavaScript runs unless something else is asked for" };
}

// --- internal ---

type Rule = (question: RoomQuestion) => RoomChoice | undefined;

/** The first that has an answer decides. */
const RULES: readonly Rule[] = [
  ({ tier }) =>
    tier === null
      ? { room: "exec", reason: "it is an executable: it runs unsandboxed, with the daemon's full access" }
      : undefined,
  // There is no other room for these: where nothing can be confined, the process is not started (or the operator allowed it).
  ({ tier, canConfine }) =>
    tier === 1 ? only("wasm-process", "it is a WASM module", canConfine) : undefined,
  ({ builtins, canConfine }) =>
    builtins.length > 0 ? only("js-process", `its code imports ${listed(builtins)}`, canConfine) : undefined,
  ({ operatorIsolation, canConfine }) =>
    operatorIsolation === "process"
      ? only("js-process", "it was installed with --isolation process", canConfine)
      : undefined,
  ({ operatorIsolation }) =>
    operatorIsolation === "worker"
      ? { room: "js-worker", reason: "it was installed with --isolation worker" }
      : undefined,
  // For these the Worker room is as good a wall, and a better one than none.
  ({ manifestIsolation, canConfine }) =>
    manifestIsolation === "process"
      ? rather('its plugin.toml says isolation = "process"', canConfine)
      : undefined,
  ({ struckOut, canConfine }) => (struckOut ? rather(STRUCK_OUT, canConfine) : undefined),
  ({ manifestIsolation }) =>
    manifestIsolation === "worker"
      ? { room: "js-worker", reason: 'its plugin.toml says isolation = "worker"' }
      : undefined,
];

const STRUCK_OUT = `it had to be stopped ${LIMITS.strikesMax} times in a Worker within ${LIMITS.strikeWindowMs / 60_000} minutes`;

function only(room: RoomKind, reason: string, canConfine: boolean): RoomChoice {
  return { room, reason: canConfine ? reason : `${reason}, and this machine can't confine its process` };
}

function rather(reason: string, canConfine: boolean): RoomChoice {
  if (canConfine) return { room: "js-process", reason };
  return { room: "js-worker", reason: `${reason}, but this machine can't confine a process` };
}

/** `node:crypto`, `node:crypto and node:path`, `node:a, node:b and 4 more`. */
function listed(names: readonly string[]): string {
  const [first = "", second = "", ...more] = names;
  if (names.length <= 2) return names.join(" and ");
  return more.length === 1
    ? `${first}, ${second} and ${more[0]}`
    : `${first}, ${second} and ${more.length} more`;
}
