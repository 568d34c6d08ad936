/** A Worker room for tests: a plugin's code in, a room out, with a door that records what comes through it. */
import { systemClock } from "../src/base/clock.ts";
import type { LogLevel } from "../src/base/log.ts";
import type { MethodShape, PluginDoor, Room } from "../src/host/runtimes/runtime.ts";
import { startJsWorker } from "../src/workers.ts";
import { makeGuestWasm } from "../scripts/guest-wasm/make-guest-wasm.ts";
import { FETCH_METHOD, KV_METHODS, NOTIFY_METHOD } from "./fixtures/method-shapes.ts";

export interface RecordedDoor extends PluginDoor {
  readonly calls: { readonly method: string; readonly params: unknown }[];
  readonly lines: { readonly level: LogLevel; readonly text: string; readonly fields?: unknown }[];
}

export const METHODS: readonly MethodShape[] = [...KV_METHODS, NOTIFY_METHOD, FETCH_METHOD];

/** Answers with `answer`, or with nothing. */
export function recordedDoor(
  answer: (method: string, params: unknown, signal?: AbortSignal) => unknown = () => undefined,
): RecordedDoor {
  const calls: RecordedDoor["calls"] = [];
  const lines: RecordedDoor["lines"] = [];
  return {
    calls,
    lines,
    methods: METHODS,
    async invoke(method, params, signal) {
      calls.push({ method, params });
      return answer(method, params, signal);
    },
    log: (level, text, fields) => void lines.push({ level, text, fields }),
  };
}

export interface RoomOptions {
  readonly sourceMap?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly entryMs?: number;
  readonly startWorker?: () => Worker;
}

/** `await using opened = await openRoom(code)`. */
export async function openRoom(
  code: string,
  door: PluginDoor = recordedDoor(),
  options: RoomOptions = {},
): Promise<{ readonly room: Room; [Symbol.asyncDispose](): Promise<void> }> {
  await makeGuestWasm();
  const { loadGuestModule } = await import("../src/host/runtimes/js-worker/guest-module.ts");
  const { openJsWorkerRoom } = await import("../src/host/runtimes/js-worker/room.ts");
  const open = openJsWorkerRoom({
    startWorker: options.startWorker ?? startJsWorker,
    clock: systemClock,
    guestModule: loadGuestModule,
  });
  const { sourceMap, config = {}, entryMs = 2000 } = options;
  const guest = { name: "sample", version: "1.0.0", config, entryMs };
  const room = await open({ ...guest, code: { kind: "js", text: code, sourceMap } }, door);
  return { room, [Symbol.asyncDispose]: () => room.stop() };
}

/** The body of a hook as a whole plugin. */
export function hookCode(body: string): string {
  return `export default { async on_deploy_success(event, ctx) { ${body} } };`;
}
