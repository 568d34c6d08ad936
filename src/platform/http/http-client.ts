/**
 * The one outbound HTTP client: it alone holds the power to connect. A name is looked up once, its addresses are shown to
 * the caller's rules, and the connection goes to an address that passed, so nothing can change in between; a redirect goes
 * through the same. No cookies, no proxies from the environment, no connection shared between two requests, every answer
 * bounded. Used by plugins' fetch (host/capabilities/net.ts) and by notification channels (engine/notify).
 */
import type { Clock } from "../../base/clock.ts";
import { fail, isVoxError, systemCode } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { connectionProblem } from "../connection-problems.ts";
import { abortable, withDeadline } from "../deadline.ts";
import { readBody, type Body, type BodyBounds } from "./read-body.ts";
import { checkRequest, redirected, type HeaderPair, type HttpRequest } from "./request.ts";
import type { Resolver } from "./resolve.ts";
import { parseTarget, type Target } from "./target.ts";

/**
 * Sends one request and reads the whole answer, whatever its status. Throws `network.failed`, `network.timeout`,
 * `capability.invalid_params` (no such request can be sent) and what `rules` throw. No error tells more of a URL than its origin.
 */
export type HttpClient = (request: HttpRequest, rules: HttpRules, bounds: HttpBounds) => Promise<HttpAnswer>;

export interface HttpRules {
  readonly redirect: "follow" | "manual" | "error";
  /** Throws where this hop may not be made. Asked before any look-up, again at each redirect. */
  readonly check: (hop: Hop) => void;
  /** Those of the addresses that may be connected to; throws where there are none. */
  readonly choose: (target: Target, addresses: readonly string[]) => readonly string[];
}

export interface Hop {
  readonly target: Target;
  readonly method: string;
}

export interface HttpBounds extends BodyBounds {
  /** For everything together: look-up, redirects, body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  /** Of the last hop, without fragment. */
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly HeaderPair[];
  readonly body: Uint8Array;
  readonly redirected: boolean;
}

export interface HttpPowers {
  readonly resolve: Resolver;
  readonly clock: Clock;
  /** Certificates (PEM) to trust instead of the system's; for tests. */
  readonly ca?: string;
}

export function makeHttpClient(powers: HttpPowers): HttpClient {
  return async (request, rules, bounds) => {
    const first = checkRequest(request);
    return withDeadline(powers.clock, bounds, (signal) => travel(powers, first, rules, bounds, signal));
  };
}

// --- internal ---

async function travel(
  powers: HttpPowers,
  first: HttpRequest,
  rules: HttpRules,
  bounds: HttpBounds,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  let request = first;
  for (let hops = 0; ; hops++) {
    const target = parseTarget(request.url);
    rules.check({ target, method: request.method });
    const addresses = rules.choose(target, await addressesOf(powers, target, signal));
    const response = await connect(powers, target, addresses, request, signal);
    const next = redirected(request, target, response.status, response.headers.get("location"));
    if (next === undefined || rules.redirect === "manual")
      return await answerOf(response, target, hops > 0, bounds);
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

async function addressesOf(
  powers: HttpPowers,
  target: Target,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (target.isAddress) return [target.host];
  const addresses = await abortable(powers.resolve(target.host), signal).catch((error: unknown) => {
    throw signal.aborted ? error : fail("network.failed", `the name ${target.host} can't be resolved`);
  });
  // IPv4 first: a machine without IPv6 refuses at once or never answers, and there is no racing here.
  return addresses.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}

/** Tries the next address only where no connection came about: a request is never sent twice. */
async function connect(
  powers: HttpPowers,
  target: Target,
  addresses: readonly string[],
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Response> {
  let failure: unknown;
  for (const address of addresses.slice(0, LIMITS.connectAttempts)) {
    try {
      return await fetch(...fetchArguments(powers, target, address, request, signal));
    } catch (error) {
      failure = error;
      if (signal.aborted || !UNCONNECTED.has(codeOf(error))) break;
    }
  }
  const code = codeOf(failure);
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

async function answerOf(
  response: Response,
  target: Target,
  wasRedirected: boolean,
  bounds: HttpBounds,
): Promise<HttpAnswer> {
  const headers: HeaderPair[] = [...response.headers];
  const size = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > LIMITS.fetchHeaderBytes) {
    await response.body?.cancel();
    throw fail(
      "network.failed",
      `${target.origin}: the answer's headers are larger than ${LIMITS.fetchHeaderBytes} bytes`,
    );
  }
  const body = await bodyOf(response, target, bounds);
  return {
    url: target.origin + target.path,
    status: response.status,
    statusText: printable(response.statusText),
    headers: body.decoded ? headers.filter(([name]) => !ENCODED.has(name)) : headers,
    body: body.bytes,
    redirected: wasRedirected,
  };
}

async function bodyOf(response: Response, target: Target, bounds: HttpBounds): Promise<Body> {
  if (bounds.bodyBytes === 0) {
    await response.body?.cancel();
    return { bytes: new Uint8Array(), decoded: false };
  }
  return readBody(response, bounds).catch((error: unknown) => {
    throw isVoxError(error) ? error : fail("network.failed", `${target.origin}: the answer broke off`);
  });
}

/** They describe the bytes on the wire, not those that the caller gets. */
const ENCODED = new Set(["content-encoding", "content-length"]);

/** Bun's own messages hold the whole URL: only the code is used. */
function codeOf(error: unknown): string {
  return systemCode(error) ?? "";
}

const UNCONNECTED = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EINVAL",
  "ETIMEDOUT",
]);

/** Those that only HTTP has. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNRESET: "the connection was closed before an answer came",
  Malformed_HTTP_Response: "the answer is no HTTP",
  ResponseHeadersTooLarge: "the answer's headers are too large",
  UnrequestedUpgrade: "the answer changes to another protocol",
};
