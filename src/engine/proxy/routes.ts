/**
 * Which service answers for a host and a path. Follows what the state says is live, service by service and at once, so that from the
 * moment of a switch on no new request leads to the old version. Asked for every request; told by the deploys and the services.
 */
import type { ServiceState } from "../../state/service-state.ts";
import { findLive, upstreamOf } from "../live.ts";
import type { Upstream } from "../providers/provider.ts";

export interface Routes {
  /** Something about the service has changed: its live version, whether it should run, whether it is there at all. */
  follow(service: string): void;
  /** `host` as a client says it: with a port or without, in any case. */
  find(host: string, path: string): Route | undefined;
}

export interface Route {
  readonly service: string;
  /** As it was deployed: `app.example.org`, `*.example.org`, `example.org/api`. */
  readonly domain: string;
  /** Undefined where the service is stopped, or listens nowhere. */
  readonly upstream: Upstream | undefined;
}

export function makeRoutes(state: Pick<ServiceState, "services" | "versions">): Routes {
  const ofService = new Map<string, readonly Route[]>();
  let table: ReadonlyMap<string, readonly PathRoute[]> = new Map();

  return {
    follow(service) {
      const routes = routesOf(service, state);
      if (routes.length === 0 && !ofService.has(service)) return;
      if (routes.length === 0) ofService.delete(service);
      else ofService.set(service, routes);
      table = tableOf([...ofService.values()].flat());
    },
    find(host, path) {
      const name = plainHost(host);
      const exact = table.get(name);
      return (exact && longest(exact, path)) ?? longest(table.get(wildcardOf(name)) ?? [], path);
    },
  };
}

/** The host part of a domain, with its star where it has one. */
export function hostOfDomain(domain: string): string {
  const slash = domain.indexOf("/");
  return slash < 0 ? domain : domain.slice(0, slash);
}

/** As it is compared: in lower case, without a port and without the last dot. */
export function plainHost(host: string): string {
  const known = plain.get(host);
  if (known !== undefined) return known;
  const colon = host.indexOf(":");
  const name = (colon < 0 ? host : host.slice(0, colon)).toLowerCase();
  const found = name.endsWith(".") ? name.slice(0, -1) : name;
  if (plain.size < PLAIN_MOST) plain.set(host, found);
  return found;
}

// --- internal ---

/** Hosts as clients said them lately; there are few, unless somebody makes them up. */
const plain = new Map<string, string>();
const PLAIN_MOST = 1_000;

interface PathRoute {
  /** Without a slash at its end; empty for all paths. */
  readonly prefix: string;
  readonly route: Route;
}

function routesOf(name: string, state: Pick<ServiceState, "services" | "versions">): readonly Route[] {
  const service = state.services.find(name);
  const live = findLive(state, service);
  if (service === undefined || live === undefined) return [];
  const upstream = service.desired === "running" ? upstreamOf(live.row) : undefined;
  return live.spec.domains.map((domain) => ({ service: name, domain, upstream }));
}

/** By host; the longest path first. */
function tableOf(routes: readonly Route[]): ReadonlyMap<string, readonly PathRoute[]> {
  const table = new Map<string, PathRoute[]>();
  for (const route of routes) {
    const host = hostOfDomain(route.domain);
    const entries = table.get(host) ?? [];
    entries.push({ prefix: route.domain.slice(host.length), route });
    table.set(host, entries);
  }
  for (const entries of table.values()) entries.sort((a, b) => b.prefix.length - a.prefix.length);
  return table;
}

/** `/api` is for `/api` and what lies below, not for `/apis`. */
function longest(entries: readonly PathRoute[], path: string): Route | undefined {
  return entries.find(
    ({ prefix }) =>
      prefix === "" || path === prefix || (path.startsWith(prefix) && path[prefix.length] === "/"),
  )?.route;
}

/** A star stands for one label, as in certificates. */
function wildcardOf(name: string): string {
  const dot = name.indexOf(".");
  return dot < 0 ? "" : `*${name.slice(dot)}`;
}
