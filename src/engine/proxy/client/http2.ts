/**
 * Clients that speak HTTP/2, which they agree on while the connection is encrypted. The runtime reads the frames; each stream becomes a
 * request like any other. A connection that gives up requests as fast as it can is cut. Called by proxy.ts.
 */
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import { LIMITS } from "../../../base/limits.ts";
import { NEVER, type Watch, type Watched } from "../watch.ts";
import type { Guest } from "./crowd.ts";
import { serveStream } from "./http2-stream.ts";
import type { ClientDeps, ClientPlace } from "./visit.ts";

export type ServeHttp2 = (socket: TLSSocket, place: ClientPlace) => void;

export function makeHttp2(deps: ClientDeps): ServeHttp2 {
  const server = createServer({
    settings: { maxConcurrentStreams: LIMITS.proxyStreams, maxHeaderListSize: LIMITS.proxyHeadBytes },
  });
  let arriving: ClientPlace | undefined;

  server.on("session", (session: ServerHttp2Session) => {
    const place = arriving;
    if (place === undefined) return session.destroy();
    const guard = new SessionGuard(session, deps.watch);
    if (!deps.crowd.enter(guard)) {
      guard.close();
      return session.destroy();
    }
    // What is wrong with a connection ends it, and is nobody's news.
    session.on("error", () => session.destroy());
    session.on("stream", (stream: ServerHttp2Stream, headers, flags) => {
      guard.begins();
      stream.once("close", () => guard.ends(stream.rstCode === CANCELLED));
      serveStream(stream, { headers, isWhole: (flags & END_STREAM) !== 0 }, place, deps);
    });
    session.on("close", () => {
      guard.close();
      deps.crowd.leave(guard);
    });
  });

  return (socket, place) => {
    arriving = place;
    server.emit("connection", socket);
    arriving = undefined;
  };
}

// --- internal ---

const END_STREAM = 1;
const CANCELLED = 8;

/** Ends a session on which nothing is asked, or too much is given up. */
class SessionGuard implements Watched, Guest {
  deadlineMs: number;
  readonly #session: ServerHttp2Session;
  readonly #watch: Watch;
  #streams = 0;
  #resets = 0;
  #windowMs: number;

  constructor(session: ServerHttp2Session, watch: Watch) {
    this.#session = session;
    this.#watch = watch;
    this.#windowMs = watch.now();
    this.deadlineMs = this.#windowMs + LIMITS.proxyIdleMs;
    watch.add(this);
  }

  begins(): void {
    this.#streams++;
    this.deadlineMs = NEVER;
  }

  ends(isGivenUp: boolean): void {
    const now = this.#watch.now();
    this.#streams--;
    if (this.#streams === 0) this.deadlineMs = now + LIMITS.proxyIdleMs;
    if (!isGivenUp) return;
    if (now - this.#windowMs > 1000) {
      this.#windowMs = now;
      this.#resets = 0;
    }
    if (++this.#resets > LIMITS.proxyResetsPerSecond) this.#session.destroy();
  }

  expire(): void {
    this.#session.close();
  }

  isIdle(): boolean {
    return this.#streams === 0;
  }

  makeRoom(): void {
    this.#session.close();
  }

  close(): void {
    this.#watch.delete(this);
  }
}
