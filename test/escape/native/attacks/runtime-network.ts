/** Connections, requests, names and listeners by the runtime's own modules. */
import { ANSWER, trace, type NativeAttack } from "../attack.ts";
import { Refused } from "../errors.ts";
import { bun, js, node, PATIENCE_MS } from "../runtime.ts";

const made = trace(/new .*appeared/);
const NOT_REACHED = { refusals: ["ECONNREFUSED"] } as const;

export const RUNTIME_NETWORK: readonly NativeAttack[] = [
  js(
    "connect by node:net",
    trace(/tcp port/),
    async (at) => {
      const { connect } = await node("net");
      await heard(connect(at.tcpPort, "127.0.0.1"), "connect");
    },
    NOT_REACHED,
  ),
  js(
    "connect to the daemon's socket by node:net",
    trace(/stream socket/),
    async (at) => {
      const { connect } = await node("net");
      await heard(connect(at.streamSocket), "connect");
    },
    NOT_REACHED,
  ),
  js(
    "connect by Bun.connect",
    trace(/tcp port/),
    async (at) =>
      await (await bun()).connect({ hostname: "127.0.0.1", port: at.tcpPort, socket: { data() {} } }),
    NOT_REACHED,
  ),
  js(
    "connect to the daemon's socket by Bun.connect",
    trace(/stream socket/),
    async (at) => await (await bun()).connect({ unix: at.streamSocket, socket: { data() {} } }),
    NOT_REACHED,
  ),
  js("ask by fetch", trace(/tcp port/), async (at) => {
    const { fetch } = await bun();
    await soon(fetch(`http://127.0.0.1:${at.tcpPort}/`));
  }),
  js("ask the daemon by fetch over its socket", trace(/stream socket/), async (at) => {
    const { fetch } = await bun();
    await soon(fetch("http://daemon/", { unix: at.streamSocket }));
  }),
  js(
    "ask by node:http",
    trace(/tcp port/),
    async (at) => {
      const { get } = await node("http");
      await heard(get(`http://127.0.0.1:${at.tcpPort}/`, { timeout: PATIENCE_MS }), "timeout");
    },
    NOT_REACHED,
  ),
  js(
    "open a WebSocket",
    trace(/tcp port/),
    async (at) => {
      const socket = new WebSocket(`ws://127.0.0.1:${at.tcpPort}/`);
      const failed = new Promise((_resolve, reject) => {
        socket.addEventListener("error", () => reject(new Refused("error", "the WebSocket")));
      });
      await soon(failed);
    },
    { refusals: ["error"] },
  ),
  js("send by node:dgram", trace(/udp port/), async (at) => {
    const socket = (await node("dgram")).createSocket("udp4");
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.send("x", at.udpPort, "127.0.0.1", (error) => (error === null ? resolve() : reject(error)));
    });
    socket.close();
  }),
  js("send by Bun.udpSocket", trace(/udp port/), async (at) => {
    const socket = await (await bun()).udpSocket({});
    socket.send("x", at.udpPort, "127.0.0.1");
  }),
  js("look a name up", ANSWER, async () => (await node("dns")).promises.lookup("localhost"), {
    refusals: ["EAI_AGAIN"],
  }),
  js(
    "ask a name server",
    trace(/udp port/),
    async (at) => {
      const { Resolver } = (await node("dns")).promises;
      const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 });
      resolver.setServers([`127.0.0.1:${at.udpPort}`]);
      await resolver.resolve4("canary.test");
    },
    NOT_REACHED,
  ),
  js(
    "listen by node:net",
    ANSWER,
    async () => {
      const server = (await node("net")).createServer();
      await heard(server.listen(0, "127.0.0.1"), "listening");
      server.close();
      return "listening";
    },
    { refusals: ["Error"] },
  ),
  js(
    "listen on a path by node:net",
    made,
    async (at) => heard((await node("net")).createServer().listen(at.newFile), "listening"),
    { spent: true, refusals: ["Error"] },
  ),
  js("serve by Bun", ANSWER, async () => {
    const server = (await bun()).serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    await server.stop();
    return "served";
  }),
  js(
    "list the network's interfaces",
    ANSWER,
    async () => Object.keys((await node("os")).networkInterfaces()),
    { refusals: ["ERR_SYSTEM_ERROR"] },
  ),
];

// --- internal ---

/** Nobody answers; who was let through needs no answer. */
function soon(work: Promise<unknown>): Promise<unknown> {
  return Promise.race([work, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

/** The event, unless an error comes first. */
function heard(emitter: NodeJS.EventEmitter, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    emitter.once("error", reject);
    emitter.once(event, () => resolve());
  });
}
