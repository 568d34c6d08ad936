/** The proxy over real sockets, with routes that a test sets by hand, and raw clients and services to put on its two sides. */
import type { Socket } from "bun";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { systemClock, type Clock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import type { AccessEntry } from "../src/engine/proxy/access-log.ts";
import { noCertificates, type Certificates } from "../src/engine/proxy/certificates.ts";
import { makeProxy, type ProxySettings } from "../src/engine/proxy/proxy.ts";
import type { Route } from "../src/engine/proxy/routes.ts";
import { makePool, type Pool } from "../src/engine/proxy/upstream/pool.ts";
import { makeWatch } from "../src/engine/proxy/watch.ts";
import { freePort, until } from "./harness.ts";

export interface ProxyWorld extends AsyncDisposable {
  readonly http: number;
  readonly https: number;
  readonly pool: Pool;
  /** By host; a port of this machine, or undefined for a stopped service. */
  readonly routes: Map<string, number | undefined>;
  /** What the access log has. */
  readonly entries: AccessEntry[];
  readonly settings: { -readonly [K in keyof ProxySettings]: ProxySettings[K] };
}

export interface ProxyWorldOptions {
  readonly certificates?: Certificates;
  readonly challenge?: (token: string) => string | undefined;
  readonly responseMs?: number;
  readonly isSecure?: boolean;
  /** Clients, and requests under way, at a time. */
  readonly clientsMost?: number;
  readonly workMost?: number;
  /** Time passes so many times faster for the proxy. */
  readonly speed?: number;
}

export async function proxyWorld(options: ProxyWorldOptions = {}): Promise<ProxyWorld> {
  const [http, https] = [freePort(), freePort()];
  const clock = options.speed === undefined ? systemClock : fastClock(options.speed);
  const watch = makeWatch(clock);
  const pool = makePool(clock, watch, options.workMost ?? 10_000);
  const routes = new Map<string, number | undefined>();
  const entries: AccessEntry[] = [];
  const settings = {
    http: { host: "127.0.0.1", port: http },
    https: options.isSecure === true ? { host: "127.0.0.1", port: https } : undefined,
    responseMs: options.responseMs ?? 60_000,
  };
  const proxy = makeProxy({
    settings: () => settings,
    routes: {
      find(host): Route | undefined {
        const name = host.replace(/:\d+$/, "").toLowerCase();
        if (!routes.has(name)) return undefined;
        const port = routes.get(name);
        const upstream = port === undefined ? undefined : { host: "127.0.0.1", port };
        return { service: "web", domain: name, upstream };
      },
    },
    pool,
    watch,
    certificates: options.certificates ?? noCertificates,
    challenge: options.challenge ?? (() => undefined),
    accessFile: { isWanted: () => false, write() {}, close: async () => {} },
    clientsMost: options.clientsMost ?? 10_000,
    clock,
    log: {
      ...silentLog,
      debug: (_text, entry) => void entries.push(entry as unknown as AccessEntry),
    },
  });
  await proxy.open();
  return {
    http,
    https,
    pool,
    routes,
    entries,
    settings,
    async [Symbol.asyncDispose]() {
      proxy.stop();
      await pool.closeAll(0);
      watch.close();
    },
  };
}

function fastClock(speed: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * speed,
    after: (ms, task) => systemClock.after(ms / speed, task),
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  };
}

/** A service that is nothing but a socket: what it heard, byte by byte, and what it says by hand. */
export interface RawService extends AsyncDisposable {
  readonly port: number;
  readonly sockets: Socket[];
  /** Over all connections. */
  heard: string;
  bytes: number;
  ended: number;
  closed: number;
}

export function rawService(answer?: (socket: Socket, text: string) => void, keepsText = true): RawService {
  const service = { sockets: [], heard: "", bytes: 0, ended: 0, closed: 0 } as unknown as RawService;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open: (socket) => void service.sockets.push(socket),
      data(socket, chunk) {
        service.bytes += chunk.length;
        const text = keepsText ? chunk.toString("latin1") : "";
        service.heard += text;
        answer?.(socket, text);
      },
      end: () => void service.ended++,
      close: () => void service.closed++,
      error() {},
    },
  });
  return Object.assign(service, {
    port: listener.port,
    async [Symbol.asyncDispose]() {
      listener.stop(true);
    },
  });
}

/** A service that answers every whole head with `answer`. */
export function answering(answer: string): RawService {
  return rawService((socket, text) => {
    if (text.includes("\r\n\r\n")) socket.write(Buffer.from(answer, "latin1"));
  });
}

export interface RawClient {
  readonly socket: Socket;
  heard: string;
  bytes: number;
  ended: boolean;
  closed: boolean;
}

export async function rawClient(port: number, text = ""): Promise<RawClient> {
  const client = { heard: "", bytes: 0, ended: false, closed: false } as RawClient;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    allowHalfOpen: true,
    socket: {
      data(_, chunk) {
        client.bytes += chunk.length;
        if (client.heard.length < 100_000) client.heard += chunk.toString("latin1");
      },
      end: () => void (client.ended = true),
      close: () => void (client.closed = true),
      error() {},
    },
  });
  if (text !== "") socket.write(Buffer.from(text, "latin1"));
  return Object.assign(client, { socket });
}

/** Sends bytes and gives what came back until the proxy ended or `enough` was heard. */
export async function talk(port: number, text: string, enough?: RegExp): Promise<string> {
  const client = await rawClient(port, text);
  await until(() => client.ended || client.closed || enough?.test(client.heard), {
    what: `an answer to ${JSON.stringify(text.slice(0, 80))}, beside ${JSON.stringify(client.heard)}`,
  });
  client.socket.terminate();
  return client.heard;
}

/** An encrypted client that speaks what it is told. */
export async function tlsClient(port: number, servername: string, protocols: string[]): Promise<TLSSocket> {
  const socket = connectTls({
    host: "127.0.0.1",
    port,
    servername,
    ALPNProtocols: protocols,
    rejectUnauthorized: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

export interface Curled {
  readonly status: number;
  readonly version: string;
  readonly body: string;
  readonly exit: number;
}

/** curl, with the name led to the proxy. */
export async function curl(url: string, ...options: readonly string[]): Promise<Curled> {
  const { hostname, port } = new URL(url);
  const child = Bun.spawn(
    [
      "curl",
      "-sk",
      "-m",
      "20",
      "--resolve",
      `${hostname}:${port}:127.0.0.1`,
      "-w",
      "\n%{http_code} %{http_version}",
      ...options,
      url,
    ],
    { stdout: "pipe", stderr: "ignore" },
  );
  const [text, exit] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  const cut = text.lastIndexOf("\n");
  const [status = "0", version = ""] = text.slice(cut + 1).split(" ");
  return { status: Number(status), version, body: text.slice(0, cut), exit };
}
