/**
 * Starts a process that outlives the daemon: in a session of its own, its output straight into files, so that nothing of
 * ours has to run for it. The only place that starts services. Called by run.ts.
 */
import { fail, messageOf } from "../../../base/errors.ts";
import { quote } from "../../../base/text.ts";
import type { RunPlan } from "./run-plan.ts";

export interface LaunchedProcess {
  readonly pid: number;
  /** Killed by a signal: 128 and its number. */
  readonly exited: Promise<number>;
}

export type Launch = (
  plan: RunPlan,
  output: { readonly stdout: number; readonly stderr: number },
) => LaunchedProcess;

/** Throws `service.invalid` when the program can't be started. */
export const launchDetached: Launch = (plan, output) => {
  try {
    const child = Bun.spawn([...plan.command], {
      cwd: plan.cwd,
      env: { ...plan.env },
      stdin: "ignore",
      stdout: output.stdout,
      stderr: output.stderr,
      detached: true,
    });
    child.unref();
    return { pid: child.pid, exited: child.exited };
  } catch (error) {
    throw fail("service.invalid", `could not run ${quote(plan.command[0] ?? "")}: ${messageOf(error)}`);
  }
};
