/** The life of one instance, in order: create, start, stop, destroy, and what status says after each. Called by check-program.ts. */
import type { CheckId } from "./checks.ts";
import type { Called } from "./program.ts";
import {
  judgeStatus,
  plainSpec,
  STOP,
  type Bench,
  type StatusAnswer,
  type StatusWord,
} from "./provider-bench.ts";
import { judge } from "./verdicts.ts";

/** `unknown`: what it said of a name that nothing has. */
export async function checkLife(bench: Bench, unknown: StatusAnswer): Promise<void> {
  const { findings } = bench;
  const name = bench.newName();
  const lived: Lived[] = [];
  for (const step of STEPS) {
    const called = await bench.ask(step.action, step.params(bench, name));
    const answer = called.kind === "ok" ? await bench.status(name) : undefined;
    lived.push({ step, called, answer });
    // What was not made can't be started.
    if (called.kind !== "ok" && step.action === "create") break;
  }
  // Only a whole life tells whether status looks at anything.
  const answers = lived.flatMap(({ answer }) => answer ?? []);
  if (
    answers.length === STEPS.length &&
    unknown.word !== "missing" &&
    answers.every(({ word }) => word === unknown.word)
  )
    bench.alwaysSays = unknown.word;

  for (const [at, step] of STEPS.entries()) {
    const { called, answer } = lived[at] ?? {};
    if (called === undefined) findings.skipped(step.check, "nothing was created");
    else judge(findings, step.check, called, "failed");
    if (answer === undefined)
      findings.skipped(step.after, `${called === undefined ? "create" : step.action} did not succeed`);
    else judgeStatus(bench, step.after, answer, step.wanted);
  }
}

// --- internal ---

interface Step {
  readonly action: "create" | "start" | "stop" | "destroy";
  readonly params: (bench: Bench, name: string) => Record<string, unknown>;
  readonly check: CheckId;
  /** The check of what status says then. */
  readonly after: CheckId;
  readonly wanted: readonly StatusWord[];
}

interface Lived {
  readonly step: Step;
  readonly called: Called;
  readonly answer: StatusAnswer | undefined;
}

const byName: Step["params"] = (_bench, name) => ({ name });

const STEPS: readonly Step[] = [
  {
    action: "create",
    params: plainSpec,
    check: "life.create",
    after: "life.created",
    wanted: ["created", "stopped", "exited"],
  },
  { action: "start", params: byName, check: "life.start", after: "life.running", wanted: ["running"] },
  {
    action: "stop",
    params: (_bench, name) => ({ name, ...STOP }),
    check: "life.stop",
    after: "life.stopped",
    wanted: ["stopped", "exited", "created", "dead"],
  },
  { action: "destroy", params: byName, check: "life.destroy", after: "life.gone", wanted: ["missing"] },
];
