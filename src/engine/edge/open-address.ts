/** Makes a service reachable as its live version says. Called at boot, at each repair and when a service is started again. */
import { upstreamOf, type Live } from "../live.ts";
import type { Edges } from "./edges.ts";

/** Opens the live version's address, if it has one and it is not open. Throws `deploy.port_taken`. */
export function openAddress(live: Live, edges: Edges): void {
  const { row, spec } = live;
  if (spec.publish === undefined || edges.isOpen(row.service)) return;
  edges.stage(row.service, spec.publish, upstreamOf(row)).commit();
}
