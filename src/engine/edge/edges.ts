/**
 * The fixed addresses of services on this host (`--publish`), each joined to the version that is live. Switching is atomic:
 * connections made before it stay with the old version, all later ones go to the new.
 * Called by engine/deploys, engine/services and open-address.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import type { Upstream } from "../providers/provider.ts";
import { formatAddress, overlaps, type Address } from "./address.ts";
import { makeConnections } from "./connections.ts";
import { openEdge, type Edge } from "./edge.ts";

export interface Edges {
  /** Throws `deploy.port_taken` or `service.invalid` where the service can't have the address. Opens nothing. */
  check(service: string, address: Address): void;
  /**
   * Makes ready that the service's address leads to `target`; throws as `check`. A new address listens at once; an old one
   * changes, and what is no longer wanted closes, at `commit`. `abort` leaves everything as it was.
   */
  stage(service: string, address: Address | undefined, target: Upstream | undefined): StagedEdge;
  isOpen(service: string): boolean;
  /** Resolves when no connection leads to `target`; those left after `timeoutMs`, or at the signal, are cut. */
  drain(target: Upstream, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Stops listening for the service; what is connected goes on. */
  close(service: string): void;
  closeAll(): void;
}

export interface StagedEdge {
  commit(): void;
  abort(): void;
}

export function makeEdges(clock: Clock): Edges {
  const connections = makeConnections(clock);
  const open = new Map<string, Edge>();

  /** The service's own old address may be in the way of the new one: then it goes first, and comes back on `abort`. */
  function stageMove(
    service: string,
    previous: Edge | undefined,
    address: Address,
    target: Upstream,
  ): StagedEdge {
    const inTheWay = previous !== undefined && overlaps(previous.address, address);
    const restore = (): void => {
      if (previous === undefined) open.delete(service);
      else open.set(service, inTheWay ? openEdge(previous.address, previous.target, connections) : previous);
    };
    if (inTheWay) previous.close();
    let edge: Edge;
    try {
      edge = openEdge(address, target, connections);
    } catch (error) {
      restore();
      throw error;
    }
    open.set(service, edge);
    return {
      commit: () => previous?.close(),
      abort() {
        edge.close();
        restore();
      },
    };
  }

  const edges: Edges = {
    check(service, address) {
      checkOthers(open, service, address);
      const own = open.get(service);
      if (own === undefined || !overlaps(own.address, address))
        openEdge(address, NOWHERE, connections).close();
    },
    stage(service, address, target) {
      if (address === undefined || target === undefined)
        return { commit: () => edges.close(service), abort() {} };
      const previous = open.get(service);
      if (previous !== undefined && formatAddress(previous.address) === formatAddress(address))
        return { commit: () => void (previous.target = target), abort() {} };
      checkOthers(open, service, address);
      return stageMove(service, previous, address, target);
    },
    isOpen: (service) => open.has(service),
    drain: (target, timeoutMs, signal) => connections.drain(target, timeoutMs, signal),
    close(service) {
      open.get(service)?.close();
      open.delete(service);
    },
    closeAll() {
      for (const edge of open.values()) edge.close();
      open.clear();
    },
  };
  return edges;
}

// --- internal ---

const NOWHERE: Upstream = { host: "127.0.0.1", port: 0 };

function checkOthers(open: ReadonlyMap<string, Edge>, service: string, address: Address): void {
  for (const [other, edge] of open)
    if (other !== service && overlaps(edge.address, address))
      throw fail(
        "deploy.port_taken",
        `${formatAddress(address)} is taken: service ${other} publishes ${formatAddress(edge.address)}`,
        { details: { address: formatAddress(address), service: other }, hint: "publish another port" },
      );
}
