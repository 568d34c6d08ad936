/** An executable that is a hook: each of its events, again, and unusual ones. Called by check-program.ts. */
import type { HookName } from "../../sdk/index.ts";
import { hookNames, type Manifest } from "../manifest/manifest.ts";
import { eventId, executeParams } from "../runtimes/exec/params.ts";
import type { Findings } from "./findings.ts";
import type { Called, CallOptions, Program } from "./program.ts";
import type { SampleEvent } from "./sample-event.ts";
import { unusualEvent } from "./unusual.ts";
import { judge } from "./verdicts.ts";

export interface ProgramHooks {
  readonly program: Program;
  readonly manifest: Manifest;
  readonly findings: Findings;
  readonly sample: SampleEvent;
  readonly deadlineMs: number;
}

export async function checkProgramHooks({
  program,
  manifest,
  findings,
  sample,
  deadlineMs,
}: ProgramHooks): Promise<void> {
  const execute = (hook: HookName, event: unknown): Promise<Called> =>
    program.call("execute", { ...executeParams(hook, event) }, { deadlineMs, eventId: eventId(event) });

  for (const { hook, gate } of manifest.hooks) {
    const event = sample(hook);
    // A gate may have its reasons to refuse what it does not know.
    const refusal = gate ? "warned" : "failed";
    const first = await execute(hook, event);
    judge(findings, "hook.sample", first, refusal, { subject: hook });
    // What fails with the sample fails with the rest, and that is no news.
    if (first.kind !== "ok") {
      findings.skipped("hook.unusual", "the sample was not taken", { subject: hook });
      continue;
    }
    // Gates are asked once.
    if (!gate) judge(findings, "hook.again", await execute(hook, event), "failed", { subject: hook });
    const unusual = unusualEvent(hook, event);
    judge(findings, "hook.unusual", await execute(hook, unusual), gate ? "passed" : "failed", {
      subject: hook,
    });
  }
}

/** A call that the program is sure to know: its first event. Undefined where it has none. */
export function knownHookCall(
  manifest: Manifest,
  sample: SampleEvent,
):
  | {
      readonly action: string;
      readonly params: Record<string, unknown>;
      readonly options: Pick<CallOptions, "eventId">;
    }
  | undefined {
  const [hook] = hookNames(manifest);
  if (hook === undefined) return undefined;
  const event = sample(hook);
  return {
    action: "execute",
    params: { ...executeParams(hook, event) },
    options: { eventId: eventId(event) },
  };
}
