/** fetch and connect as plugins use them, in every JavaScript room: the real broker, real servers, answers that come in pieces. */
import { afterAll, describe, expect, test } from "bun:test";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { LIMITS } from "../../../src/base/limits.ts";
import type { PluginDoor, Room } from "../../../src/host/runtimes/runtime.ts";
import type { HookName } from "../../../src/sdk/index.ts";
import { makeCertificate } from "../../certificate.ts";
import { until } from "../../harness.ts";
import { hookCode, openRoom } from "../../js-room.ts";
import { answerWith, rawServer } from "../../local-server.ts";
import { netBroker, type NetWorld } from "../../net-broker.ts";
import { canConfine, processRooms } from "../../process-room.ts";
import { forwarder } from "../../wasm/forwarder.ts";

const DEADLINE = { deadlineMs: 20_000 };
const MIB = 1024 * 1024;
const PUBLIC = "127.0.0.2";

const processes = processRooms();
afterAll(() => processes[Symbol.asyncDispose]());

function world(more: Partial<NetWorld> = {}) {
  const made = netBroker({ resolve: async () => [PUBLIC], allowPrivate: [`${PUBLIC}/32`], ...more });
  const calls: string[] = [];
  const door: PluginDoor = {
    ...made.door,
    methods: made.door.methods,
    invoke(method, ...rest) {
      calls.push(method);
      return made.door.invoke(method, ...rest);
    },
  };
  return { ...made, door, calls };
}

const ROOMS: Readonly<Record<string, (code: string, door: PluginDoor) => Promise<Room>>> = {
  "js-worker": async (code, door) => (await openRoom(code, door)).room,
  ...(canConfine ? { "js-process": (code: string, door: PluginDoor) => processes.open(code, door) } : {}),
};

