/**
 * Takes a deploy that has begun through its steps to one of its two ends: live, or undone and told. Called by deploys.ts.
 */
import { diskFull } from "../../base/disk-full.ts";
import { isVoxError, messageOf, stackOf, toWire } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { factsOf, type Deploy, type DeployEnd } from "./deploy.ts";
import { addressOf, sourceName } from "./service-spec.ts";
import type { Settlement } from "./settlement.ts";
import { AFTERWARDS, FIRST_STEP, STEPS, type Step, type StepDeps } from "./steps.ts";

export interface ExecuteDeps extends StepDeps {
  readonly settlement: Settlement;
}

export async function executeDeploy(deploy: Deploy, deps: ExecuteDeps): Promise<DeployEnd> {
  try {
    for (const step of STEPS) {
      deploy.signal.throwIfAborted();
      await perform(step, deploy, deps);
    }
  } catch (error) {
    throw await giveUp(deploy, error, deps);
  }
  for (const step of AFTERWARDS) await performAfterwards(step, deploy, deps);
  const end = endOf(deploy, deps, false);
  deps.log.info("a new version is live", { ...labels(deploy), durationMs: end.durationMs });
  return end;
}

/** What the operator is told at the end; `detached` when the end is yet to come. */
export function endOf(deploy: Deploy, { clock }: ExecuteDeps, detached: boolean): DeployEnd {
  const { plan, version, upstream } = deploy;
  return {
    deploy: plan.id,
    service: plan.service,
    version,
    image: sourceName(plan.spec.source),
    address: addressOf(plan.spec, upstream) ?? null,
    durationMs: Math.round(factsOf(deploy, clock.monotonic()).durationMs),
    detached,
  };
}

// --- internal ---

async function perform(step: Step, deploy: Deploy, deps: ExecuteDeps): Promise<void> {
  deploy.step = step.name;
  if (step.name !== FIRST_STEP) deps.state.deploys.setStep(deploy.plan.id, step.name);
  const text = step.says(deploy);
  if (text !== undefined) deploy.progress({ step: step.name, text });
  await step.run(deploy, deps);
}

async function performAfterwards(step: Step, deploy: Deploy, deps: ExecuteDeps): Promise<void> {
  try {
    await perform(step, deploy, deps);
  } catch (error) {
    deps.log.warn("the new version is live, but something of the old one is left", {
      ...labels(deploy),
      error: messageOf(error),
    });
    deps.reconcile.request();
  }
}

/** Undoes, tells, and gives the error that the operator gets. Never throws. */
async function giveUp(deploy: Deploy, thrown: unknown, deps: ExecuteDeps): Promise<unknown> {
  const error = deploy.signal.aborted ? deploy.signal.reason : diskFull(thrown);
  if (!isVoxError(error))
    deps.log.error("a deploy met a bug", {
      ...labels(deploy),
      error: messageOf(error),
      stack: stackOf(error),
    });
  await undo(deploy, deps);
  const text = describe(error, deps.redaction);
  const written = deps.settlement.fail({
    id: deploy.plan.id,
    facts: factsOf(deploy, deps.clock.monotonic()),
    step: deploy.step,
    error: text,
  });
  if (!written) deps.reconcile.request();
  deps.log.warn("a deploy failed", { ...labels(deploy), error: text });
  return error;
}

/** What can't be undone now is undone by a repair later. */
async function undo(deploy: Deploy, deps: ExecuteDeps): Promise<void> {
  const { plan, instance, hold } = deploy;
  hold.expose(instance.id);
  if (deploy.created) await deps.reconcile.discard(plan.spec, instance.id);
  if (plan.upload === undefined || plan.spec.source.kind !== "folder") return;
  const folders = [plan.upload.directory, plan.spec.source.path];
  await Promise.all(folders.map((path) => deps.folders.discard(path))).catch((error: unknown) =>
    deps.log.warn("a folder could not be removed", { ...labels(deploy), error: messageOf(error) }),
  );
}

/** A plugin reads "cancelled" where an operator reads a sentence. */
function describe(error: unknown, redaction: ExecuteDeps["redaction"]): string {
  const wire = toWire(error);
  if (wire.code === "deploy.cancelled") return "cancelled";
  // A gate's words are a plugin's, which may have read any secret; and all plugins read the event.
  return printable(redaction.all(wire.message), LIMITS.errorTextChars);
}

function labels({ plan, version, step }: Deploy): Readonly<Record<string, unknown>> {
  return { service: plan.service, version, step };
}
