/**
 * Deploys a new version of a service beside the old one and switches when it is healthy. Whatever fails, and however, the new
 * instance is undone, the old version keeps running and `on_deploy_fail` tells. A lost connection cancels nothing: only `cancel`
 * and the signal do. Called by the API server, and at boot and shutdown by the daemon.
 */
import { diskFull } from "../../base/disk-full.ts";
import { fail, messageOf } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import { quote } from "../../base/text.ts";
import type { Hold } from "../busy.ts";
import { makeReconcile } from "../reconcile.ts";
import type { ServiceDeps, Upload } from "../service-deps.ts";
import { beginDeploy, type BeginOptions } from "./begin.ts";
import { parseDeployInput, type DeployInput } from "./deploy-input.ts";
import type { Deploy, DeployEnd, DeployProgress } from "./deploy.ts";
import { endOf, executeDeploy } from "./execute.ts";
import { makePlan, type Plan } from "./plan.ts";
import { makeRollbackPlan, type RollbackRequest } from "./plan-rollback.ts";
import { recoverServices } from "./recover.ts";
import { INTERRUPTED, makeSettlement } from "./settlement.ts";

export interface Deploys {
  /** Ends when the new version is live and the old one gone; with `detach`, as soon as the deploy is in the journal. */
  run(input: DeployInput, options: DeployOptions): Promise<DeployEnd>;
  /** A deploy of what an older version was, as a new version. Throws `service.not_found`, `version.not_found` too. */
  rollback(request: RollbackInput, options: DeployOptions): Promise<DeployEnd>;
  /** Undoes the deploy of the service that is under way; resolves when that is done. Throws `deploy.not_found`. */
  cancel(service: string): Promise<void>;
  /** Once, at boot: settles what a daemon before this one left unfinished and opens addresses; repairs in the background. */
  recover(): void;
  /** Looks soon whether everything is as it should be: servers may have come or gone. */
  repair(): void;
  /** Resolves when the repairs that are under way are over. */
  idle(): Promise<void>;
  /** Undoes what is under way and begins nothing more. Instances are left as they are. */
  close(): Promise<void>;
}

export interface RollbackInput extends RollbackRequest {
  readonly detach?: boolean | undefined;
}

export interface DeployOptions {
  readonly progress: (progress: DeployProgress) => void;
  /** Aborted: cancels the deploy. */
  readonly signal: AbortSignal;
}

export function makeDeploys(deps: ServiceDeps): Deploys {
  const settlement = makeSettlement(deps);
  const reconcile = makeReconcile(deps, settlement);
  const executeDeps = { ...deps, settlement, reconcile };
  const active = new Map<string, Active>();
  let closed = false;

  async function begin(
    { upload: uploadId, plan }: Wish,
    options: Omit<BeginOptions, "plan">,
  ): Promise<Deploy> {
    settlement.retry();
    const upload = uploadId === undefined ? undefined : await deps.takeUpload(uploadId);
    try {
      options.signal.throwIfAborted();
      if (closed) throw stopping();
      return beginDeploy({ ...options, plan: plan(newId(), upload) }, deps);
    } catch (error) {
      if (upload !== undefined) await deps.folders.discard(upload.directory);
      throw diskFull(error);
    }
  }

  function release(deploy: Deploy | undefined, hold: Hold): void {
    const port = deploy?.instance.hostPort;
    if (deploy !== undefined && port !== undefined) deps.ports.release(deploy.plan.spec.server, port);
    hold[Symbol.dispose]();
  }

  async function carryOut(wish: Wish, { progress, signal }: DeployOptions): Promise<DeployEnd> {
    if (closed) throw stopping();
    const { service } = wish;
    const hold = await deps.busy.hold(service, "deploy");
    const control = cancelledBy(signal, service);
    let deploy: Deploy;
    try {
      deploy = await begin(wish, { hold, progress, signal: control.signal });
    } catch (error) {
      release(undefined, hold);
      throw error;
    }
    const done = executeDeploy(deploy, executeDeps).finally(() => {
      active.delete(service);
      release(deploy, hold);
    });
    active.set(service, { deploy, control, done });
    if (!wish.detach) return await done;
    done.catch((error: unknown) =>
      deps.log.warn("a detached deploy failed", { service, error: messageOf(error) }),
    );
    return endOf(deploy, executeDeps, true);
  }

  async function cancel(service: string): Promise<void> {
    const found = active.get(service);
    if (found === undefined) throw fail("deploy.not_found", `no deploy of ${quote(service)} is under way`);
    if (found.deploy.switched)
      throw fail("deploy.not_found", `version ${found.deploy.version} of ${service} is live already`);
    found.control.abort(cancelled(service));
    await found.done.catch(() => {});
  }

  return {
    async run(input, options) {
      const request = parseDeployInput(input);
      const wish = {
        service: request.service,
        upload: request.upload,
        detach: input.detach === true,
        plan: (id: string, upload: Upload | undefined) => makePlan(id, request, upload, deps),
      };
      return carryOut(wish, options);
    },
    async rollback({ detach = false, ...request }, options) {
      const wish = {
        service: request.service,
        upload: undefined,
        detach,
        plan: (id: string) => makeRollbackPlan(id, request, deps),
      };
      return carryOut(wish, options);
    },
    cancel,
    recover: () => recoverServices(deps, settlement, reconcile),
    repair: () => reconcile.request(),
    idle: () => reconcile.idle(),
    async close() {
      closed = true;
      for (const { control } of active.values()) control.abort(fail("deploy.interrupted", INTERRUPTED));
      await Promise.allSettled([...active.values()].map(({ done }) => done));
      reconcile.close();
      await reconcile.idle();
    },
  };
}

// --- internal ---

/** What is to be deployed, planned when nothing else changes the service. */
interface Wish {
  readonly service: string;
  readonly upload: string | undefined;
  readonly detach: boolean;
  readonly plan: (id: string, upload: Upload | undefined) => Plan;
}

interface Active {
  readonly deploy: Deploy;
  readonly control: AbortController;
  readonly done: Promise<DeployEnd>;
}

function cancelledBy(signal: AbortSignal, service: string): AbortController {
  const control = new AbortController();
  const abort = (): void => control.abort(cancelled(service));
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return control;
}

function cancelled(service: string): Error {
  return fail("deploy.cancelled", `the deploy of ${service} was cancelled`);
}

function stopping(): Error {
  return fail("daemon.stopping", "the daemon stops, and begins no deploy");
}