/** A server that speaks once a line has come. */
async function lineServer(
  talk: (socket: Socket, line: string) => void,
  tls?: ReturnType<typeof makeCertificate>,
) {
  const sockets = new Set<Socket>();
  const names: unknown[] = [];
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    names.push((socket as TLSSocket).servername);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (data: Buffer) => talk(socket, data.toString()));
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer({ ...tls }, serve);
  await new Promise<void>((resolve) => server.listen(0, PUBLIC, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    names,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe.each(Object.entries(ROOMS))("in the room %s", (_kind, open) => {
  async function run(body: string, event: object, { door }: { readonly door: PluginDoor }): Promise<unknown> {
    const room = await open(hookCode(body), door);
    try {
      return await room.call("on_deploy_success", event, DEADLINE);
    } finally {
      await room.stop();
    }
  }

  test("a small answer is one call of the door", async () => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket, '{"a":1}'));
    const plugin = world();
    const url = `http://web.test:${server.port}/`;
    expect(
      await run("const r = await fetch(event.url); return [r.status, await r.json()]", { url }, plugin),
    ).toEqual([200, { a: 1 }]);
    expect(plugin.calls).toEqual(["net.fetch"]);
  });

  test("a large answer is read piece by piece, and is whole", async () => {
    const size = 20 * MIB;
    const bytes = Buffer.alloc(size, "0123456789abcdef");
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket, bytes));
    const code = `let size = 0, pieces = 0, wrong = 0;
      const response = await fetch(event.url);
      for await (const piece of response.body) {
        const expected = "0123456789abcdef".charCodeAt(size % 16);
        if (piece[0] !== expected) wrong++;
        size += piece.length; pieces++;
      }
      return { size, wrong, many: pieces > 10, used: response.bodyUsed };`;
    const url = `http://web.test:${server.port}/`;
    expect(await run(code, { url }, world())).toEqual({ size, wrong: 0, many: true, used: true });
  });

  test("a packed answer is unpacked as it comes", async () => {
    const size = 6 * MIB;
    const packed = Bun.gzipSync(Buffer.alloc(size, "x"));
    await using server = await rawServer(PUBLIC, (socket) =>
      answerWith(socket, packed, { headers: ["Content-Encoding: gzip"] }),
    );
    const code = `const r = await fetch(event.url); let size = 0;
      for await (const piece of r.body) size += piece.length;
      return [size, r.headers.has("content-encoding")]`;
    expect(await run(code, { url: `http://web.test:${server.port}/` }, world())).toEqual([size, false]);
  });

  test("fetch gives its response before the body is there", async () => {
    let send = (): void => {};
    await using server = await rawServer(PUBLIC, (socket, head) => {
      if (head.startsWith("GET /go")) {
        send();
        return answerWith(socket);
      }
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl");
      send = () => socket.write("ow");
    });
    const code = `const slow = await fetch(event.url); await fetch(event.url + "go"); return slow.text()`;
    expect(await run(code, { url: `http://web.test:${server.port}/` }, world())).toBe("slow");
  });

  test("text() and bytes() collect eight megabytes, and say how to read more", async () => {
    const size = LIMITS.fetchCollectBytes;
    await using server = await rawServer(PUBLIC, (socket, head) =>
      answerWith(socket, Buffer.alloc(head.startsWith("GET /more") ? size + 1 : size, "ü")),
    );
    const code = `const length = async (r) => (await r.text()).length;
      const all = [await length(await fetch(event.url)), (await (await fetch(event.url)).bytes()).length];
      try { await (await fetch(event.url + "more")).bytes() } catch (error) { all.push(error.name, error.message) }
      return all`;
    expect(await run(code, { url: `http://web.test:${server.port}/` }, world())).toEqual([
      size / 2,
      size,
      "RangeError",
      "the body has more than 8 MiB: read it piece by piece, with `for await (const piece of response.body)`",
    ]);
  });

  test.each([
    ["break", `for await (const piece of r.body) break`],
    ["cancel", `await r.body.cancel()`],
    [
      "abort",
      `stop.abort(); try { await r.text(); return "read" } catch (error) { if (error.name !== "AbortError") throw error }`,
    ],
  ])("an answer that is left by %s ends at its server", async (_what, leave) => {
    await using server = await rawServer(PUBLIC, (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const more = (): void =>
        void (socket.write(Buffer.alloc(65_536)) ? setImmediate(more) : socket.once("drain", more));
      more();
    });
    const code = `const stop = new AbortController();
      const r = await fetch(event.url, { signal: stop.signal }); ${leave}; return "left"`;
    const room = await open(hookCode(code), world().door);
    expect(await room.call("on_deploy_success", { url: `http://web.test:${server.port}/` }, DEADLINE)).toBe(
      "left",
    );
    await until(() => server.closed() === 1, { what: "the end of the connection" });
    await room.stop();
  });

  test("a stream is no body of a request, and a body to come can't be cloned", async () => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket, Buffer.alloc(2 * MIB)));
    const code = `const r = await fetch(event.url); const all = [];
      try { await fetch(event.url, { method: "POST", body: r.body }) } catch (error) { all.push(error.name) }
      try { r.clone() } catch (error) { all.push(error.name) }
      return [...all, (await r.bytes()).length]`;
    expect(await run(code, { url: `http://web.test:${server.port}/` }, world())).toEqual([
      "TypeError",
      "TypeError",
      2 * MIB,
    ]);
    expect(server.opened()).toBe(1);
  });

  test("a connection speaks both ways until it is closed", async () => {
    await using server = await lineServer((socket, line) => socket.write(`you said ${line}`));
    const code = `const connection = await ctx.net.connect({ host: "web.test", port: event.port });
      const all = [];
      const heard = async () => new TextDecoder().decode(await connection.read());
      await connection.write("one"); all.push(await heard());
      await connection.write(new TextEncoder().encode("two"));
      for await (const piece of connection) { all.push(new TextDecoder().decode(piece)); break }
      await connection.write("three"); all.push(await heard());
      await connection.close(); all.push(await connection.read());
      try { await connection.write("four") } catch (error) { all.push(error.code) }
      return all`;
    const plugin = world();
    expect(await run(code, { port: server.port }, plugin)).toEqual([
      "you said one",
      "you said two",
      "you said three",
      null,
      "stream.not_found",
    ]);
    await until(() => server.open() === 0, { what: "the end of the connection" });
    expect(plugin.audit).toMatchObject([
      {
        method: "net.connect",
        capability: "network_outbound",
        target: `TCP web.test:${server.port}`,
        outcome: "ok",
      },
    ]);
  });

  test("a connection by TLS shows the name and checks the certificate", async () => {
    const certificate = makeCertificate("web.test");
    await using server = await lineServer((socket, line) => socket.write(line), certificate);
    const code = `const all = [];
      const connection = await ctx.net.connect({ host: "web.test", port: event.port, tls: true });
      await connection.write("hi"); all.push(new TextDecoder().decode(await connection.read()));
      await connection.close();
      try { await ctx.net.connect({ host: "other.test", port: event.port, tls: true }) } catch (error) { all.push(error.code, error.message) }
      return all`;
    expect(await run(code, { port: server.port }, world({ ca: certificate.cert }))).toEqual([
      "hi",
      "network.failed",
      `other.test:${server.port}: the certificate is for another name`,
    ]);
    expect(server.names[0]).toBe("web.test");
  });

  test("a megabyte times ten goes through a connection and back", async () => {
    await using server = await lineServer(() => {});
    await using echo = await rawServerEcho();
    const code = `const connection = await ctx.net.connect({ host: "web.test", port: event.port });
      const all = new Uint8Array(10 * 1024 * 1024); for (let i = 0; i < all.length; i += 997) all[i] = i % 251;
      const sent = connection.write(all);
      let at = 0, wrong = 0;
      while (at < all.length) { const piece = await connection.read(); if (piece === null) break;
        for (let i = 0; i < piece.length; i += 97) if (piece[i] !== all[at + i]) wrong++; at += piece.length }
      await sent; await connection.close(); return [at, wrong]`;
    expect(await run(code, { port: echo.port }, world())).toEqual([10 * MIB, 0]);
    expect(server.open()).toBe(0);
  });

  test("a connection ends with its room, and when the right to it is gone", async () => {
    await using server = await lineServer((socket, line) => socket.write(line));
    const plugin = world();
    const room = await open(
      hookCode(`globalThis.kept ??= await ctx.net.connect({ host: "web.test", port: event.port });
        try { await kept.write("x"); return (await kept.read()).length } catch (error) { return error.code }`),
      plugin.door,
    );
    const event = { port: server.port };
    expect(await room.call("on_deploy_success", event, DEADLINE)).toBe(1);
    plugin.grants.set("network_outbound", ["elsewhere.test"]);
    plugin.broker.rightsChanged("ding");
    await until(() => server.open() === 0, { what: "the end of the connection" });
    expect(await room.call("on_deploy_success", event, DEADLINE)).toMatch(
      /^(?:capability\.out_of_scope|stream\.not_found)$/,
    );
    await room.stop();

    const other = await open(
      hookCode(
        `globalThis.kept = await ctx.net.connect({ host: "web.test", port: event.port }); return "open"`,
      ),
      world().door,
    );
    await other.call("on_deploy_success", event, DEADLINE);
    await until(() => server.open() === 1);
    await other.stop();
    await until(() => server.open() === 0, { what: "the end of the connection" });
  });

  test("without the grant there is no connection", async () => {
    await using server = await lineServer(() => {});
    const plugin = world({ grants: [["notify_send", null]] });
    const code = `try { await ctx.net.connect({ host: "web.test", port: event.port }) } catch (error) { return [error.code, error.hint] }`;
    expect(await run(code, { port: server.port }, plugin)).toEqual([
      "capability.denied",
      `to allow it: voxeltron plugin grant ding network_outbound=web.test:${server.port}`.replace(
        "to allow it",
        "to allow only that",
      ),
    ]);
    expect(server.open()).toBe(0);
  });

  test("a plugin has sixteen connections at a time", async () => {
    await using server = await lineServer(() => {});
    const code = `const all = [];
      for (let i = 0; i < 17; i++) try { all.push(await ctx.net.connect({ host: "web.test", port: event.port })) } catch (error) { return [i, error.code, await again(all)] }
      async function again(open) { await open[0].close(); open[0] = await ctx.net.connect({ host: "web.test", port: event.port }); return open.length }`;
    expect(await run(code, { port: server.port }, world())).toEqual([
      LIMITS.connectionsPerPlugin,
      "capability.limit",
      16,
    ]);
  });
});

