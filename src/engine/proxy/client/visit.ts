/** One request of a client, as the access log will have it; and what every client's side is given. Called by http1.ts and http2.ts. */
import type { AccessLog } from "../access-log.ts";
import type { Crowd } from "./crowd.ts";
import type { Desk } from "../desk.ts";
import type { RequestHead } from "../http/request-head.ts";
import { plainHost, type Route } from "../routes.ts";
import type { Watch } from "../watch.ts";

export interface ClientDeps {
  readonly desk: Desk;
  readonly watch: Watch;
  readonly crowd: Crowd;
  readonly access: AccessLog;
  /** How long a service may take until its answer begins. */
  readonly responseMs: () => number;
}

export interface ClientPlace {
  readonly remote: string;
  readonly isSecure: boolean;
}

export class Visit {
  status = 0;
  bytesIn = 0;
  bytesOut = 0;
  problem: string | undefined;
  protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2" | "WebSocket";
  readonly #deps: ClientDeps;
  readonly #place: ClientPlace;
  readonly #head: RequestHead;
  readonly #route: Route | undefined;
  readonly #startMs: number;

  constructor(
    deps: ClientDeps,
    place: ClientPlace,
    head: RequestHead,
    route: Route | undefined,
    isHttp2 = false,
  ) {
    this.#deps = deps;
    this.#place = place;
    this.#head = head;
    this.#route = route;
    this.#startMs = deps.watch.now();
    this.protocol = isHttp2 ? "HTTP/2" : head.isModern ? "HTTP/1.1" : "HTTP/1.0";
  }

  end(): void {
    const { access, watch } = this.#deps;
    access.request({
      remote: this.#place.remote,
      protocol: this.protocol,
      isSecure: this.#place.isSecure,
      method: this.#head.method,
      host: plainHost(this.#head.authority),
      path: this.#head.path,
      status: this.status,
      service: this.#route?.service,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      durationMs: Math.round((watch.now() - this.#startMs) * 10) / 10,
      problem: this.problem,
    });
  }
}
