/**
 * Chooses ports for instances. On this machine loopback ports, outside the range from which the system takes the ports of outgoing
 * connections: a stopped service must find its port free again. On a server ports of its range: whether one is free there is found
 * out when it is used. Called by engine/deploys.
 */
import { fail } from "../base/errors.ts";
import { LOCAL } from "./providers/providers.ts";

export interface Ports {
  /** A port that nobody took and that, on this machine, nothing listens on. It stays taken until `release`. */
  take(server: string, reserved: ReadonlySet<number>): number;
  release(server: string, port: number): void;
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface PortsOptions {
  /** The outside: the system's sockets and chance (0 ≤ n < 1). */
  readonly isFree?: (port: number) => boolean;
  readonly random?: () => number;
  /** Of a server. */
  readonly rangeOf?: (server: string) => PortRange;
}

/** Linux hands out 32768–60999 to outgoing connections. */
export const INSTANCE_PORTS: PortRange = { first: 20_000, last: 31_999 };

export function makePorts(options: PortsOptions = {}): Ports {
  const { isFree = isFreeOnLoopback, random = Math.random, rangeOf = () => INSTANCE_PORTS } = options;
  const taken = new Set<string>();
  const key = (server: string, port: number): string => `${server} ${port}`;
  return {
    take(server, reserved) {
      const { first, last } = server === LOCAL ? INSTANCE_PORTS : rangeOf(server);
      const count = last - first + 1;
      const start = Math.floor(random() * count);
      for (let i = 0; i < count; i++) {
        const port = first + ((start + i) % count);
        if (reserved.has(port) || taken.has(key(server, port)) || (server === LOCAL && !isFree(port)))
          continue;
        taken.add(key(server, port));
        return port;
      }
      const where = server === LOCAL ? "loopback port" : `port of ${server}`;
      throw fail("deploy.failed", `no ${where} from ${first} to ${last} is free`);
    },
    release: (server, port) => void taken.delete(key(server, port)),
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
  return port >= INSTANCE_PORTS.first && port <= INSTANCE_PORTS.last;
}
