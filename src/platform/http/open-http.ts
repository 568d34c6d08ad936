/**
 * The one power to make an HTTP request. A name is looked up once, its addresses are shown to the caller's rules, and the
 * connection goes to an address that passed, so nothing can change in between; a redirect goes through the same. No cookies, no
 * proxies from the environment, no connection shared between two requests. Used by http-client.ts and by plugins' streamed fetch.
 */
import { fail, systemCode } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { connectionProblem, isUnconnected } from "../connection-problems.ts";
import { cancelled } from "../deadline.ts";
import { lookUp, type Choose } from "./look-up.ts";
import { openBody, type BodyBounds } from "./read-body.ts";
import { checkRequest, redirected, type HeaderPair, type HttpRequest } from "./request.ts";
import type { Resolver } from "./resolve.ts";
import { parseTarget, type Target } from "./target.ts";

/**
 * Sends one request and settles when the head of the last answer is there, whatever its status. The signal ends everything, the
 * body too: whoever calls aborts it in the end, come what may. Throws `network.failed`, `capability.invalid_params` (no such request can be sent), the signal's reason and what `rules`
 * throw. No error tells more of a URL than its origin.
 */
export type OpenHttp = (
  request: HttpRequest,
  rules: HttpRules,
  bounds: BodyBounds & { readonly signal: AbortSignal },
) => Promise<HttpExchange>;

export interface HttpRules {
  readonly redirect: "follow" | "manual" | "error";
  /** Throws where this hop may not be made. Asked before any look-up, again at each redirect. */
  readonly check: (hop: Hop) => void;
  readonly choose: Choose<Target>;
}

export interface Hop {
  readonly target: Target;
  readonly method: string;
}

export interface HttpHead {
  /** Of the last hop, without fragment. */
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly HeaderPair[];
  readonly redirected: boolean;
}

export interface HttpExchange {
  readonly head: HttpHead;
  /** Where the last hop went. */
  readonly hop: Hop;
  readonly address: string;
  /** Unpacked, in pieces, no faster than it is read. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HttpPowers {
  readonly resolve: Resolver;
  /** Certificates (PEM) to trust instead of the system's; for tests. */
  readonly ca?: string;
}

export function makeHttpOpener(powers: HttpPowers): OpenHttp {
  return async (request, rules, bounds) => {
    const { signal } = bounds;
    const first = checkRequest(request);
    try {
      return await travel(powers, first, rules, bounds);
    } catch (error) {
      throw signal.aborted ? cancelled(signal.reason) : error;
    }
  };
}

// --- internal ---

async function travel(
  powers: HttpPowers,
  first: HttpRequest,
  rules: HttpRules,
  bounds: BodyBounds & { readonly signal: AbortSignal },
): Promise<HttpExchange> {
  let request = first;
  for (let hops = 0; ; hops++) {
    const target = parseTarget(request.url);
    const hop = { target, method: request.method };
    rules.check(hop);
    const addresses = await lookUp(powers.resolve, target, rules.choose, bounds.signal);
    const { response, address } = await connect(powers, target, addresses, request, bounds.signal);
    const next =
      rules.redirect === "manual"
        ? undefined
        : redirected(request, target, response.status, response.headers.get("location"));
    if (next === undefined) return { address, ...(await exchangeOf(response, hop, hops > 0, bounds)) };
    await response.body?.cancel();
    if (rules.redirect === "error") throw fail("network.failed", `${target.origin} answers with a redirect`);
    if (hops === LIMITS.fetchRedirects)
      throw fail(
        "network.failed",
        `more than ${LIMITS.fetchRedirects} redirects, the last from ${target.origin}`,
      );
    request = next;
  }
}

/** Tries the next address only where no connection came about: a request is never sent twice. */
async function connect(
  powers: HttpPowers,
  target: Target,
  addresses: readonly string[],
  request: HttpRequest,
  signal: AbortSignal,
): Promise<{ readonly response: Response; readonly address: string }> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return { response: await fetch(...fetchArguments(powers, target, address, request, signal)), address };
    } catch (error) {
      failure = error;
      if (signal.aborted || !isUnconnected(error)) break;
    }
  }
  const code = systemCode(failure) ?? "";
  const { words: problem, lasting } = connectionProblem(code) ?? {
    words: PROBLEMS[code] ?? "the request failed",
    lasting: false,
  };
  throw fail("network.failed", `${target.origin}: ${problem}`, { details: { problem, lasting } });
}

function fetchArguments(
  powers: HttpPowers,
  target: Target,
  address: string,
  request: HttpRequest,
  signal: AbortSignal,
): [string, BunFetchRequestInit] {
  const headers = new Headers([["user-agent", "voxeltron"]]);
  const named = new Set<string>();
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase();
    if (named.has(key)) headers.append(key, value);
    else headers.set(key, value);
    named.add(key);
  }
  headers.set("host", target.authority);
  const tls = {
    rejectUnauthorized: true,
    ...(target.isAddress ? {} : { serverName: target.host }),
    ...(powers.ca === undefined ? {} : { ca: powers.ca }),
  };
  const place = address.includes(":") ? `[${address}]` : address;
  return [
    `${target.scheme}://${place}:${target.port}${target.path}`,
    {
      method: request.method,
      headers,
      signal,
      redirect: "manual",
      // Each of these switches off a default of Bun's that would reach elsewhere or keep more than the rules looked at.
      proxy: false,
      keepalive: false,
      decompress: false,
      verbose: false,
      ...(target.scheme === "https" ? { tls, protocol: "http1.1" as const } : {}),
      ...(request.body === undefined ? {} : { body: request.body }),
    },
  ];
}

async function exchangeOf(
  response: Response,
  hop: Hop,
  wasRedirected: boolean,
  bounds: BodyBounds,
): Promise<Omit<HttpExchange, "address">> {
  const { target } = hop;
  const headers: HeaderPair[] = [...response.headers];
  const size = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > LIMITS.fetchHeaderBytes) {
    await response.body?.cancel();
    throw fail(
      "network.failed",
      `${target.origin}: the answer's headers are larger than ${LIMITS.fetchHeaderBytes} bytes`,
    );
  }
  const body = openBody(response, hop, bounds);
  return {
    hop,
    head: {
      url: target.origin + target.path,
      status: response.status,
      statusText: printable(response.statusText),
      headers: body.decoded ? headers.filter(([name]) => !ENCODED.has(name)) : headers,
      redirected: wasRedirected,
    },
    body: body.pieces,
  };
}

/** They describe the bytes on the wire, not those that the caller gets. */
const ENCODED = new Set(["content-encoding", "content-length"]);

/** Those that only HTTP has. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNRESET: "the connection was closed before an answer came",
  Malformed_HTTP_Response: "the answer is no HTTP",
  ResponseHeadersTooLarge: "the answer's headers are too large",
  UnrequestedUpgrade: "the answer changes to another protocol",
};
