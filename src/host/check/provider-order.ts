/**
 * A provider's actions in another order than the right one, as they come after a crash: twice, on what never was, and on what is gone.
 * Called by check-program.ts.
 */
import type { CheckId } from "./checks.ts";
import {
  judgeStatus,
  plainSpec,
  STOP,
  stopAndDestroy,
  type Bench,
  type StatusAnswer,
  type StatusWord,
} from "./provider-bench.ts";
import { judge, judgeRefusal, type Refusal } from "./verdicts.ts";

export async function checkOrder(bench: Bench, unknown: StatusAnswer): Promise<void> {
  await onMissing(bench, unknown);
  await onOne(bench);
}

// --- internal ---

async function onMissing(bench: Bench, unknown: StatusAnswer): Promise<void> {
  const { findings } = bench;
  judgeStatus(bench, "order.status_missing", unknown, ["missing"]);
  const name = bench.newName();
  const lenient = bench.alwaysSays === undefined ? "failed" : "warned";
  judgeRefusal(findings, "order.start_missing", await bench.ask("start", { name }), lenient);
  judge(findings, "order.stop_missing", await bench.ask("stop", { name, ...STOP }), "passed");
  judge(findings, "order.destroy_missing", await bench.ask("destroy", { name }), "passed");
}

interface Step {
  readonly action: "create" | "start" | "stop" | "destroy";
  /** Undefined: it is only on the way. */
  readonly check?: CheckId;
  readonly refusal: Refusal;
  readonly after: readonly StatusWord[];
}

const MADE = ["created", "stopped", "exited"] as const;
const ENDED = ["stopped", "exited", "created", "dead"] as const;

const STEPS: readonly Step[] = [
  { action: "create", refusal: "failed", after: MADE },
  { action: "create", check: "order.create_twice", refusal: "passed", after: MADE },
  { action: "start", refusal: "failed", after: ["running"] },
  { action: "start", check: "order.start_twice", refusal: "passed", after: ["running"] },
  { action: "stop", refusal: "failed", after: ENDED },
  { action: "stop", check: "order.stop_twice", refusal: "passed", after: ENDED },
  { action: "start", check: "order.start_again", refusal: "failed", after: ["running"] },
  { action: "destroy", check: "order.destroy_running", refusal: "warned", after: ["missing"] },
  { action: "destroy", check: "order.destroy_twice", refusal: "passed", after: ["missing"] },
  { action: "create", check: "order.create_again", refusal: "failed", after: MADE },
];

async function onOne(bench: Bench): Promise<void> {
  const { findings } = bench;
  const name = bench.newName();
  for (const [at, { action, check, refusal, after }] of STEPS.entries()) {
    const called = await bench.ask(action, paramsOf(bench, action, name));
    if (check === undefined) {
      if (called.kind === "ok") continue;
      // The life of an instance has told of it.
      return skip(bench, at, `${action} did not succeed`);
    }
    const mayBeAsBefore = called.kind === "ok" || (called.kind === "refused" && refusal === "passed");
    const answer = mayBeAsBefore ? await bench.status(name) : undefined;
    if (answer !== undefined && !isRight(answer, after)) {
      judgeStatus(bench, check, answer, after);
      // One thing that went wrong is told once.
      if (answer.word !== bench.alwaysSays) return skip(bench, at + 1, `status is not ${after.join(" or ")}`);
      continue;
    }
    judge(findings, check, called, refusal);
    if (called.kind === "refused" && action === "destroy" && refusal === "warned")
      await stopAndDestroy(bench, name);
    if (called.kind === "broken") return skip(bench, at + 1, `${action} did not answer`);
  }
  await stopAndDestroy(bench, name);
}

function isRight({ word }: StatusAnswer, wanted: readonly StatusWord[]): boolean {
  return word !== undefined && wanted.includes(word);
}

function skip(bench: Bench, from: number, why: string): void {
  for (const { check } of STEPS.slice(from)) if (check !== undefined) bench.findings.skipped(check, why);
}

function paramsOf(bench: Bench, action: Step["action"], name: string): Record<string, unknown> {
  if (action === "create") return plainSpec(bench, name);
  return action === "stop" ? { name, ...STOP } : { name };
}
