/**
 * Listens for encrypted connections of clients. The certificate is chosen at each handshake, by the name that the client asks for: a
 * new one counts from the next handshake on, and no connection is dropped for it. Called by proxy.ts.
 */
import { createSecureContext, createServer, type SecureContext, type TLSSocket } from "node:tls";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Address } from "../edge/address.ts";
import type { Certificates } from "./certificates.ts";
import { failedListen, type Listener } from "./listener.ts";
import { plainHost } from "./routes.ts";

export interface SecureDeps {
  readonly certificates: Certificates;
  readonly log: Log;
  /** Its `alpnProtocol` says what it wants to speak. */
  readonly accept: (socket: TLSSocket) => void;
}

/** Throws `proxy.listen_failed`. */
export async function listenSecure(address: Address, deps: SecureDeps): Promise<Listener> {
  const contexts = makeContexts(deps);
  const server = createServer(
    {
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      handshakeTimeout: LIMITS.proxyHeadMs,
      SNICallback: (name, done) => done(null, contexts.find(name)),
    },
    (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      deps.accept(socket);
    },
  );
  // Those that have not agreed on anything yet are nobody's clients, and must not become many.
  const arriving = new Set<unknown>();
  server.on("connection", (socket) => {
    if (arriving.size >= LIMITS.proxyHandshakes) {
      socket.destroy();
      return;
    }
    arriving.add(socket);
    socket.once("close", () => arriving.delete(socket));
  });
  server.on("secureConnection", (socket) => arriving.delete(socket));
  // A client that wants another name, or no encryption at all, is no news.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  try {
    server.listen({ host: address.host, port: address.port }, resolve);
    await promise;
  } catch (error) {
    contexts.close();
    throw failedListen(address, error);
  }
  server.on("error", (error: Error) =>
    deps.log.error("the encrypted listener failed", { error: error.message }),
  );
  const place = server.address();
  return {
    port: typeof place === "object" && place !== null ? place.port : address.port,
    stop() {
      contexts.close();
      server.close();
    },
  };
}

// --- internal ---

const KEEP_ALIVE_MS = 60_000;

interface Contexts {
  find(name: string): SecureContext | undefined;
  close(): void;
}

/** Made when they are first asked for, and again after a change. */
function makeContexts({ certificates, log }: SecureDeps): Contexts {
  const ready = new Map<string, SecureContext>();
  const unfollow = certificates.changed(() => ready.clear());
  return {
    find(name) {
      const host = plainHost(name);
      const known = ready.get(host);
      if (known !== undefined) return known;
      const found = certificates.find(host);
      if (found === undefined) return undefined;
      try {
        const context = createSecureContext({ cert: found.cert, key: found.key, minVersion: "TLSv1.2" });
        if (ready.size >= LIMITS.proxyContexts) ready.clear();
        ready.set(host, context);
        return context;
      } catch (error) {
        log.error("a certificate can't be used", { host, error: messageOf(error) });
        return undefined;
      }
    },
    close: unfollow,
  };
}
