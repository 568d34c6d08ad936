/**
 * A room seen from the daemon: opens a link to a new guest, loads the plugin and runs its hooks, each with a deadline that holds
 * whatever the guest is doing. What kind of wall the link crosses is not known here. Called by js-worker/room.ts and process/room.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { fail, isVoxError, messageOf, type VoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import { isHookName } from "../../../sdk/index.ts";
import type { CallOptions, Guest, PluginDoor, Room } from "../runtime.ts";
import { hookFailure, loadFailure } from "./guest-failure.ts";
import type { LinkKind } from "./guest-link.ts";
import { fitsMessage, request, type LoadParams } from "./messages.ts";
import { rememberRefusals, type Refusals } from "./refusals.ts";
import { makeRoomBody, type RoomBody } from "./room-body.ts";

/** Throws `plugin.load_failed`, and what opening the link throws. */
export async function openRoom(
  clock: Clock,
  kind: LinkKind,
  guest: Guest,
  brokerDoor: PluginDoor,
): Promise<Room> {
  const refusals = rememberRefusals(brokerDoor);
  const { door } = refusals;
  const body = makeRoomBody(clock, kind, guest, door);
  const handlers = await loadGuest(body, kind, guest, door);
  return {
    handlers,
    get alive() {
      return body.ended() === undefined;
    },
    call: (hook, event, options) => callHook({ body, guest, refusals }, hook, event, options),
    stop: () => body.end(fail("plugin.stopped", `${guest.name} was stopped`)),
  };
}

// --- internal ---

async function loadGuest(
  body: RoomBody,
  kind: LinkKind,
  guest: Guest,
  door: PluginDoor,
): Promise<readonly string[]> {
  const params: LoadParams = {
    ...kind.loadParams(guest),
    config: guest.config,
    methods: door.methods,
    plugin: { name: guest.name, version: guest.version },
    entryMs: guest.entryMs,
  };
  const late = fail("plugin.timeout", `${guest.name} did not start in time`);
  try {
    await body.ready;
    const answer = await body.ask({
      task: "its code",
      text: (id) => request(id, "load", params),
      // The guest counts `entryMs` from when its engine is there; this is for one that does not.
      deadlineMs: kind.loadMs?.(guest) ?? LIMITS.roomStartMs + guest.entryMs,
      late,
    });
    if ("error" in answer) throw loadFailure(answer.error.data, guest.name);
    return Array.isArray(answer.result)
      ? [...new Set(answer.result)].filter((name) => typeof name === "string" && isHookName(name))
      : [];
  } catch (error) {
    const failure = asLoadFailure(error, guest);
    await body.end(failure);
    throw failure;
  }
}

function asLoadFailure(error: unknown, guest: Guest): VoxError {
  const code = isVoxError(error) ? error.code : "internal.bug";
  if (isVoxError(error) && (code === "plugin.load_failed" || code.startsWith("confinement."))) return error;
  const words =
    code === "plugin.timeout"
      ? `it did not finish loading within ${guest.entryMs / 1000} s`
      : messageOf(error);
  return fail("plugin.load_failed", `${guest.name} could not be loaded: ${words}`, {
    details: { plugin: guest.name, reason: code },
  });
}

interface OpenRoom {
  readonly body: RoomBody;
  readonly guest: Guest;
  readonly refusals: Refusals;
}

async function callHook(
  { body, guest, refusals }: OpenRoom,
  hook: string,
  event: unknown,
  options: CallOptions,
): Promise<unknown> {
  const { name: plugin } = guest;
  const { deadlineMs, signal } = options;
  const cancelled = () => fail("plugin.stopped", `${plugin} was stopped: the call of ${hook} was cancelled`);
  if (signal?.aborted === true) throw cancelled();
  const cancel = () => void body.end(cancelled());
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    const late = fail("plugin.timeout", `${plugin} did not finish ${hook} within ${deadlineMs / 1000} s`, {
      details: { plugin, hook, deadlineMs },
      hint: "its plugin.toml may give it up to 10m: timeout under [runtime]",
    });
    const text = (id: number) => hookText(id, plugin, hook, event, deadlineMs);
    const answer = await body.ask({ task: hook, text, deadlineMs, late });
    if ("error" in answer) throw hookFailure(answer.error.data, guest, hook, refusals);
    return answer.result;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

function hookText(id: number, plugin: string, hook: string, event: unknown, deadlineMs: number): string {
  const text = request(id, "hook", { name: hook, event, deadlineMs });
  if (fitsMessage(text)) return text;
  throw fail(
    "plugin.protocol",
    `the event for ${plugin} has ${formatBytes(text.length)}, too much for one message`,
  );
}