describe.skipIf(!canConfine)("in a wasm-process", () => {
  test("a module connects, writes, reads and closes, and reads an answer as it comes", async () => {
    await using server = await lineServer((socket, line) => socket.write(`you said ${line}`));
    const size = 2 * MIB;
    await using web = await rawServer(PUBLIC, (socket) => answerWith(socket, Buffer.alloc(size)));
    const bytes = await forwarder({
      on_alert: "net_connect",
      on_deploy_start: "stream_write",
      on_deploy_success: "stream_next",
      on_deploy_fail: "stream_close",
      on_cert_renew: "net_fetch",
    });
    const room = await processes.open({ kind: "wasm", bytes }, world().door);
    const ask = async (hook: HookName, params: object): Promise<Record<string, unknown>> =>
      ((await room.call(hook, params, DEADLINE)) as { result: Record<string, unknown> }).result;
    const next = async (stream: unknown) =>
      (await ask("on_deploy_success", { stream })) as unknown as { items: { $b64: string }[]; done: boolean };

    const { stream } = await ask("on_alert", { host: "web.test", port: server.port });
    expect(await ask("on_deploy_start", { stream, data: { $b64: btoa("hi") } })).toBeNull();
    expect(await next(stream)).toEqual({ items: [{ $b64: btoa("you said hi") }], done: false });
    expect(await ask("on_deploy_fail", { stream })).toBeNull();
    await until(() => server.open() === 0, { what: "the end of the connection" });

    const url = `http://web.test:${web.port}/`;
    expect(await ask("on_cert_renew", { url })).toMatchObject({
      status: 200,
      body: { $b64: "A".repeat(Math.ceil(size / 3) * 4 - 1) + "=" },
    });
    const answer = await ask("on_cert_renew", { url, stream: true });
    expect(answer["body"]).toBeUndefined();
    let read = 0;
    for (let done = false; !done;) {
      const batch = await next(answer["stream"]);
      for (const { $b64 } of batch.items) read += Buffer.from($b64, "base64").length;
      ({ done } = batch);
    }
    expect(read).toBe(size);
    await room.stop();
  });
});

/** Sends back what comes, no faster than it is taken. */
async function rawServerEcho() {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, PUBLIC, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}
