/**
 * One listener of the daemon on a fixed address, joined to an instance that may be changed at any time: connections that
 * arrive later lead to the new one. The only file that listens for services. Called by edges.ts.
 */
import { fail, messageOf, systemCode, type VoxError } from "../../base/errors.ts";
import type { Upstream } from "../providers/provider.ts";
import { formatAddress, type Address } from "./address.ts";
import type { Connections } from "./connections.ts";
import { abortPair, flush, spliceHandler, type Side } from "./splice.ts";

export interface Edge {
  readonly address: Address;
  /** Where new connections lead to. */
  target: Upstream;
  /** Stops listening; what is connected goes on. */
  close(): void;
}

/** Throws `deploy.port_taken` where someone else listens there, `service.invalid` where this host can't. */
export function openEdge(address: Address, target: Upstream, connections: Connections): Edge {
  const listener = listen(address, (client) => join(client, edge.target, connections));
  const edge: Edge = { address, target, close: () => listener.stop() };
  return edge;
}

// --- internal ---

type Client = Bun.Socket<Side>;

const KEEP_ALIVE_MS = 60_000;

function listen(address: Address, accept: (client: Client) => void): Bun.TCPSocketListener<Side> {
  try {
    return Bun.listen<Side>({
      hostname: address.host,
      port: address.port,
      allowHalfOpen: true,
      socket: { ...spliceHandler, open: accept },
    });
  } catch (error) {
    throw listenError(address, error);
  }
}

function listenError(address: Address, error: unknown): VoxError {
  const where = formatAddress(address);
  const code = systemCode(error);
  const options = { details: { address: where }, cause: error };
  if (code === "EADDRINUSE")
    return fail("deploy.port_taken", `${where} is wanted, but another program on this host listens there`, {
      ...options,
      hint: `publish another port, or find the program with: ss -ltnp 'sport = :${address.port}'`,
    });
  if (code === "EADDRNOTAVAIL")
    return fail("service.invalid", `${where} can't be published: this host has no such address`, options);
  if (code === "EACCES")
    return fail("service.invalid", `${where} can't be published: the daemon's user may not open it`, {
      ...options,
      hint: "ports below 1024 need a daemon that runs as root",
    });
  return fail("deploy.failed", `${where} can't be published: ${messageOf(error)}`, options);
}

/** The client waits, paused, until the service has answered the phone. */
function join(socket: Client, target: Upstream, connections: Connections): void {
  const pair = connections.open(target);
  const { client, upstream } = pair;
  socket.data = client;
  client.socket = socket;
  socket.pause();
  // A client that vanished without a word is noticed in the end.
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  Bun.connect<Side>({
    hostname: target.host,
    port: target.port,
    allowHalfOpen: true,
    data: upstream,
    socket: {
      ...spliceHandler,
      open(opened) {
        upstream.socket = opened;
        if (client.closed) return opened.terminate();
        opened.data = upstream;
        flush(upstream);
      },
    },
  }).catch(() => abortPair(pair));
}
