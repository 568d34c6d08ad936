/**
 * Chooses loopback ports for instances, outside the range from which the system takes the ports of outgoing connections: a
 * stopped service must find its port free again. Called by engine/deploys.
 */
import { fail } from "../base/errors.ts";

export interface Ports {
  /** A port that nothing listens on and nobody took. It stays taken until `release`. */
  take(reserved: ReadonlySet<number>): number;
  release(port: number): void;
}

/** `isFree` and `random` (0 ≤ n < 1) are the outside: the system's sockets and chance. */
export function makePorts(isFree: (port: number) => boolean = isFreeOnLoopback, random = Math.random): Ports {
  const taken = new Set<number>();
  return {
    take(reserved) {
      const first = Math.floor(random() * COUNT);
      for (let i = 0; i < COUNT; i++) {
        const port = LOWEST + ((first + i) % COUNT);
        if (reserved.has(port) || taken.has(port) || !isFree(port)) continue;
        taken.add(port);
        return port;
      }
      throw fail("deploy.failed", `no loopback port from ${LOWEST} to ${LOWEST + COUNT - 1} is free`);
    },
    release: (port) => void taken.delete(port),
  };
}

/** By trying to listen there. */
export function isFreeOnLoopback(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}

/** Whether an instance may get it, now or later: what else listens there could be taken for the instance. */
export function isInstancePort(port: number): boolean {
  return port >= LOWEST && port < LOWEST + COUNT;
}

// --- internal ---

/** Linux hands out 32768–60999 to outgoing connections. */
const LOWEST = 20_000;
const COUNT = 12_000;
