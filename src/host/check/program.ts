/**
 * One executable under test: in a copy of its folder, as an install makes one, called the way the daemon calls it, and watched for what
 * it leaves behind. However it behaves, a call ends, and `close` leaves no process and no file. Made by
 * check-program.ts.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHECK_LIMITS } from "../../base/check-limits.ts";
import type { Clock } from "../../base/clock.ts";
import { isVoxError, type VoxError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import { runExecutable, type ExecutableRun, type RunExecutable } from "../../platform/executable.ts";
import {
  adoptOrphans,
  children,
  descendants,
  endProcesses,
  membersOf,
  type ProcessInfo,
} from "../../platform/processes.ts";
import type { PackageFiles } from "../package/package-files.ts";
import { writeFolder } from "../package/write-folder.ts";
import { makeExchange } from "../runtimes/exec/exchange.ts";
import { folderChanges, lookAtFolder } from "./folder-look.ts";

/** `refused`: it answered ok: false. `broken`: it did not answer as it must. `skipped`: it was not asked any more. */
export type Called =
  | { readonly kind: "ok"; readonly result: unknown; readonly ms: number }
  | { readonly kind: "refused"; readonly error: VoxError; readonly ms: number }
  | { readonly kind: "broken"; readonly error: VoxError; readonly ms: number }
  | { readonly kind: "skipped"; readonly why: string };

export interface CallOptions {
  readonly deadlineMs: number;
  readonly eventId?: string | undefined;
  /** What becomes of the request on its way. */
  readonly sent?: ((request: Uint8Array) => ExecutableRun["input"]) | undefined;
  /** Another way to start it. */
  readonly run?: RunExecutable | undefined;
  /** Also where it has not answered in time before, and after the signal: to clean up. */
  readonly insists?: boolean;
}

export interface Program {
  readonly name: string;
  call(action: string, params: Readonly<Record<string, unknown>>, options: CallOptions): Promise<Called>;
  /** What it left so far, by the call after which it was seen first. */
  readonly traces: Traces;
  /** What runs that it started, out of its group; what is about to end by itself is waited for. */
  outside(): Promise<readonly ProcessInfo[]>;
  /** Ends all that it left, and removes its folder. */
  close(): Promise<void>;
}

export interface Traces {
  /** Processes of its group that outlived a call. */
  readonly group: readonly Trace[];
  /** Paths in its folder. */
  readonly files: readonly Trace[];
}

export interface Trace {
  readonly what: string;
  readonly after: string;
}

export interface ProgramOptions {
  readonly name: string;
  readonly entrypoint: string;
  readonly files: PackageFiles;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

export async function openProgram(options: ProgramOptions): Promise<Program> {
  const { name, entrypoint, files, environment: env, clock, signal } = options;
  // What an instance's process leaves would go to init, which collects it; here somebody else has to.
  const collect = adoptOrphans();
  const others = new Set(children());
  const before = new Set(descendants().map((each) => identity(each)));
  const folder = await mkdtemp(join(tmpdir(), "voxeltron-check-"));
  await writeFolder(folder, files);
  const intact = await lookAtFolder(folder);
  const group: Trace[] = [];
  const changed = new Map<string, Trace>();
  let late = 0;

  /** What is about to end by itself is no trace. */
  async function seeGroup(leader: number, after: string): Promise<void> {
    for (let looks = 0; membersOf(leader).length > 0 && looks < GROUP_LOOKS; looks++)
      await clock.sleep(GROUP_LOOK_MS);
    for (const { command } of membersOf(leader)) group.push({ what: command, after });
  }

  async function seeFolder(after: string): Promise<void> {
    for (const what of folderChanges(intact, await lookAtFolder(folder)))
      if (!changed.has(what)) changed.set(what, { what, after });
  }

  const runsOutside = (): readonly ProcessInfo[] =>
    collect !== undefined ? descendants().filter((each) => !before.has(identity(each))) : [];

  return {
    name,
    async call(action, params, { deadlineMs, eventId, sent, run = runExecutable, insists = false }) {
      if (!insists && signal?.aborted === true) return { kind: "skipped", why: "it was interrupted" };
      if (!insists && late >= CHECK_LIMITS.lateCalls)
        return { kind: "skipped", why: `it did not answer in time ${CHECK_LIMITS.lateCalls} times` };
      const exchange = makeExchange(clock, (how, at) =>
        run(
          {
            ...how,
            input: sent === undefined || !(how.input instanceof Uint8Array) ? how.input : sent(how.input),
            began: (pid) => others.add(pid),
            ended: (leader) => seeGroup(leader, action),
          },
          at,
        ),
      );
      const ended = collecting(clock, () => collect?.(others));
      const began = clock.monotonic();
      const called = await exchange(
        { plugin: name, folder, entrypoint, env },
        { action, params, id: newId(), deadlineMs, eventId },
        insists ? {} : { signal },
      ).then(
        (result): Called => ({ kind: "ok", result, ms: clock.monotonic() - began }),
        (error: unknown): Called => failed(error, clock.monotonic() - began),
      );
      ended();
      if (called.kind === "broken" && called.error.code === "plugin.timeout") late++;
      await seeFolder(action);
      return called;
    },
    traces: {
      group,
      get files() {
        return [...changed.values()];
      },
    },
    async outside() {
      for (let looks = 0; runsOutside().length > 0 && looks < GROUP_LOOKS; looks++)
        await clock.sleep(GROUP_LOOK_MS);
      return runsOutside();
    },
    async close() {
      // What is ended may have started more meanwhile.
      for (let rounds = 0; runsOutside().length > 0 && rounds < END_ROUNDS; rounds++) {
        endProcesses(runsOutside);
        await clock.sleep(GROUP_LOOK_MS);
      }
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    },
  };
}

// --- internal ---

const GROUP_LOOKS = 20;
const GROUP_LOOK_MS = 10;
const END_ROUNDS = 50;

/** Again and again until the returned function is called: a program may wait until something is gone. */
function collecting(clock: Clock, collect: () => void): () => void {
  let cancel = (): void => {};
  const next = (): void => {
    cancel = clock.after(GROUP_LOOK_MS, () => {
      collect();
      next();
    });
  };
  next();
  return () => {
    cancel();
    collect();
  };
}

function identity({ pid, startedAt }: ProcessInfo): string {
  return `${pid} ${startedAt}`;
}

function failed(error: unknown, ms: number): Called {
  if (!isVoxError(error)) throw error;
  if (error.code === "operation.interrupted") return { kind: "skipped", why: "it was interrupted" };
  return { kind: error.code === "plugin.failed" ? "refused" : "broken", error, ms };
}
