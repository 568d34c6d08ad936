/** The fields of the three deploy events. Pure. Called by begin.ts, steps.ts and settlement.ts. */
import type { EventData } from "../events/events.ts";
import { addressOf, sourceName, type ServiceSpec } from "./service-spec.ts";

export interface DeployFacts {
  readonly service: string;
  readonly version: number;
  readonly spec: ServiceSpec;
  readonly hostPort: number | undefined;
  readonly durationMs: number;
}

export function deployEvent(facts: DeployFacts): EventData<"on_deploy_start"> {
  const { service, version, spec, hostPort, durationMs } = facts;
  return {
    service,
    // Never empty: a service that nothing can reach still has its name.
    domain: spec.domains[0] ?? addressOf(spec, hostPort) ?? service,
    domains: spec.domains,
    image: sourceName(spec.source),
    version,
    provider: spec.provider,
    server: spec.server,
    durationMs: Math.max(0, Math.round(durationMs)),
  };
}
