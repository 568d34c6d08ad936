/**
 * One run of an executable behind the door: the grant is looked at, the files are checked, and what it says on its standard error is the
 * plugin's log. A right that is taken back meanwhile ends it. Called by room.ts for hooks, and by action-desk.ts for providers.
 */
import { fail, isVoxError, type VoxError } from "../../../base/errors.ts";
import { newId } from "../../../base/ids.ts";
import type { LogLevel } from "../../../base/log.ts";
import type { Work } from "../../capabilities/exec.ts";
import type { GuestDisk, PluginDoor } from "../runtime.ts";
import type { Exchange, ExchangeOptions } from "./exchange.ts";
import type { ExecRequest } from "./protocol.ts";

/** Throws what the door and the exchange throw, and `plugin.stopped` where the signal ended it. */
export type RunProgram = (program: Program, door: PluginDoor, run: ProgramRun) => Promise<unknown>;

export interface Program {
  /** The plugin's name. */
  readonly name: string;
  readonly entrypoint: string;
  readonly disk: GuestDisk;
}

export interface ProgramRun extends Omit<ExecRequest, "id">, Pick<ExchangeOptions, "said" | "began"> {
  /** For the audit: the hook, or the action. */
  readonly during: string;
  readonly signal: AbortSignal;
}

export function makeRunProgram({ exchange, environment: env }: RunProgramDeps): RunProgram {
  return async ({ name, entrypoint, disk }, door, { during, signal, said, began, ...asked }) => {
    if (signal.aborted) throw programStopped(name);
    const executable = { plugin: name, folder: disk.folder, entrypoint, env };
    const work: Work = async (allowed) => {
      await disk.check();
      allowed.throwIfAborted();
      return exchange(
        executable,
        { ...asked, id: newId() },
        {
          signal: allowed,
          began,
          said(line) {
            if (line.trim() === "") return;
            door.log(levelOf(line), line);
            said?.(line);
          },
        },
      );
    };
    try {
      return await door.invoke("exec.run", { entrypoint, work }, signal, { life: signal, chars: 0, during });
    } catch (error) {
      const isCut = signal.aborted && isVoxError(error) && error.code === "operation.interrupted";
      throw isCut ? programStopped(name) : error;
    }
  };
}

export interface RunProgramDeps {
  readonly exchange: Exchange;
  readonly environment: Readonly<Record<string, string>>;
}

export function programStopped(name: string): VoxError {
  return fail("plugin.stopped", `${name} was stopped`);
}

// --- internal ---

/** Standard error is for a log: what begins with a level has it. */
function levelOf(line: string): LogLevel {
  return /^\W{0,2}(?:warn|error|fatal)/i.test(line.trimStart()) ? "warn" : "info";
}
