/** Listens for plain connections of clients, and hands each out as a wire. Called by proxy.ts. */
import { failedListen, type Listener } from "./listener.ts";
import type { Address } from "../edge/address.ts";
import { PlainWire, plainHandler } from "./wire/plain-wire.ts";
import type { Wire } from "./wire/wire.ts";

/** Throws `proxy.listen_failed`. */
export function listenPlain(address: Address, accept: (wire: Wire) => void): Listener {
  try {
    const listener = Bun.listen<PlainWire>({
      hostname: address.host,
      port: address.port,
      allowHalfOpen: true,
      socket: {
        ...plainHandler,
        open(socket) {
          // A client that vanished without a word is noticed in the end.
          socket.setKeepAlive(true, KEEP_ALIVE_MS);
          accept(new PlainWire(socket));
        },
      },
    });
    return { port: listener.port, stop: () => listener.stop() };
  } catch (error) {
    throw failedListen(address, error);
  }
}

// --- internal ---

const KEEP_ALIVE_MS = 60_000;
