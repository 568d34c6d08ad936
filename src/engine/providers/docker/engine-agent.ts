/**
 * Opens the connections to the engine of a server, and keeps idle ones for the next question. What is encrypted is encrypted with the
 * engine that the operator named or not at all: nothing is sent before its certificate was checked. Called by connect.ts, which loads
 * it with the first server.
 */
import { Agent as HttpAgent, type ClientRequest } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import { checkServerIdentity, connect, type TLSSocket } from "node:tls";
import { inspect } from "node:util";
import type { Clock } from "../../../base/clock.ts";
import { fail } from "../../../base/errors.ts";
import { SERVER_LIMITS } from "../../../base/server-limits.ts";
import { readCertificates } from "./certificates.ts";
import { endpointText, type DockerEndpoint, type SecureEndpoint } from "./endpoint.ts";

/** What a request carries for the agent; see connect.ts. */
export interface Watched {
  /** Told of the request before it is sent. */
  readonly watch?: ((request: ClientRequest) => void) | undefined;
}

export function makeEngineAgent(endpoint: DockerEndpoint, clock: Clock): HttpAgent {
  const isSecure = "protocol" in endpoint && endpoint.protocol === "https";
  const agent: HttpAgent = isSecure ? new HttpsAgent(KEPT) : new HttpAgent(KEPT);
  // The client writes down all that a request is made with, for nobody, and would spend most of its time on the agent's sockets.
  Object.assign(agent, { [inspect.custom]: () => "the agent of a server" });
  const inner = agent as unknown as AgentInside;
  const add = inner.addRequest.bind(agent);
  inner.addRequest = (request, options, ...rest) => {
    options.watch?.(request);
    add(request, options, ...rest);
  };
  if (isSecure)
    inner.createConnection = (_options, done) => {
      try {
        return openSecure(endpoint, clock);
      } catch (error) {
        queueMicrotask(() => done(error));
        return undefined;
      }
    };
  return agent;
}

// --- internal ---

/** An idle connection was made with the certificate of then, and is not kept for long. */
const KEPT = { keepAlive: true, maxFreeSockets: 32, timeout: 10_000 } as const;
/** A dead machine is noticed in the end, also where nothing is said for hours. */
const KEEP_ALIVE_MS = 30_000;

/** The parts of an agent that Node documents for those who make their own; its types leave them out. */
interface AgentInside {
  addRequest(request: ClientRequest, options: Watched, ...rest: unknown[]): void;
  createConnection(options: unknown, done: (error: unknown) => void): TLSSocket | undefined;
}

function openSecure(endpoint: SecureEndpoint, clock: Clock): TLSSocket {
  const { host, port, files, tlsName } = endpoint;
  const { ca, cert, key } = readCertificates(files, clock.now());
  const name = tlsName ?? host;
  const socket = connect({
    host,
    port,
    ca,
    cert,
    key,
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  let reached = false;
  socket.once("connect", () => (reached = true));
  const cancel = clock.after(SERVER_LIMITS.connectMs, () => socket.destroy(tooSlow(endpoint, reached)));
  socket.once("secureConnect", cancel);
  socket.once("close", cancel);
  return socket;
}

function tooSlow(endpoint: SecureEndpoint, reached: boolean): Error {
  const what = reached ? "accepts connections and does not begin to encrypt them" : "can't be reached";
  return fail(
    "provider.unavailable",
    `${endpointText(endpoint)} ${what}: waited ${SERVER_LIMITS.connectMs / 1000} s`,
    {
      hint: reached
        ? "is it an engine with --tlsverify?"
        : "look at its address and at the firewalls in between",
    },
  );
}
