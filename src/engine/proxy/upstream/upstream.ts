/** Where the live instance of a service answers. The only place that says so: today a loopback port of this host. Called by routes.ts and the deploys. */
import type { VersionRow } from "../../../state/versions.ts";

export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** Undefined for one that listens nowhere. */
export function upstreamOf(row: Pick<VersionRow, "hostPort">): Upstream | undefined {
  return row.hostPort === null ? undefined : { host: "127.0.0.1", port: row.hostPort };
}

export function upstreamKey({ host, port }: Upstream): string {
  return `${host} ${port}`;
}
