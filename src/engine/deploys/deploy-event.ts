/** The fields of the three deploy events. Pure. Called by begin.ts, steps.ts and settlement.ts. */
import type { EventData } from "../events/events.ts";
import type { ServiceDeps } from "../service-deps.ts";
import type { Upstream } from "../providers/provider.ts";
import { addressOf, sourceName, type ServiceSpec } from "./service-spec.ts";

export interface DeployFacts {
  readonly service: string;
  readonly version: number;
  readonly spec: ServiceSpec;
  /** As far as it is known. */
  readonly upstream: Upstream | undefined;
  readonly durationMs: number;
}

/** `hostOf`: what plugins are told of a server. */
export function deployEvent(facts: DeployFacts, hostOf: ServiceDeps["hostOf"]): EventData<"on_deploy_start"> {
  const { service, version, spec, upstream, durationMs } = facts;
  return {
    service,
    // Never empty: a service that nothing can reach still has its name.
    domain: spec.domains[0] ?? addressOf(spec, upstream) ?? service,
    domains: spec.domains,
    image: sourceName(spec.source),
    version,
    provider: spec.provider,
    server: hostOf(spec.server),
    durationMs: Math.max(0, Math.round(durationMs)),
  };
}
