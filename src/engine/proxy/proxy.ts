/**
 * The daemon's reverse proxy: `[proxy] http` and `https`. Clients ask by name, and the live instance of the service that has the name
 * answers. Follows the configuration: another address takes the place of the old one, and where that can't be had the old one
 * stays. Composed by the daemon.
 */
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { formatAddress, type Address } from "../edge/address.ts";
import { makeSerial } from "../serial.ts";
import { makeAccessLog } from "./access-log.ts";
import type { AccessFile } from "./access-file.ts";
import type { Certificates, Challenge } from "./certificates.ts";
import { makeCrowd } from "./client/crowd.ts";
import { serveHttp1 } from "./client/http1.ts";
import { makeHttp2 } from "./client/http2.ts";
import { makeDesk } from "./desk.ts";
import type { Listener } from "./listener.ts";
import { listenPlain } from "./plain-listener.ts";
import type { Routes } from "./routes.ts";
import { listenSecure } from "./secure-listener.ts";
import type { Pool } from "./upstream/pool.ts";
import type { Watch } from "./watch.ts";
import { streamWire } from "./wire/stream-wire.ts";
import { plainAddress, type Wire } from "./wire/wire.ts";

export interface Proxy {
  /** Listens where the configuration says, or nowhere. Throws `proxy.listen_failed`. */
  open(): Promise<void>;
  /** The same after a reload: what fails is logged, and nothing changes. */
  follow(): Promise<void>;
  /** The port where encrypted requests are taken, while they are. */
  securePort(): number | undefined;
  /** Takes no more connections, for good. Harmless when repeated. */
  stop(): void;
}

export interface ProxySettings {
  readonly http: Address | undefined;
  readonly https: Address | undefined;
  readonly responseMs: number;
}

export interface ProxyDeps {
  /** Asked each time, so that a reload counts. */
  readonly settings: () => ProxySettings;
  readonly routes: Pick<Routes, "find">;
  readonly pool: Pool;
  readonly watch: Watch;
  readonly certificates: Certificates;
  readonly challenge: Challenge;
  readonly accessFile: AccessFile;
  /** Clients at a time. */
  readonly clientsMost: number;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeProxy(deps: ProxyDeps): Proxy {
  const { settings, certificates, watch, log } = deps;
  const desk = makeDesk({ ...deps, securePort: () => secure.port() });
  const access = makeAccessLog(log, deps.clock, deps.accessFile);
  const crowd = makeCrowd(deps.clientsMost);
  const clientDeps = { desk, watch, crowd, access, responseMs: () => settings().responseMs };
  const serveHttp2 = makeHttp2(clientDeps);

  function accept(wire: Wire, isSecure: boolean): void {
    serveHttp1(wire, { remote: wire.remote, isSecure }, clientDeps);
  }

  const plain = makeMovable(async (address) => listenPlain(address, (wire) => accept(wire, false)), {
    name: "http",
    log,
  });
  const secure = makeMovable(
    (address) =>
      listenSecure(address, {
        certificates,
        log,
        accept(socket) {
          const remote = plainAddress(socket.remoteAddress);
          if (socket.alpnProtocol === "h2") serveHttp2(socket, { remote, isSecure: true });
          else accept(streamWire(socket), true);
        },
      }),
    { name: "https", log },
  );

  return {
    async open() {
      await plain.move(settings().http);
      await secure.move(settings().https);
    },
    async follow() {
      await plain.tryMove(settings().http);
      await secure.tryMove(settings().https);
    },
    securePort: () => secure.port(),
    stop() {
      plain.stop();
      secure.stop();
    },
  };
}

// --- internal ---

interface Movable {
  move(to: Address | undefined): Promise<void>;
  tryMove(to: Address | undefined): Promise<void>;
  port(): number | undefined;
  stop(): void;
}

/** A listener that may be elsewhere after a reload. */
function makeMovable(
  listen: (address: Address) => Promise<Listener>,
  { name, log }: { readonly name: string; readonly log: Log },
): Movable {
  let listener: Listener | undefined;
  let current: Address | undefined;
  let isStopped = false;
  const serial = makeSerial();

  /** The old one goes first: one address may cover the other. */
  async function moveTo(to: Address | undefined): Promise<void> {
    if (isStopped || textOf(to) === textOf(current)) return;
    listener?.stop();
    listener = undefined;
    try {
      listener = to === undefined ? undefined : await listen(to);
    } catch (error) {
      listener = current === undefined ? undefined : await listen(current);
      throw error;
    } finally {
      if (isStopped) listener?.stop();
    }
    current = to;
    if (to !== undefined) log.info("the proxy listens", { protocol: name, address: formatAddress(to) });
  }

  return {
    move: (to) => serial(() => moveTo(to)),
    tryMove: (to) =>
      serial(() => moveTo(to)).catch((error: unknown) =>
        log.error("the proxy can't move to its new address", { error: messageOf(error) }),
      ),
    port: () => listener?.port,
    stop() {
      isStopped = true;
      listener?.stop();
      listener = undefined;
    },
  };
}

function textOf(address: Address | undefined): string {
  return address === undefined ? "" : formatAddress(address);
}
