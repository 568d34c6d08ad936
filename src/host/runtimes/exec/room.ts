/**
 * The room of an executable, which is no wall: a process for each call, with the daemon's user and full power. The door is asked
 * before each one, so that nothing runs without the operator's consent as it is now, and the files are checked. Composed by the daemon.
 */
import { fail, isVoxError, type ErrorCode, type VoxError } from "../../../base/errors.ts";
import { newId } from "../../../base/ids.ts";
import type { LogLevel } from "../../../base/log.ts";
import type { Work } from "../../capabilities/exec.ts";
import type { OpenRoom } from "../runtime.ts";
import type { Exchange } from "./exchange.ts";
import { eventId, executeParams } from "./params.ts";

export interface ExecRoomDeps {
  readonly exchange: Exchange;
  readonly environment: Readonly<Record<string, string>>;
}

export function openExecRoom({ exchange, environment: env }: ExecRoomDeps): OpenRoom {
  return async ({ name, code, disk }, door) => {
    if (code.kind !== "exec" || disk === undefined)
      throw new Error("the room of executables has none to run");
    const { entrypoint, hooks } = code;
    const executable = { plugin: name, folder: disk.folder, entrypoint, env };
    const life = new AbortController();
    const running = new Set<Promise<unknown>>();
    let alive = true;

    /** What is cut off because nobody waits for it any more. */
    function asRoomError(error: unknown, signal: AbortSignal): unknown {
      if (!isVoxError(error)) return error;
      if (signal.aborted && error.code === "operation.interrupted") return stopped(name);
      // What it did then may be half of something: the next one starts afresh, later each time.
      if (ENDS_ROOM.has(error.code)) alive = false;
      return error;
    }

    return {
      handlers: hooks,
      get alive() {
        return alive && !life.signal.aborted;
      },
      async call(hook, event, { deadlineMs, signal: caller }) {
        const signal = caller === undefined ? life.signal : AbortSignal.any([life.signal, caller]);
        if (signal.aborted) throw stopped(name);
        const request = {
          action: "execute",
          params: { ...executeParams(hook, event) },
          id: newId(),
          deadlineMs,
          eventId: eventId(event),
        };
        const work: Work = async (allowed) => {
          await disk.check();
          allowed.throwIfAborted();
          const run = exchange(executable, request, {
            signal: allowed,
            said: (line) => {
              if (line.trim() !== "") door.log(levelOf(line), line);
            },
          });
          running.add(run);
          try {
            return await run;
          } finally {
            running.delete(run);
          }
        };
        try {
          const origin = { life: life.signal, chars: 0, during: hook };
          return await door.invoke("exec.run", { entrypoint, work }, signal, origin);
        } catch (error) {
          throw asRoomError(error, signal);
        }
      },
      async stop() {
        life.abort(stopped(name));
        await Promise.allSettled(running);
      },
    };
  };
}

// --- internal ---

const ENDS_ROOM: ReadonlySet<ErrorCode> = new Set([
  "plugin.timeout",
  "plugin.crashed",
  "plugin.protocol",
  "plugin.load_failed",
  "plugin.tampered",
]);

function stopped(name: string): VoxError {
  return fail("plugin.stopped", `${name} was stopped`);
}

/** Standard error is for a log: what begins with a level has it. */
function levelOf(line: string): LogLevel {
  return /^\W{0,2}(?:warn|error|fatal)/i.test(line.trimStart()) ? "warn" : "info";
}
