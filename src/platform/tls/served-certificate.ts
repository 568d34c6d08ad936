/**
 * Looks at the certificate that a server shows for a name, whatever it is worth: it connects, shakes hands and leaves. Used by the watch
 * over what is served (engine/certs/expiry-watch.ts).
 */
import type { X509Certificate } from "node:crypto";
import { fail, systemCode } from "../../base/errors.ts";
import { connectionProblem } from "../connection-problems.ts";

/** Throws `network.failed` and the signal's reason. */
export type ReadServed = (at: ServedAt, signal: AbortSignal) => Promise<X509Certificate>;

export interface ServedAt {
  readonly host: string;
  readonly port: number;
  /** What is asked for (SNI). */
  readonly name: string;
}

export const readServed: ReadServed = async ({ host, port, name }, signal) => {
  const { connect } = await import("node:tls");
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>();
  // Whether it can be trusted is not the question: nothing is sent.
  const socket = connect({ host, port, servername: name, rejectUnauthorized: false });
  const stop = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", stop, { once: true });
  socket.once("secureConnect", () => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) reject(fail("network.failed", "no certificate was shown"));
    else resolve(certificate);
  });
  socket.on("error", (error) => {
    const problem = connectionProblem(systemCode(error) ?? "")?.words ?? "no TLS connection came about";
    reject(fail("network.failed", problem));
  });
  socket.once("close", () =>
    reject(fail("network.failed", "the connection was closed before a certificate came")),
  );
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
};
