/** Runs a program of the tool chain with what this script was given, and says how long it took. Shared by the scripts. */
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "..");

/** Bun itself, whatever brought it (npx, a package, a download). */
export const BUN = process.execPath;

export interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Its own last line is to be the last: nothing is said after it when it went well. */
  readonly last?: true;
}

/** One after the other; the first that fails ends the run with its exit status. True when all went well. */
export async function runSteps(steps: readonly Step[]): Promise<boolean> {
  for (const { name, command, last } of steps) {
    const start = performance.now();
    const child = Bun.spawn([...command], {
      cwd: ROOT,
      // As it is now: what a script has set counts for its steps.
      env: process.env,
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
    });
    const status = await child.exited;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (status !== 0 || last !== true)
      process.stderr.write(`${status === 0 ? "ok" : "FAILED"} ${name} (${seconds} s)\n`);
    if (status !== 0) {
      process.exitCode = status;
      return false;
    }
  }
  return true;
}

/** A tool that package.json installs. */
export function tool(name: string, ...args: readonly string[]): string[] {
  return [BUN, "x", "--no-install", name, ...args];
}
