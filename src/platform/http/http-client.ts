/**
 * The outbound HTTP client for answers that are wanted whole: one deadline for everything, one bound for the body. Where it may
 * connect and to which address is decided in open-http.ts, by the caller's rules. Used by plugins' fetch (host/capabilities/net-fetch.ts)
 * and by notification channels (engine/notify).
 */
import type { Clock } from "../../base/clock.ts";
import { withDeadline, type Deadline } from "../deadline.ts";
import type { HttpHead, HttpRules, OpenHttp } from "./open-http.ts";
import { joined, type BodyBounds } from "./read-body.ts";
import type { HttpRequest } from "./request.ts";

/**
 * Sends one request and reads the whole answer, whatever its status. Throws `network.failed`, `network.timeout`,
 * `capability.invalid_params` (no such request can be sent) and what `rules` throw. No error tells more of a URL than its origin.
 */
export type HttpClient = (request: HttpRequest, rules: HttpRules, bounds: HttpBounds) => Promise<HttpAnswer>;

/** `timeoutMs` is for everything together: look-up, redirects, body. */
export type HttpBounds = BodyBounds & Deadline;

export interface HttpAnswer extends HttpHead {
  readonly body: Uint8Array;
}

export function makeHttpClient(open: OpenHttp, clock: Clock): HttpClient {
  return (request, rules, bounds) =>
    withDeadline(clock, bounds, async (signal) => {
      const end = new AbortController();
      const { bodyBytes, reserve } = bounds;
      try {
        const both = AbortSignal.any([signal, end.signal]);
        const { head, body } = await open(request, rules, { bodyBytes, reserve, signal: both });
        return { ...head, body: await joined(body) };
      } finally {
        // Where it failed half-way, the connection is still there.
        end.abort();
      }
    });
}
