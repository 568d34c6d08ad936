/**
 * The one power to make a plain connection, TCP or TLS. The name is looked up once, the caller's rules choose among its addresses,
 * and the connection goes to one of those; a certificate is checked against the name, always. Nothing is read ahead of whoever
 * reads. Used by host/capabilities/net-connect.ts.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { fail, systemCode } from "../../base/errors.ts";
import { connectionProblem, isUnconnected } from "../connection-problems.ts";
import { lookUp, type Choose, type Place } from "../http/look-up.ts";
import type { Resolver } from "../http/resolve.ts";

/** The signal ends the connection whenever it aborts. Throws `network.failed`, the signal's reason and what `choose` throws. */
export type Dial = (
  to: DialTarget,
  choose: Choose<DialTarget>,
  signal: AbortSignal,
) => Promise<TcpConnection>;

export interface DialTarget extends Place {
  readonly tls: boolean;
  /** How an error names it. */
  readonly authority: string;
}

export interface TcpConnection {
  /** Where it goes. */
  readonly address: string;
  /** What comes, as it comes; it ends when the other side ends. Iterating throws `network.failed` where the connection breaks. */
  readonly incoming: AsyncIterable<Uint8Array>;
  /** Resolves when the system has taken all of it; rejects with `network.failed`. */
  readonly write: (data: Uint8Array) => Promise<void>;
  /** Harmless when repeated. */
  readonly close: () => void;
}

export interface DialPowers {
  readonly resolve: Resolver;
  /** Certificates (PEM) to trust instead of the system's; for tests. */
  readonly ca?: string;
}

export function makeDial(powers: DialPowers): Dial {
  return async (to, choose, signal) => {
    const addresses = await lookUp(powers.resolve, to, choose, signal);
    let failure: unknown;
    for (const address of addresses) {
      try {
        return connectionOver(await opened(powers, to, address, signal), to, address);
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
        if (!isUnconnected(error)) break;
      }
    }
    const otherwise = to.tls ? "no TLS connection came about" : "no connection came about";
    const problem = connectionProblem(systemCode(failure) ?? "")?.words ?? otherwise;
    throw fail("network.failed", `${to.authority}: ${problem}`);
  };
}

// --- internal ---

/** Settles when it is connected, and for TLS: when the other side has shown who it is. */
async function opened(
  powers: DialPowers,
  to: DialTarget,
  address: string,
  signal: AbortSignal,
): Promise<Socket> {
  // Loaded with the first that is encrypted.
  const tls = to.tls ? await import("node:tls") : undefined;
  signal.throwIfAborted();
  const place = { host: address, port: to.port };
  const socket =
    tls === undefined
      ? connectTcp(place)
      : tls.connect({
          ...place,
          // Said here, so that nothing in the environment says otherwise.
          rejectUnauthorized: true,
          minVersion: "TLSv1.2",
          ...(to.isAddress ? {} : { servername: to.host }),
          ...(powers.ca === undefined ? {} : { ca: powers.ca }),
        });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const end = (): void => void socket.destroy();
  signal.addEventListener("abort", end, { once: true });
  socket.once(to.tls ? "secureConnect" : "connect", resolve);
  socket.once("close", () => {
    signal.removeEventListener("abort", end);
    reject(new Error("closed"));
  });
  // Stays on: an error that nobody listens to would end the daemon.
  socket.on("error", reject);
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function connectionOver(socket: Socket, { authority }: DialTarget, address: string): TcpConnection {
  const broken = (error: unknown): Error =>
    fail("network.failed", `${authority}: ${BROKEN[systemCode(error) ?? ""] ?? "the connection broke"}`);
  /** Those who wait until what they wrote is taken. */
  const writers = new Set<(error: Error) => void>();
  socket.once("close", () => {
    for (const reject of writers) reject(broken(undefined));
  });

  async function* incoming(): AsyncGenerator<Uint8Array> {
    try {
      yield* socket as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw broken(error);
    } finally {
      socket.destroy();
    }
  }

  async function write(data: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (!socket.writable) throw fail("network.failed", `${authority}: the connection is closed`);
    writers.add(reject);
    socket.write(data, (error) => (error ? reject(broken(error)) : resolve()));
    await promise.finally(() => writers.delete(reject));
  }

  return { address, incoming: incoming(), write, close: () => void socket.destroy() };
}

const BROKEN: Readonly<Record<string, string>> = {
  ECONNRESET: "the other side broke the connection off",
  EPIPE: "the other side has closed the connection",
};
