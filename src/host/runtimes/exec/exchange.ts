/**
 * One call of an executable: started, asked, heard and gone. Whatever it does, the caller gets an answer or one clear error, and no
 * process is left. It runs with the daemon's user and full power; consent said so. Called through
 * run-program.ts, for hooks and for providers.
 */
import type { Clock } from "../../../base/clock.ts";
import { fail, messageOf, type VoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes, printable } from "../../../base/text.ts";
import { runExecutable, type ExecutableEnd, type RunExecutable } from "../../../platform/executable.ts";
import { encodeRequest, parseAnswer, type ExecRequest } from "./protocol.ts";

export interface Executable {
  readonly plugin: string;
  /** The plugin's folder, absolute; also its working directory. */
  readonly folder: string;
  /** Relative to it. */
  readonly entrypoint: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ExchangeOptions {
  readonly signal?: AbortSignal | undefined;
  /** A line of its standard error. */
  readonly said?: ((line: string) => void) | undefined;
  /** Its process runs: the leader of a group of its own. */
  readonly began?: ((pid: number) => void) | undefined;
}

/**
 * Gives the answer's `result`. Throws `plugin.failed` with its own error, `plugin.timeout`, `plugin.crashed`, `plugin.protocol`
 * (details: problem), `plugin.load_failed` where it can't be started, `operation.interrupted`.
 */
export type Exchange = (
  executable: Executable,
  request: ExecRequest,
  options?: ExchangeOptions,
) => Promise<unknown>;

/** `run`: what starts the process, where it is not the usual. */
export function makeExchange(clock: Clock, run: RunExecutable = runExecutable): Exchange {
  return async (executable, request, { signal, said, began } = {}) => {
    const words: string[] = [];
    const end = await start(run, executable, request, clock, { signal, began }, (line) => {
      if (line.trim() !== "") words.push(line);
      if (words.length > LIMITS.execLastWords) words.shift();
      said?.(line);
    });
    return answerOf(executable.plugin, request, end, words);
  };
}

// --- internal ---

/** Of an action's name in an error: what a check makes up may be long. */
const ACTION_CHARS = 40;

async function start(
  run: RunExecutable,
  { plugin, folder, entrypoint, env }: Executable,
  request: ExecRequest,
  clock: Clock,
  { signal, began }: Pick<ExchangeOptions, "signal" | "began">,
  said: (line: string) => void,
): Promise<ExecutableEnd> {
  try {
    return await run(
      {
        command: [`${folder}/${entrypoint}`],
        cwd: folder,
        env,
        input: encodeRequest(request),
        deadlineMs: request.deadlineMs,
        outputBytes: LIMITS.messageBytes,
        signal,
        said,
        began,
      },
      clock,
    );
  } catch (error) {
    throw fail(
      "plugin.load_failed",
      `${plugin}: ${entrypoint} could not be started: ${printable(messageOf(error))}`,
      {
        details: { plugin, entrypoint },
        hint: "is it built for this machine, and does a script's first line name an interpreter that is there?",
        cause: error,
      },
    );
  }
}

function answerOf(
  plugin: string,
  request: ExecRequest,
  end: ExecutableEnd,
  words: readonly string[],
): unknown {
  const action = printable(request.action, ACTION_CHARS);
  const about = { plugin, action, lastWords: words.map((line) => printable(line)) };
  const failed = (code: "plugin.timeout" | "plugin.crashed" | "plugin.failed", text: string): VoxError =>
    fail(code, `${text}${saying(words)}`, { details: about });
  const broken = (problem: string, text: string): VoxError =>
    fail("plugin.protocol", `${plugin}: ${text} in ${action}${saying(words)}`, {
      details: { ...about, problem },
      hint: 'wanted on standard output: one JSON object, {"ok": true, "result": …} or {"ok": false, "error": "…"}',
    });

  if (end.stopped === "cancel") throw fail("operation.interrupted", "the call was cancelled");
  if (end.stopped === "output")
    throw broken("too_large", `it wrote more than ${formatBytes(LIMITS.messageBytes)}`);
  if (end.stopped === "deadline")
    throw failed("plugin.timeout", `${plugin} did not answer ${action} within ${seconds(request)}`);
  const answer = parseAnswer(end.output);
  // Its own word counts, whatever it ended with.
  if (answer.kind === "error")
    throw fail("plugin.failed", printable(answer.error, LIMITS.errorTextChars), { details: about });
  if (end.outputHeld)
    throw broken(
      "output_held",
      "it ended, and something that it started keeps its standard output open; redirect that to /dev/null",
    );
  const ending = badEnding(end);
  if (answer.kind === "none") {
    if (answer.problem === "empty" && ending !== undefined)
      throw failed("plugin.crashed", `${plugin} ended with ${ending} in ${action}, without an answer`);
    throw broken(answer.problem, `its answer ${answer.words}`);
  }
  if (ending !== undefined) throw broken("bad_status", `it answered ok and ended with ${ending}`);
  return answer.result;
}

function badEnding({ status, endedBy }: ExecutableEnd): string | undefined {
  if (endedBy !== undefined) return endedBy;
  return status === 0 ? undefined : `exit status ${status}`;
}

function saying(words: readonly string[]): string {
  return words.length === 0 ? "" : `; it said: ${words.map((line) => printable(line)).join(" · ")}`;
}

function seconds({ deadlineMs }: ExecRequest): string {
  return deadlineMs < 1000 ? `${deadlineMs} ms` : `${Math.round(deadlineMs / 1000)} s`;
}
