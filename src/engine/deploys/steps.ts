/**
 * The steps of a deploy, in order: data with an executor each. A step is in the journal before it begins; the first one that
 * throws ends the deploy, and execute.ts undoes it. What is in `AFTERWARDS` comes when the new version is live already:
 * it may fail without failing the deploy. Called by execute.ts.
 */
import { timestamp } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { bounded } from "../bounded.ts";
import { pruneBuilds } from "../builds.ts";
import { upstreamOf } from "../live.ts";
import type { LogTarget } from "../logs/logs.ts";
import { workMs, type WorkContext } from "../providers/provider.ts";
import { placeOf, placeText } from "../providers/providers.ts";
import { reachInstance } from "../reach.ts";
import type { Reconcile } from "../reconcile.ts";
import { checkPlainNames } from "../secrets/service-secrets.ts";
import type { ServiceDeps } from "../service-deps.ts";
import { deployEvent } from "./deploy-event.ts";
import { factsOf, type Deploy } from "./deploy.ts";
import { waitForHealth } from "./health.ts";
import { decodeSpec, encodeSpec, isImage, type Source } from "./service-spec.ts";
import { startOnFreePort } from "./start.ts";

export interface Step {
  readonly name: string;
  /** For the person who waits; nothing where there is nothing to do. */
  says(deploy: Deploy): string | undefined;
  run(deploy: Deploy, deps: StepDeps): Promise<void>;
}

export interface StepDeps extends ServiceDeps {
  readonly reconcile: Reconcile;
}

export const STEPS: readonly Step[] = [
  { name: "gate", says: () => undefined, run: askGates },
  {
    name: "prepare",
    says: ({ plan }) => preparing(plan.spec.source),
    run: prepare,
  },
  { name: "create", says: ({ instance }) => `creating ${instance.id}`, run: create },
  { name: "start", says: ({ plan }) => `starting on ${placeText(plan.spec)}`, run: start },
  { name: "health", says: () => "waiting until it is healthy", run: health },
  { name: "switch", says: ({ version }) => `version ${version} goes live`, run: switchOver },
];

/** The first step. */
export const FIRST_STEP = "gate";

export const AFTERWARDS: readonly Step[] = [
  { name: "drain", says: withPrevious("stopping the old version"), run: drain },
  { name: "cleanup", says: withPrevious("removing the old version"), run: cleanup },
];

// --- internal ---

const NOT_SAID = { host: null, port: null };

async function askGates(deploy: Deploy, deps: StepDeps): Promise<void> {
  await untilCancelled(deploy, deps, deploy.gates);
}

async function prepare(deploy: Deploy, deps: StepDeps): Promise<void> {
  const { plan } = deploy;
  const { source, server, volumes } = plan.spec;
  const from = plan.previous?.spec;
  if (from !== undefined && from.server !== server && volumes.length > 0)
    deploy.progress({
      step: deploy.step,
      text: `warning: what its volumes hold stays on ${from.server}; those of ${server} are used from now on`,
    });
  if (plan.upload !== undefined && source.kind === "folder")
    await deps.folders.adopt(plan.upload.directory, source.path);
  const work = plan.provider.prepare(deploy.instance, workContext(deploy));
  deploy.exactImage = await untilCancelled(deploy, deps, work);
  if (isImage(source)) deploy.instance = { ...deploy.instance, image: deploy.exactImage };
}

function preparing(source: Source): string {
  if (source.kind === "image") return `pulling ${source.reference}`;
  return source.build === undefined ? "unpacking the folder" : `building from ${source.build.dockerfile}`;
}

async function create(deploy: Deploy, deps: StepDeps): Promise<void> {
  deploy.created = true;
  await providerWork(
    "create",
    deploy,
    deps,
    deploy.plan.provider.create(deploy.instance, workContext(deploy)),
  );
}

async function start(deploy: Deploy, deps: StepDeps): Promise<void> {
  const { provider } = deploy.plan;
  await startOnFreePort(deploy, deps, (what, asked) => providerWork(what, deploy, deps, asked));
  deploy.upstream = await providerWork("start", deploy, deps, reachInstance(provider, deploy.instance));
  deps.logs.watch(logTargetOf(deploy));
}

function health(deploy: Deploy, deps: StepDeps): Promise<void> {
  const { plan, instance, upstream, signal } = deploy;
  const { health: path, healthTimeoutMs } = plan.spec;
  const wait = {
    provider: plan.provider,
    instance,
    upstream,
    path,
    timeoutMs: healthTimeoutMs ?? LIMITS.healthMs,
    signal,
    lastLines: () => deps.logs.lastLines(logTargetOf(deploy), LIMITS.deployLogLines),
  };
  return waitForHealth(wait, deps.probes, deps.clock);
}

