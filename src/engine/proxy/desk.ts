/**
 * Decides what becomes of a request: which instance gets it, or what is answered instead. Knows no connection. Asked by the
 * clients' side, for each request.
 */
import type { Challenge, Certificates } from "./certificates.ts";
import type { RequestHead } from "./http/request-head.ts";
import { plainHost, type Route, type Routes } from "./routes.ts";
import type { Place, Pool } from "./upstream/pool.ts";

export interface Desk {
  decide(head: RequestHead, isSecure: boolean): Decision;
}

export interface Decision {
  readonly route: Route | undefined;
  /** Where it goes; without one there is an answer. */
  readonly place: Place | undefined;
  readonly answer: OwnAnswer | undefined;
}

/** An answer of the proxy's own: short and plain. */
export interface OwnAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export interface DeskDeps {
  readonly routes: Pick<Routes, "find">;
  readonly pool: Pick<Pool, "place" | "isFull">;
  readonly certificates: Pick<Certificates, "find">;
  readonly challenge: Challenge;
  /** The port for encrypted requests; undefined where there is none. */
  readonly securePort: () => number | undefined;
}

export function makeDesk(deps: DeskDeps): Desk {
  const { routes, pool, certificates, challenge, securePort } = deps;

  /** Undefined where the request is answered as it came. */
  function elsewhere(head: RequestHead): OwnAnswer | undefined {
    const port = securePort();
    const host = plainHost(head.authority);
    if (port === undefined || head.path.startsWith(CHALLENGES) || certificates.find(host) === undefined)
      return undefined;
    const location = `https://${host}${port === 443 ? "" : `:${port}`}${head.target === "*" ? "/" : head.target}`;
    return { status: 308, text: `this is at ${location}\n`, headers: [["Location", location]] };
  }

  return {
    decide(head, isSecure) {
      const token = challengeToken(head, isSecure);
      const proof = token === undefined ? undefined : challenge(token);
      if (proof !== undefined) return answered(undefined, { status: 200, text: proof });
      const route = routes.find(head.authority, head.path);
      if (route === undefined) return answered(undefined, UNKNOWN);
      const moved = isSecure ? undefined : elsewhere(head);
      if (moved !== undefined) return answered(route, moved);
      if (route.upstream === undefined) return answered(route, UNAVAILABLE);
      if (pool.isFull()) return answered(route, UNAVAILABLE);
      return { route, place: pool.place(route.upstream), answer: undefined };
    },
  };
}

/** What a client is told where there is no answer of a service's. The reason is for the log: it may name what nobody outside should know. */
export function problem(status: number, reason?: string): OwnAnswer {
  const text = `${status} ${WORDS[status] ?? "refused"}${status < 500 && reason !== undefined ? `: ${reason}` : ""}\n`;
  return status === 503 ? { status, text, headers: [["Retry-After", "1"]] } : { status, text };
}

// --- internal ---

const CHALLENGES = "/.well-known/acme-challenge/";

const WORDS: Readonly<Record<number, string>> = {
  400: "the request can't be understood",
  404: "no service answers for this host",
  405: "the method is not allowed",
  408: "the request came too slowly",
  414: "the address is too long",
  429: "too many connections",
  431: "the headers are too large",
  501: "not implemented",
  502: "the service gave no answer that can be used",
  503: "the service is not available",
  504: "the service did not answer in time",
  505: "this version of HTTP is not spoken here",
};

const UNKNOWN = problem(404);
const UNAVAILABLE = problem(503);

function answered(route: Route | undefined, answer: OwnAnswer): Decision {
  return { route, place: undefined, answer };
}

function challengeToken({ method, path }: RequestHead, isSecure: boolean): string | undefined {
  if (isSecure || (method !== "GET" && method !== "HEAD") || !path.startsWith(CHALLENGES)) return undefined;
  return path.slice(CHALLENGES.length);
}
