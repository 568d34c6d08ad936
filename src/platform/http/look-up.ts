/**
 * From a target to the addresses that may be connected to: a name is looked up once, its addresses are shown to the caller's rules, and
 * nobody asks again, so nothing can change in between. Called by open-http.ts and by tcp/dial.ts.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { abortable } from "../deadline.ts";
import type { Resolver } from "./resolve.ts";

/** A name in lower case without the last dot, or an address without brackets; and a port. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** True where `host` is an address: there is nothing to look up. */
  readonly isAddress: boolean;
}

/** Those of the addresses that may be connected to; throws where there are none. */
export type Choose<P extends Place> = (place: P, addresses: readonly string[]) => readonly string[];

/** In the order in which they are to be tried. Throws `network.failed`, the signal's reason and what `choose` throws. */
export async function lookUp<P extends Place>(
  resolve: Resolver,
  place: P,
  choose: Choose<P>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const addresses = place.isAddress ? [place.host] : await addressesOf(resolve, place.host, signal);
  return choose(place, addresses).slice(0, LIMITS.connectAttempts);
}

// --- internal ---

async function addressesOf(resolve: Resolver, host: string, signal: AbortSignal): Promise<readonly string[]> {
  const addresses = await abortable(resolve(host, signal), signal).catch((error: unknown) => {
    throw signal.aborted ? error : fail("network.failed", `the name ${host} can't be resolved`);
  });
  // Whoever answers for the name decides how many there are, and each of them is looked at.
  const few = addresses.slice(0, LIMITS.addressesOfName);
  // IPv4 first: a machine without IPv6 refuses at once or never answers, and there is no racing here.
  return few.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}
