/** A command inside an instance of a provider that is a plugin: its input is given whole, and its output comes whole. Called by provider.ts. */
import { fail } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import type { ExecOptions } from "../provider.ts";
import type { ExecAnswer } from "./answers.ts";
import type { Params } from "./plugged-provider.ts";

/** Gives the command's exit code. */
export async function runCommand(
  name: string,
  { command, stdin, signal, output }: ExecOptions,
  ask: (params: Params, signal: AbortSignal) => Promise<ExecAnswer>,
): Promise<number> {
  if (stdin !== undefined && stdin.length > LIMITS.execStdinBytes)
    throw fail(
      "exec.failed",
      `the input has ${formatBytes(stdin.length)}, at most ${formatBytes(LIMITS.execStdinBytes)} can be given`,
    );
  const input = stdin === undefined ? {} : { stdin: Buffer.from(stdin).toString("base64") };
  const { exitCode, stdout, stderr } = await ask({ name, command: [...command], ...input }, signal);
  if (stdout.length > 0) await output("stdout", stdout);
  if (stderr.length > 0) await output("stderr", stderr);
  return exitCode;
}
