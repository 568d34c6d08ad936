/**
 * Where a plugin may go: which hosts its grants open, as they are now, and which addresses nobody may reach. What is refused is told
 * with the one thing that would allow it. Called by net-fetch.ts at each hop and piece, and by net-connect.ts.
 */
import { fail, type VoxError } from "../../base/errors.ts";
import type { AddressPolicy } from "../../platform/http/address-policy.ts";
import type { Place } from "../../platform/http/look-up.ts";
import type { Hop } from "../../platform/http/open-http.ts";
import type { Target } from "../../platform/http/target.ts";
import { denied, outOfScope } from "./denial.ts";
import { isInHostScope } from "./host-scope.ts";
import type { Caller } from "./method.ts";
import { isOwnEndpoint, isPublicEndpoint, type OwnEndpoint } from "./notification-endpoints.ts";

export interface NamedPlace extends Place {
  /** How it is named: `host`, `host:port`. */
  readonly authority: string;
}

/** For fetch, which notify_send opens too. Throws `capability.out_of_scope` or `capability.denied`. */
export function checkFetchReach(
  caller: Caller,
  { target, method }: Hop,
  own: () => readonly OwnEndpoint[],
): void {
  if (isGrantedHost(caller, target)) return;
  const channels = caller.grants.get("notify_send");
  if (channels === null && isPublicEndpoint(target, method)) return;
  // By POST, as channels send: at the same address DELETE may take the hook away.
  if (channels !== undefined && method === "POST") {
    const open = own().filter(({ channel }) => channels === null || channels.includes(channel));
    if (isOwnEndpoint(target, open)) return;
  }
  if (caller.grants.has("network_outbound")) throw notAHost(caller, target);
  if (channels !== undefined) throw notAnEndpoint(caller, target);
  // Revoked while the call was under way.
  throw denied(caller, { name: "net.fetch", anyOf: ["network_outbound", "notify_send"] }, target.authority);
}

/** For connect. Throws `capability.out_of_scope` or `capability.denied`. */
export function checkConnectReach(caller: Caller, place: NamedPlace): void {
  if (isGrantedHost(caller, place)) return;
  if (caller.grants.has("network_outbound")) throw notAHost(caller, place);
  throw denied(caller, { name: "net.connect", anyOf: ["network_outbound"] }, place.authority);
}

/** A name with public and other addresses is used by its public ones; with none, it is refused. */
export function publicOnly(
  caller: Caller,
  policy: AddressPolicy,
  place: NamedPlace,
  addresses: readonly string[],
): readonly string[] {
  const reasons = addresses.map((address) => policy(address, place));
  const open = addresses.filter((_, index) => reasons[index] === undefined);
  if (open.length > 0) return open;
  // The address itself stays unsaid: a plugin must not learn the names of an inner network.
  const host = place.host.includes(":") ? `[${place.host}]` : place.host;
  throw fail(
    "capability.out_of_scope",
    `plugin ${caller.plugin}: ${place.authority} is ${reasons[0] ?? "no address at all"}, and only public addresses can be reached`,
    {
      hint: `if the operator means it: [network] allow_private = ["${host}:${place.port}"] in the daemon's configuration`,
      details: { plugin: caller.plugin },
    },
  );
}

// --- internal ---

function isGrantedHost(caller: Caller, place: Place): boolean {
  const hosts = caller.grants.get("network_outbound");
  return hosts === null || (hosts !== undefined && isInHostScope(hosts, place));
}

function notAHost(caller: Caller, { authority }: NamedPlace): VoxError {
  const hosts = caller.grants.get("network_outbound") ?? [];
  const words = `${authority} is none of the hosts that it may reach (${hosts.join(", ") || "none"})`;
  return outOfScope(caller, "network_outbound", words, authority);
}

function notAnEndpoint(caller: Caller, target: Target): VoxError {
  return outOfScope(
    caller,
    "network_outbound",
    `with notify_send alone, fetch may only POST to notification endpoints (https) and to the operator's own webhook channels; ${target.origin} with this path is none; network_outbound, or a [notify.NAME] channel with that URL, would allow it`,
    target.authority,
  );
}
