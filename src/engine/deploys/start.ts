/**
 * Starts a new instance. Which ports are free on another machine can't be seen from here, so one that turns out to be taken there
 * is replaced, and the instance made again with it. Called by steps.ts.
 */
import { isVoxError } from "../../base/errors.ts";
import { SERVER_LIMITS } from "../../base/server-limits.ts";
import { portsInUse } from "../live.ts";
import { LOCAL } from "../providers/providers.ts";
import type { ServiceDeps } from "../service-deps.ts";
import type { Deploy } from "./deploy.ts";

/** `work` bounds what the provider is asked. Throws `deploy.port_taken` where none of the ports that were tried is free. */
export async function startOnFreePort(
  deploy: Deploy,
  deps: ServiceDeps,
  work: (what: "create" | "start", asked: Promise<void>) => Promise<void>,
): Promise<void> {
  const { provider, spec } = deploy.plan;
  const tried = new Set<number>();
  for (;;) {
    try {
      return await work("start", provider.start(deploy.instance.id));
    } catch (error) {
      const { hostPort } = deploy.instance;
      const isTaken = isVoxError(error) && error.code === "deploy.port_taken";
      if (!isTaken || hostPort === undefined || spec.server === LOCAL) throw error;
      tried.add(hostPort);
      if (tried.size >= SERVER_LIMITS.portsTried) throw error;
      deploy.progress({
        step: deploy.step,
        text: `port ${hostPort} is taken on ${spec.server}: trying another`,
      });
      takeAnother(deploy, tried, deps);
      const context = { signal: deploy.signal, progress() {} };
      await work("create", provider.create(deploy.instance, context));
    }
  }
}

// --- internal ---

function takeAnother(deploy: Deploy, tried: ReadonlySet<number>, deps: ServiceDeps): void {
  const { server } = deploy.plan.spec;
  const before = deploy.instance.hostPort;
  const hostPort = deps.ports.take(server, new Set([...portsInUse(server, deps), ...tried]));
  deploy.instance = { ...deploy.instance, hostPort };
  if (before !== undefined) deps.ports.release(server, before);
}
