/**
 * fetch and connect of plugins in the compiled daemon, in both JavaScript rooms: what the operator allows is reached, by the machine's own
 * names and authorities; nothing else is; and what a grant does not name any more is ended.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { makeClient, type Client } from "../../src/api/client.ts";
import { makeCertificate } from "../certificate.ts";
import { needs, until } from "../harness.ts";
import { answerWith, rawServer, type LocalServer } from "../local-server.ts";
import { makeMachine } from "./machine.ts";

const SIZE = 6 * 1024 * 1024;

const PLUGIN = `
const caught = async (work) => { try { return await work() } catch (error) { return error.code ?? error.message } };
async function said(ctx, to) {
  const connection = await ctx.net.connect(to);
  await connection.write("hello");
  const answer = new TextDecoder().decode(await connection.read());
  await connection.close();
  return answer;
}
const deeds = {
  plain: (ctx, { plain }) => said(ctx, { host: "localhost", port: plain }),
  tls: (ctx, { tls }) => said(ctx, { host: "localhost", port: tls, tls: true }),
  name: (ctx, { tls }) => said(ctx, { host: "127.0.0.1", port: tls, tls: true }),
  closed: (ctx, { closed }) => said(ctx, { host: "localhost", port: closed }),
  large: async (ctx, { web }) => {
    let size = 0;
    for await (const piece of (await fetch("http://localhost:" + web + "/")).body) size += piece.length;
    return size;
  },
  keep: async (ctx, { plain }) => { globalThis.kept = await ctx.net.connect({ host: "localhost", port: plain }); return "kept" },
};
export default {
  on_deploy_start: (event, ctx) => caught(() => deeds[event.service](ctx, JSON.parse(event.image))),
};
`;

async function echo(server: Server, sockets: Set<Socket>): Promise<number> {
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function answering(socket: Socket): void {
  socket.on("error", () => {});
  socket.on("data", (data: Buffer) => socket.write(`you said ${data.toString()}`));
}

describe.skipIf(!needs("compiled"))("the network of a plugin", () => {
  const certificate = makeCertificate("localhost");
  const [plain, tls, closed] = [
    createServer(answering),
    createTlsServer({ ...certificate }, answering),
    createServer(),
  ];
  const open = { plain: new Set<Socket>(), tls: new Set<Socket>(), closed: new Set<Socket>() };
  const machine = makeMachine();
  let client: Client;
  let web: LocalServer;
  let ports: Readonly<Record<string, number>>;

  beforeAll(async () => {
    web = await rawServer("127.0.0.1", (socket) => answerWith(socket, Buffer.alloc(SIZE)));
    ports = {
      plain: await echo(plain, open.plain),
      tls: await echo(tls, open.tls),
      closed: await echo(closed, open.closed),
      web: web.port,
    };
    const allowed = [ports["plain"], ports["tls"], web.port].map((port) => `localhost:${port}`);
    machine.configure(
      `[providers]\ndefault = "process"\n[network]\nallow_private = ${JSON.stringify([...allowed, `127.0.0.1:${ports["tls"]}`])}\n`,
    );
    const authority = `${machine.folder}/authority.pem`;
    writeFileSync(authority, certificate.cert);
    await machine.start({ NODE_EXTRA_CA_CERTS: authority });
    client = makeClient(machine.socket);
    for (const isolation of ["worker", "process"]) {
      const folder = machine.write(isolation, {
        "plugin.toml": `[plugin]\nname = "net-${isolation}"\nversion = "1.0.0"\ntier = 2\n[hooks]\non_deploy_start = true\n[capabilities]\nrequired = ["network_outbound"]\n`,
        "index.js": PLUGIN,
      });
      const { stderr } = await machine.cli("plugin", "install", folder, "--isolation", isolation, "--yes");
      expect(stderr).not.toContain("error");
    }
  }, 30_000);

  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
    await web[Symbol.asyncDispose]();
    for (const sockets of Object.values(open)) for (const socket of sockets) socket.destroy();
    for (const server of [plain, tls, closed]) server.close();
  });

  describe.each(["worker", "process"])("in a %s", (isolation) => {
    const name = `net-${isolation}`;

    async function call(service: string): Promise<unknown> {
      const event = {
        service,
        domain: "x",
        domains: [],
        image: JSON.stringify(ports),
        version: 1,
        provider: "process",
        server: "local",
        durationMs: 0,
      };
      return (await client.call("plugin.call", { name, hook: "on_deploy_start", event })).result;
    }

    test.each([
      ["plain", "you said hello"],
      ["tls", "you said hello"],
      ["large", SIZE],
    ])("reaches what the operator allows: %s", async (deed, answer) => {
      expect(await call(deed)).toBe(answer);
    });

    test("reaches nothing else, and no certificate for another name", async () => {
      expect(await call("name")).toBe("network.failed");
      expect(await call("closed")).toBe("capability.out_of_scope");
      expect(open.closed.size).toBe(0);
    });

    test("loses a connection that its grant does not name any more", async () => {
      expect(await call("keep")).toBe("kept");
      await until(() => open.plain.size === 1);
      const { status } = await machine.cli("plugin", "grant", name, "network_outbound=example.com");
      expect(status).toBe(0);
      await until(() => open.plain.size === 0, { what: "the end of the connection" });
      expect(await call("plain")).toBe("capability.out_of_scope");
    });
  });
});
