/**
 * Runs a command beside an instance: in its folder, with its environment. It bears the instance's mark, so that it goes
 * with it; when its caller goes away it is killed with all that it started. Called by provider.ts.
 */
import { fail, messageOf } from "../../../base/errors.ts";
import { quote } from "../../../base/text.ts";
import type { ExecOptions, OutputStream } from "../provider.ts";
import type { RunPlan } from "./run-plan.ts";

/** Gives the exit code; throws the signal's reason when it aborted. */
export async function execBeside(plan: RunPlan, options: ExecOptions): Promise<number> {
  const { stdin, signal, output } = options;
  signal.throwIfAborted();
  const child = spawn(plan, stdin);
  const stop = (): void => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended at this moment.
    }
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const pump = async (name: OutputStream): Promise<void> => {
      for await (const chunk of child[name]) await output(name, chunk);
    };
    await Promise.all([pump("stdout"), pump("stderr")]);
    const code = await child.exited;
    signal.throwIfAborted();
    return code;
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

// --- internal ---

function spawn(plan: RunPlan, stdin: Uint8Array | undefined) {
  try {
    return Bun.spawn([...plan.command], {
      cwd: plan.cwd,
      env: { ...plan.env },
      stdin: stdin ?? "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
  } catch (error) {
    throw fail("exec.failed", `could not run ${quote(plan.command[0] ?? "")}: ${messageOf(error)}`);
  }
}
