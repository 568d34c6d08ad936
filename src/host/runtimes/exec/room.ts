/**
 * The room of an executable, which is no wall: a process for each call, with the daemon's user and full power. The door is asked
 * before each one, so that nothing runs without the operator's consent as it is now, and the files are checked. Composed by the daemon.
 */
import { isVoxError, type ErrorCode } from "../../../base/errors.ts";
import type { OpenRoom } from "../runtime.ts";
import { eventId, executeParams } from "./params.ts";
import { programStopped, type RunProgram } from "./run-program.ts";

export function openExecRoom(runProgram: RunProgram): OpenRoom {
  return async ({ name, code, disk }, door) => {
    if (code.kind !== "exec" || disk === undefined)
      throw new Error("the room of executables has none to run");
    const { entrypoint, hooks } = code;
    const life = new AbortController();
    const running = new Set<Promise<unknown>>();
    let alive = true;

    return {
      handlers: hooks,
      get alive() {
        return alive && !life.signal.aborted;
      },
      async call(hook, event, { deadlineMs, signal: caller }) {
        const signal = caller === undefined ? life.signal : AbortSignal.any([life.signal, caller]);
        const run = runProgram({ name, entrypoint, disk }, door, {
          action: "execute",
          params: { ...executeParams(hook, event) },
          deadlineMs,
          eventId: eventId(event),
          during: hook,
          signal,
        });
        running.add(run);
        try {
          return await run;
        } catch (error) {
          // What it did then may be half of something: the next one starts afresh, later each time.
          if (isVoxError(error) && ENDS_ROOM.has(error.code)) alive = false;
          throw error;
        } finally {
          running.delete(run);
        }
      },
      async stop() {
        life.abort(programStopped(name));
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
