/**
 * Which provider runs what, by its name and its server. Providers may come and go while the daemon runs: who holds a `Place` asks anew.
 * Decides nothing. Composed by the daemon; called by everything that runs instances.
 */
import { fail } from "../../base/errors.ts";
import { nameAdvice, quote } from "../../base/text.ts";
import type { Provider } from "./provider.ts";

export interface Providers {
  /** Throws `provider.unknown`, `server.unknown`, `provider.unsupported` where the provider does not run on that server. */
  of(place: Place): Provider;
  find(place: Place): Provider | undefined;
  /** All that there are now, of this machine first. */
  all(): readonly Provider[];
}

/** Where an instance runs: kept with everything that has one. */
export interface Place {
  readonly provider: string;
  /** `local`: the daemon's own machine. */
  readonly server: string;
}

export const LOCAL = "local";

/** `list` is asked each time. */
export function makeProviders(list: () => readonly Provider[]): Providers {
  const find = (place: Place): Provider | undefined =>
    list().find(({ name, server }) => name === place.provider && server === place.server);
  return {
    all: list,
    find,
    of(place) {
      const found = find(place);
      if (found !== undefined) return found;
      throw missing(place, list());
    },
  };
}

/** `docker`, or `docker on build-2`. */
export function placeText({ provider, server }: Place): string {
  return server === LOCAL ? provider : `${provider} on ${server}`;
}

export function placeOf({ name, server }: Provider): Place {
  return { provider: name, server };
}

export function samePlace(one: Place, other: Place): boolean {
  return one.provider === other.provider && one.server === other.server;
}

// --- internal ---

function missing({ provider, server }: Place, all: readonly Provider[]): Error {
  const servers = new Set(all.map((each) => each.server));
  if (!servers.has(server))
    return fail("server.unknown", `no server is called ${quote(server)}`, {
      hint: nameAdvice(server, [...servers]),
    });
  const there = all.filter((each) => each.server === server).map(({ name }) => name);
  if (all.some(({ name }) => name === provider))
    return fail("provider.unsupported", `${provider} does not run on the server ${server}`, {
      hint: `there it can be: ${there.join(", ")}`,
    });
  return fail("provider.unknown", `no provider is called ${quote(provider)}`, {
    hint: nameAdvice(provider, there),
  });
}
