/**
 * The network family: `net.fetch`, which the guest knows as the global `fetch`. It decides where a plugin may go, by its
 * grants as they are at each hop; the client below it holds the connection. Called by catalogue.ts.
 */
import * as v from "valibot";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { AddressPolicy } from "../../platform/http/address-policy.ts";
import type { HttpClient, Hop } from "../../platform/http/http-client.ts";
import { parseTarget, type Target } from "../../platform/http/target.ts";
import { makeAllowance, type Allowance } from "./allowance.ts";
import { bytesSchema, wireBytes } from "./bytes.ts";
import { denied, outOfScope } from "./denial.ts";
import { isInHostScope } from "./host-scope.ts";
import { method, type Caller, type Method } from "./method.ts";
import { isOwnEndpoint, isPublicEndpoint, type OwnEndpoint } from "./notification-endpoints.ts";

export interface NetOptions {
  readonly http: HttpClient;
  /** Asked at each connection, so that a reload of the configuration counts. */
  readonly addressPolicy: () => AddressPolicy;
  /** The operator's own webhooks, which notify_send opens too. */
  readonly ownEndpoints: () => readonly OwnEndpoint[];
}

/**
 * `net.fetch {url, method?, headers?: [name, value][], body?: {$b64}, redirect?}` →
 * `{url, status, statusText, headers: [name, value][], body: {$b64}, redirected}`.
 *
 * Rejects with `capability.out_of_scope` (host, address or port that is not open to it), `capability.invalid_params`,
 * `capability.limit`, `network.failed`, `network.timeout`.
 */
export function netMethods(options: NetOptions): readonly Method[] {
  const allowances = new Map<string, Allowance>();
  function allowanceOf(plugin: string): Allowance {
    const found = allowances.get(plugin);
    if (found !== undefined) return found;
    const made = makeAllowance({ places: LIMITS.fetchConcurrent, bytes: LIMITS.fetchHeldBytes });
    allowances.set(plugin, made);
    return made;
  }

  return [
    method({
      name: "net.fetch",
      args: "object",
      surface: "hidden",
      anyOf: ["network_outbound", "notify_send"],
      params: fetchParams,
      target: ({ url, method }) =>
        `${method.toUpperCase()} ${readTarget(url)?.origin ?? "an unreadable URL"}`,
      scope: ({ url }) => readTarget(url)?.authority,
      async run(caller, { redirect, ...request }, signal) {
        const lease = await allowanceOf(caller.plugin).enter(signal);
        try {
          lease.hold(request.body?.byteLength ?? 0);
          const answer = await options.http(
            request,
            {
              redirect,
              check: (hop) => checkReach(caller, hop, options.ownEndpoints()),
              choose: (target, addresses) => publicOnly(caller, options.addressPolicy(), target, addresses),
            },
            {
              timeoutMs: LIMITS.fetchMs,
              bodyBytes: LIMITS.fetchBodyBytes,
              reserve: (bytes) => lease.hold(bytes),
              signal,
            },
          );
          return { ...answer, body: wireBytes(answer.body) };
        } finally {
          lease.leave();
        }
      },
    }),
  ];
}

// --- internal ---

/** Asked before the pairs are looked at: a message has room for a million. */
const fewPairs = v.custom<unknown[]>(
  (value) => Array.isArray(value) && value.length <= LIMITS.fetchHeaders,
  `at most ${LIMITS.fetchHeaders} pairs [name, value]`,
);

const fetchParams = v.strictObject({
  url: v.string(),
  method: v.optional(v.pipe(v.string(), v.maxLength(20)), "GET"),
  headers: v.optional(v.pipe(fewPairs, v.array(v.strictTuple([v.string(), v.string()]))), []),
  body: v.optional(bytesSchema),
  redirect: v.optional(v.picklist(["follow", "manual", "error"]), "follow"),
});

function checkReach(caller: Caller, { target, method }: Hop, own: readonly OwnEndpoint[]): void {
  const hosts = caller.grants.get("network_outbound");
  if (hosts === null || (hosts !== undefined && isInHostScope(hosts, target))) return;
  const channels = caller.grants.get("notify_send");
  if (channels === null && isPublicEndpoint(target, method)) return;
  if (channels !== undefined) {
    const open = own.filter(({ channel }) => channels === null || channels.includes(channel));
    if (isOwnEndpoint(target, open)) return;
  }
  if (hosts !== undefined)
    throw outOfScope(
      caller,
      "network_outbound",
      `${target.authority} is none of the hosts that it may reach (${hosts.join(", ") || "none"})`,
      target.authority,
    );
  if (channels !== undefined) throw notAnEndpoint(caller, target);
  // Revoked while the call was under way.
  throw denied(caller, { name: "net.fetch", anyOf: ["network_outbound", "notify_send"] }, target.authority);
}

function notAnEndpoint(caller: Caller, target: Target): VoxError {
  return outOfScope(
    caller,
    "network_outbound",
    `with notify_send alone, fetch may only POST to notification endpoints (https) and to the operator's own webhook channels; ${target.origin} with this path is none; network_outbound, or a [notify.NAME] channel with that URL, would allow it`,
    target.authority,
  );
}

/** A name with public and other addresses is used by its public ones; with none, it is refused. */
function publicOnly(
  caller: Caller,
  policy: AddressPolicy,
  target: Target,
  addresses: readonly string[],
): readonly string[] {
  const reasons = addresses.map((address) => policy(address, target));
  const open = addresses.filter((_, index) => reasons[index] === undefined);
  if (open.length > 0) return open;
  // The address itself stays unsaid: a plugin must not learn the names of an inner network.
  const place = target.host.includes(":") ? `[${target.host}]` : target.host;
  throw fail(
    "capability.out_of_scope",
    `plugin ${caller.plugin}: ${target.authority} is ${reasons[0] ?? "no address at all"}, and only public addresses can be reached`,
    {
      hint: `if the operator means it: [network] allow_private = ["${place}:${target.port}"] in the daemon's configuration`,
      details: { plugin: caller.plugin },
    },
  );
}

function readTarget(url: string): Target | undefined {
  try {
    return parseTarget(url);
  } catch {
    return undefined;
  }
}
