/**
 * The outbound HTTP client for answers that are wanted whole: one deadline for everything, one bound for the body. Where it may
 * connect and to which address is decided in open-http.ts, by the caller's rules. Used by plugins' fetch (host/capabilities/net.ts)
 * and by notification channels (engine/notify).
 */
import type { Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import { cancelled, type HttpHead, type HttpRules, type OpenHttp } from "./open-http.ts";
import { joined, type BodyBounds } from "./read-body.ts";
import type { HttpRequest } from "./request.ts";

/**
 * Sends one request and reads the whole answer, whatever its status. Throws `network.failed`, `network.timeout`,
 * `capability.invalid_params` (no such request can be sent) and what `rules` throw. No error tells more of a URL than its origin.
 */
export type HttpClient = (request: HttpRequest, rules: HttpRules, bounds: HttpBounds) => Promise<HttpAnswer>;

export interface HttpBounds extends BodyBounds {
  /** For everything together: look-up, redirects, body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer extends HttpHead {
  readonly body: Uint8Array;
}

export function makeHttpClient(open: OpenHttp, clock: Clock): HttpClient {
  return async (request, rules, { timeoutMs, signal: stop, ...bounds }) => {
    const deadline = new AbortController();
    const cancel = clock.after(timeoutMs, () =>
      deadline.abort(fail("network.timeout", `no complete answer within ${timeoutMs / 1000} s`)),
    );
    const signal = stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]);
    try {
      const { head, body } = await open(request, rules, { ...bounds, signal });
      return { ...head, body: await joined(body) };
    } catch (error) {
      throw signal.aborted ? cancelled(signal) : error;
    } finally {
      cancel();
      // Where it failed half-way, the connection is still there.
      deadline.abort();
    }
  };
}
