/**
 * Where an instance that has been started is reached from this machine: where its provider says, else at the loopback port that was
 * chosen for it. Called by deploys/steps.ts and revive.ts.
 */
import type { Live } from "./live.ts";
import { upstreamOf } from "./live.ts";
import { onLoopback, type InstanceSpec, type Provider, type Upstream } from "./providers/provider.ts";
import type { ServiceDeps } from "./service-deps.ts";

/** Nothing for an instance without a port. */
export async function reachInstance(
  provider: Pick<Provider, "reach">,
  instance: InstanceSpec,
): Promise<Upstream | undefined> {
  if (instance.port === undefined) return undefined;
  if (provider.reach !== undefined) return provider.reach(instance);
  return instance.hostPort === undefined ? undefined : onLoopback(instance.hostPort);
}

/** It was started again, and may be elsewhere than before: so that what leads to it leads there. */
export function followUpstream(live: Live, upstream: Upstream | undefined, deps: ServiceDeps): void {
  const { row, spec } = live;
  const known = upstreamOf(row);
  if (upstream === undefined || (known?.host === upstream.host && known.port === upstream.port)) return;
  deps.state.versions.setUpstream(row.service, row.version, upstream);
  if (deps.edges.isOpen(row.service)) deps.edges.stage(row.service, spec.publish, upstream).commit();
  deps.routes.follow(row.service);
}
