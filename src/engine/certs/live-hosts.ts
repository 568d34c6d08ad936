/** The hosts by which live services are reached, each once. Pure but for the state that it reads. Called by daemon/compose-certs.ts. */
import type { ServiceState } from "../../state/service-state.ts";
import { findLive } from "../live.ts";
import type { WantedDomain } from "./wanted.ts";

/** A domain may have a path, and services may share a host: then it is the first one's. */
export function liveHosts(state: Pick<ServiceState, "services" | "versions">): readonly WantedDomain[] {
  const hosts = new Map<string, string>();
  for (const service of state.services.list())
    for (const domain of findLive(state, service)?.spec.domains ?? []) {
      const [host = ""] = domain.split("/");
      if (!hosts.has(host)) hosts.set(host, service.name);
    }
  return [...hosts]
    .map(([domain, service]) => ({ domain, service }))
    .toSorted((a, b) => a.domain.localeCompare(b.domain));
}