/** The address leads to the new version when, and only when, the state says so and the event is on its way. */
async function switchOver(deploy: Deploy, deps: StepDeps): Promise<void> {
  const { plan, version, instance, upstream } = deploy;
  const { state, edges, events, clock } = deps;
  const staged = edges.stage(plan.service, plan.spec.publish, upstream);
  try {
    state.transaction(() => {
      const at = timestamp(clock.now());
      state.versions.add({
        service: plan.service,
        version,
        spec: encodeSpec(plan.spec),
        image: deploy.exactImage,
        instance: instance.id,
        hostPort: instance.hostPort ?? null,
        ...(plan.provider.reach === undefined || upstream === undefined ? NOT_SAID : upstream),
        createdAt: at,
      });
      state.services.setCurrent(plan.service, version, plan.spec);
      // One of them may have become a secret since the deploy began.
      checkPlainNames(state, plan.service, Object.keys(plan.env.values));
      if (plan.env.kind === "replace") state.env.removeAll(plan.service);
      state.env.set(plan.service, plan.env.values);
      state.versions.keepNewest(plan.service, LIMITS.versionsKept);
      state.deploys.succeed(plan.id, at);
      events.emit("on_deploy_success", deployEvent(factsOf(deploy, clock.monotonic()), deps.hostOf));
    });
  } catch (error) {
    staged.abort();
    throw error;
  }
  deploy.switched = true;
  staged.commit();
  deps.routes.follow(plan.service);
}

async function drain(deploy: Deploy, deps: StepDeps): Promise<void> {
  const previous = deploy.plan.previous;
  if (previous === undefined) return;
  const upstream = upstreamOf(previous.row);
  if (upstream !== undefined)
    await Promise.all([
      deps.edges.drain(upstream, LIMITS.drainMs, deploy.signal),
      deps.proxied.drain(upstream, LIMITS.drainMs, deploy.signal),
    ]);
  const provider = deps.providers.of(previous.spec);
  await bounded(provider.stop(previous.row.instance, LIMITS.stopGraceMs), {
    clock: deps.clock,
    timeoutMs: workMs(provider, "stop", LIMITS.stopGraceMs + LIMITS.providerDestroyMs),
    who: placeText(previous.spec),
  });
}

async function cleanup(deploy: Deploy, deps: StepDeps): Promise<void> {
  const { plan, hold } = deploy;
  if (plan.previous !== undefined) {
    hold.expose(plan.previous.row.instance);
    await deps.reconcile.discard(plan.previous.spec, plan.previous.row.instance);
  }
  const kept = deps.state.versions.list(plan.service);
  const sources = kept.map((row) => decodeSpec(row.spec).source);
  const paths = sources.flatMap((source) => (source.kind === "folder" ? [source.path] : []));
  await deps.folders.prune(plan.service, new Set(paths));
  await pruneBuilds(
    plan.service,
    { before: plan.previous === undefined ? [] : [plan.previous.row], kept },
    deps,
  );
}

function withPrevious(text: string): Step["says"] {
  return ({ plan }) => (plan.previous === undefined ? undefined : text);
}

/** A pull, or a person behind a gate, may take as long as it takes; only a cancel ends the wait. */
function untilCancelled<T>(deploy: Deploy, deps: StepDeps, work: Promise<T>): Promise<T> {
  const { plan, signal } = deploy;
  return bounded(work, {
    clock: deps.clock,
    who: placeText(plan.spec),
    signal,
  });
}

/** Waits for a provider that can't be interrupted. What it makes after nobody waits any more is swept away. */
function providerWork<T>(
  what: "create" | "start",
  deploy: Deploy,
  deps: StepDeps,
  work: Promise<T>,
): Promise<T> {
  const { plan, instance, signal } = deploy;
  return bounded(work, {
    clock: deps.clock,
    timeoutMs: workMs(plan.provider, what, LIMITS.providerWorkMs),
    who: placeText(plan.spec),
    signal,
    late: () => void deps.reconcile.discard(placeOf(plan.provider), instance.id),
  });
}

function logTargetOf({ plan, version, instance }: Deploy): LogTarget {
  return { ...placeOf(plan.provider), instance: instance.id, service: plan.service, version };
}

function workContext(deploy: Deploy): WorkContext {
  return {
    signal: deploy.signal,
    progress: (text, percent) =>
      deploy.progress({ step: deploy.step, text, ...(percent === undefined ? {} : { percent }) }),
  };
}
