/**
 * `net.fetch`: one request and its answer, whole or as it comes. A small answer that is there at once is whole in either case, so it
 * costs one message. Called by net.ts.
 */
import * as v from "valibot";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { makeHttpClient, type HttpClient } from "../../platform/http/http-client.ts";
import type { HttpExchange, HttpRules } from "../../platform/http/open-http.ts";
import type { HttpRequest } from "../../platform/http/request.ts";
import { parseTarget, type Target } from "../../platform/http/target.ts";
import { makeAllowances, type Lease } from "./allowance.ts";
import { bytesSchema, wireBytes } from "./bytes.ts";
import { takeFirstBytes } from "./first-bytes.ts";
import { method, type Caller, type Method } from "./method.ts";
import type { NetOptions } from "./net-options.ts";
import { checkFetchReach, publicOnly } from "./reach.ts";
import type { CallStreams } from "./streams.ts";
import { makeTransfer, type Transfer } from "./transfer.ts";

/**
 * `net.fetch {url, method?, headers?: [name, value][], body?: {$b64}, redirect?, stream?}` →
 * `{url, status, statusText, headers: [name, value][], redirected}` with `body: {$b64}`, or with `stream: handle` where `stream` was
 * wanted and the body is not there at once.
 *
 * Rejects with `capability.out_of_scope` (host, address or port that is not open to it), `capability.invalid_params`,
 * `capability.limit`, `network.failed`, `network.timeout`.
 */
export function fetchMethod(options: NetOptions): Method {
  const allowanceOf = makeAllowances({ places: LIMITS.fetchConcurrent, bytes: LIMITS.fetchHeldBytes });
  const http = makeHttpClient(options.openHttp, options.clock);
  return method({
    name: "net.fetch",
    args: "object",
    surface: "hidden",
    anyOf: ["network_outbound", "notify_send"],
    params: fetchParams,
    target: ({ url, method }) => `${method.toUpperCase()} ${readTarget(url)?.origin ?? "an unreadable URL"}`,
    scope: ({ url }) => readTarget(url)?.authority,
    check: (caller, { url, method }) =>
      checkFetchReach(
        caller,
        { target: parseTarget(url), method: method.toUpperCase() },
        options.ownEndpoints,
      ),
    async run(caller, { redirect, stream, ...request }, signal, streams) {
      const lease = await allowanceOf(caller.plugin).enter(signal);
      const call: FetchCall = { caller, request, rules: rulesFor(options, caller, redirect), lease, signal };
      try {
        lease.hold(request.body?.byteLength ?? 0);
        return await (stream ? asItComes(options, call, streams) : whole(http, call));
      } catch (error) {
        lease.leave();
        throw error;
      }
    },
  });
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
  stream: v.optional(v.boolean(), false),
});

interface FetchCall {
  readonly caller: Caller;
  readonly request: HttpRequest;
  readonly rules: HttpRules;
  readonly lease: Lease;
  readonly signal: AbortSignal;
}

function rulesFor(options: NetOptions, caller: Caller, redirect: HttpRules["redirect"]): HttpRules {
  return {
    redirect,
    check: (hop) => checkFetchReach(caller, hop, options.ownEndpoints),
    choose: (target, addresses) => publicOnly(caller, options.addressPolicy(), target, addresses),
  };
}

async function whole(http: HttpClient, call: FetchCall): Promise<unknown> {
  const { lease, signal } = call;
  const answer = await http(call.request, call.rules, {
    timeoutMs: LIMITS.fetchMs,
    bodyBytes: LIMITS.fetchBodyBytes,
    reserve: (bytes) => lease.hold(bytes),
    signal,
  });
  lease.leave();
  return { ...answer, body: wireBytes(answer.body) };
}

async function asItComes(options: NetOptions, call: FetchCall, streams: CallStreams): Promise<unknown> {
  const { clock } = options;
  const transfer = makeTransfer(clock, {
    idleMs: LIMITS.transferIdleMs,
    totalMs: LIMITS.fetchStreamMs,
    what: `the answer of ${parseTarget(call.request.url).authority}`,
    ended: () => call.lease.leave(),
  });
  const unfollow = transfer.follow(call.signal);
  try {
    const { head, hop, address, body } = await opened(options, call, transfer);
    const start = await takeFirstBytes(body, FIRST, clock);
    transfer.signal.throwIfAborted();
    if ("whole" in start) {
      transfer.end();
      return { ...head, body: wireBytes(start.whole) };
    }
    const stream = await streams.start((signal) => {
      unfollow();
      transfer.follow(signal);
      const check = (): void => {
        call.rules.check(hop);
        // The operator may have taken it out of his list.
        publicOnly(call.caller, options.addressPolicy(), hop.target, [address]);
      };
      return { check, ...transfer.items(start.rest, check) };
    });
    return { ...head, stream };
  } catch (error) {
    const reason: unknown = transfer.signal.aborted ? transfer.signal.reason : error;
    transfer.end();
    throw reason;
  }
}

/** Settles with the head, which has to come as soon as a whole answer would. */
async function opened(options: NetOptions, call: FetchCall, transfer: Transfer): Promise<HttpExchange> {
  const cancel = options.clock.after(LIMITS.fetchMs, () =>
    transfer.end(fail("network.timeout", `no answer within ${LIMITS.fetchMs / 1000} s`)),
  );
  try {
    return await options.openHttp(call.request, call.rules, {
      bodyBytes: LIMITS.fetchStreamBytes,
      signal: transfer.signal,
    });
  } finally {
    cancel();
  }
}

/** What is not larger, and comes as soon after its head, is not worth a stream. */
const FIRST = { bytes: LIMITS.fetchFirstBytes, ms: LIMITS.fetchFirstMs };

function readTarget(url: string): Target | undefined {
  try {
    return parseTarget(url);
  } catch {
    return undefined;
  }
}
