/** The version of a service that is live, read together. Called by everything here that needs what runs now. */
import { decodeSpec, instanceSpec, isImage, type Logins, type ServiceSpec } from "./deploys/service-spec.ts";
import type { LogTarget } from "./logs/logs.ts";
import { onLoopback, type InstanceSpec, type Upstream } from "./providers/provider.ts";
import type { ServiceDeps } from "./service-deps.ts";
import type { ServiceState } from "../state/service-state.ts";
import type { ServiceRow } from "../state/services.ts";
import type { VersionRow } from "../state/versions.ts";

export type Reached = Pick<VersionRow, "host" | "port" | "hostPort">;

export interface Live {
  readonly row: VersionRow;
  readonly spec: ServiceSpec;
}

export function findLive(
  state: Pick<ServiceState, "versions">,
  service: ServiceRow | undefined,
): Live | undefined {
  if (service === undefined || service.currentVersion === null) return undefined;
  const row = state.versions.find(service.name, service.currentVersion);
  return row === undefined ? undefined : { row, spec: decodeSpec(row.spec) };
}

/** Where its port is reached; nothing where it has none. */
export function upstreamOf({ host, port, hostPort }: Reached): Upstream | undefined {
  if (host !== null && port !== null) return { host, port };
  return hostPort === null ? undefined : onLoopback(hostPort);
}

/** Whose live version has the port of that server. */
export function serviceAt(state: ServiceState, server: string, port: number): string | undefined {
  const rows = state.versions.listCurrent().filter(({ hostPort }) => hostPort === port);
  return rows.find(({ spec }) => decodeSpec(spec).server === server)?.service;
}

/** Ports of that server that versions have that are live, and workspaces, whether they run now or not. */
export function portsInUse(
  server: string,
  { state, workspaces }: Pick<ServiceDeps, "state" | "workspaces">,
): ReadonlySet<number> {
  const there = state.versions.listCurrent().filter(({ spec }) => decodeSpec(spec).server === server);
  return new Set([...there.flatMap(({ hostPort }) => hostPort ?? []), ...workspaces.ports(server)]);
}

/** Whose output belongs to the service's log. */
export function logTarget({ row, spec }: Live): LogTarget {
  return {
    provider: spec.provider,
    server: spec.server,
    instance: row.instance,
    service: row.service,
    version: row.version,
  };
}

/** What its provider would need to make the instance again, exactly as it was. */
export function liveInstance(live: Live, deps: Logins & Pick<ServiceDeps, "owner">): InstanceSpec {
  const { row, spec } = live;
  const identity = {
    id: row.instance,
    owner: deps.owner,
    service: row.service,
    version: row.version,
    hostPort: row.hostPort ?? undefined,
  };
  const instance = instanceSpec(spec, identity, deps);
  if (spec.source.kind === "folder")
    return { ...instance, image: isImage(spec.source) ? row.image : undefined };
  // A bare id names an image only while the engine has it; the reference can be pulled again.
  return row.image.startsWith("sha256:") ? instance : { ...instance, image: row.image };
}
