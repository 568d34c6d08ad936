/**
 * Enters a deploy into the journal: from here on it has a version, an instance id and an end that will be told. The row and
 * `on_deploy_start` are one transaction; the gates are asked after it. Called by deploys.ts.
 */
import { timestamp } from "../../base/clock.ts";
import { shortId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Hold } from "../busy.ts";
import { portsInUse } from "../live.ts";
import { onLoopback, type InstanceSpec, type Upstream } from "../providers/provider.ts";
import type { ServiceDeps } from "../service-deps.ts";
import { deployEvent } from "./deploy-event.ts";
import type { Deploy, DeployProgress } from "./deploy.ts";
import type { Plan } from "./plan.ts";
import { encodeSpec, instanceSpec, sourceName } from "./service-spec.ts";
import { FIRST_STEP } from "./steps.ts";

export interface BeginOptions {
  readonly plan: Plan;
  readonly hold: Hold;
  readonly signal: AbortSignal;
  readonly progress: (progress: DeployProgress) => void;
}

export function beginDeploy({ plan, hold, signal, progress }: BeginOptions, deps: ServiceDeps): Deploy {
  const { state, ports } = deps;
  const { server, port } = plan.spec;
  const hostPort = port === undefined ? undefined : ports.take(server, portsInUse(server, deps));
  try {
    const { id, version, gates } = state.transaction(() => enter(plan, hostPort, signal, deps));
    hold.protect(id);
    if (plan.previous !== undefined) hold.protect(plan.previous.row.instance);
    return {
      plan,
      version,
      gates,
      startedMs: deps.clock.monotonic(),
      signal,
      hold,
      progress,
      instance: exactly(
        plan,
        instanceSpec(plan.spec, { id, owner: deps.owner, service: plan.service, version, hostPort }, deps),
      ),
      exactImage: sourceName(plan.spec.source),
      upstream: firstUpstream(plan, hostPort),
      step: FIRST_STEP,
      created: false,
      switched: false,
    };
  } catch (error) {
    if (hostPort !== undefined) ports.release(plan.spec.server, hostPort);
    throw error;
  }
}

// --- internal ---

function exactly({ exactImage }: Plan, instance: InstanceSpec): InstanceSpec {
  return exactImage === undefined ? instance : { ...instance, image: exactImage };
}

type Entry = Pick<Deploy, "version" | "gates"> & { readonly id: string };

function enter(plan: Plan, hostPort: number | undefined, signal: AbortSignal, deps: ServiceDeps): Entry {
  const { state, events, clock } = deps;
  const { service, spec } = plan;
  const at = timestamp(clock.now());
  const version = state.services.takeVersion(service, spec, at);
  const id = `vx-${service}-${version}-${shortId()}`;
  state.deploys.begin({
    id: plan.id,
    service,
    version,
    // The journal outlives failures: what may be a secret is kept with live versions only.
    spec: encodeSpec({ ...spec, env: {} }),
    instance: id,
    hostPort: hostPort ?? null,
    step: FIRST_STEP,
    startedAt: at,
  });
  state.deploys.keepNewest(service, LIMITS.deploysKept);
  const facts = { service, version, spec, upstream: firstUpstream(plan, hostPort), durationMs: 0 };
  // Last, so that nothing can take the transaction back once the gates are being asked.
  const gates = events.announce("on_deploy_start", deployEvent(facts, deps.hostOf), signal);
  // Awaited by the first step; until then nobody looks at a refusal.
  gates.catch(() => {});
  return { id, version, gates };
}

/** Where a provider says for itself where an instance is reached, that is known when it runs. */
function firstUpstream({ provider }: Plan, hostPort: number | undefined): Upstream | undefined {
  return hostPort === undefined || provider.reach !== undefined ? undefined : onLoopback(hostPort);
}
