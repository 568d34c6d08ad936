/**
 * The command line, from argv to exit status. Never ends the process: output that waits in a pipe would be lost, so the
 * status is set and the process ends when nothing is left to do. Called by main.ts of the program.
 */
import { makeClient } from "../api/client.ts";
import { ERROR_CODES } from "../base/error-codes.ts";
import { exitStatus, fail, isVoxError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import type { Context, RunDaemon } from "./command.ts";
import { commands } from "./commands.ts";
import { commandHelp, nounHelp, overviewHelp } from "./help.ts";
import { OutputClosed, type Io } from "./io.ts";
import { jsonLine, reportError } from "./output.ts";
import { parseCommandLine, usage, type Parsed } from "./parse.ts";
import { makePlace } from "./place.ts";
import { adviceOf, speakingAs, type Advice } from "./program-name.ts";

/** `argv`: without the program's own name. Sets `process.exitCode`. */
export async function runCli(argv: readonly string[], io: Io, runDaemon: RunDaemon): Promise<void> {
  process.exitCode = await cliStatus(argv, io, runDaemon);
}

/** The same, giving the status instead of setting it. */
export async function cliStatus(argv: readonly string[], plain: Io, runDaemon: RunDaemon): Promise<number> {
  const advice = adviceOf(plain.program, commands);
  const io = speakingAs(plain, advice);
  let words: string | undefined;
  try {
    const parsed = parseCommandLine(argv[0] === "help" ? [...argv.slice(1), "--help"] : argv, commands);
    words = parsed.command?.words;
    return await perform(parsed, io, advice, runDaemon);
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    await reportError(io, pointed(error, words), wantsJson(argv)).catch(() => {});
    return exitStatus(error);
  }
}

// --- internal ---

async function perform(parsed: Parsed, io: Io, advice: Advice, runDaemon: RunDaemon): Promise<number> {
  const { command, flags } = parsed;
  if (parsed.version) {
    await io.stdout.write(flags.json ? jsonLine({ version: VERSION }) : `voxeltron ${VERSION}\n`);
    return 0;
  }
  if (command === undefined || parsed.help) {
    await io.stdout.write(advice(helpFor(parsed)));
    return 0;
  }
  let status = 0;
  const place = makePlace(flags, io.environment, io.uid);
  const context: Context = {
    io,
    args: parsed.args,
    rest: parsed.rest,
    options: parsed.options as Context["options"],
    flags,
    place,
    advice,
    client: async () => makeClient(await place.socket(), place.startCommand()),
    setStatus: (value) => {
      status = value;
    },
    runDaemon,
  };
  await command.run(context);
  return status;
}

/** Who refuses what was typed, in the daemon too, does not know by which command it came: the hint is to name that one's help. */
function pointed(error: unknown, words: string | undefined): unknown {
  if (words === undefined || !isVoxError(error) || error.code !== "usage.invalid") return error;
  if (error.hint !== ERROR_CODES[error.code].hint) return error;
  const { details, cause } = error;
  return fail(error.code, error.message, { details, cause, hint: usage("", { words }).hint });
}

function helpFor({ command, noun }: Parsed): string {
  if (command !== undefined) return commandHelp(command, commands);
  return noun === undefined ? overviewHelp(commands) : nounHelp(noun, commands);
}

/** Asked when parsing may have failed: `--json` before any `--`. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? undefined : end).includes("--json");
}
