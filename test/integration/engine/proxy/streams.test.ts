/** What goes on for long or is large: WebSockets, event streams, bodies with backpressure, and what is drained. */
import { expect, test } from "bun:test";
import { until } from "../../../harness.ts";
import { answering, proxyWorld, rawClient, rawService } from "../../../proxy-world.ts";

const GET = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
const MIB = 2 ** 20;
const never = new AbortController().signal;

interface Room {
  readonly port: number;
  readonly closes: number[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Says back what it hears. */
function echoRoom(): Room {
  const closes: number[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) =>
      server.upgrade(request, { headers: { "X-For": request.headers.get("x-forwarded-for") ?? "" } })
        ? undefined
        : new Response("no", { status: 400 }),
    websocket: {
      message: (socket, message) => void socket.send(message),
      close: (_socket, code) => void closes.push(code),
    },
  });
  return {
    port: server.port as number,
    closes,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

function openSocket(port: number): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers: { Host: "app.test" } } as never);
}

function told(socket: WebSocket, what: "open" | "message" | "close"): Promise<unknown> {
  return new Promise((resolve) => socket.addEventListener(what, resolve, { once: true }));
}

test("a WebSocket carries text, bytes and its closing both ways", async () => {
  await using world = await proxyWorld();
  await using room = echoRoom();
  world.routes.set("app.test", room.port);
  const heard: unknown[] = [];
  const socket = openSocket(world.http);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => void heard.push(data));
  await told(socket, "open");
  socket.send("hello");
  const big = new Uint8Array(3 * MIB).map((_, index) => index);
  socket.send(big);
  await until(() => heard.length === 2);
  expect(heard[0]).toBe("hello");
  expect(Buffer.compare(Buffer.from(heard[1] as ArrayBuffer), big)).toBe(0);
  let code = 0;
  socket.addEventListener("close", (event) => (code = event.code));
  socket.close(4001, "enough");
  await until(() => code === 4001 && room.closes.includes(4001));
  await until(() => world.entries.some(({ protocol }) => protocol === "WebSocket"));
  expect(world.entries.find(({ protocol }) => protocol === "WebSocket")).toMatchObject({
    status: 101,
    path: "/chat",
  });
});

test("a service that wants no WebSocket answers as usual", async () => {
  await using world = await proxyWorld();
  await using service = answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  world.routes.set("app.test", service.port);
  const client = await rawClient(
    world.http,
    "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  await until(() => client.heard.endsWith("no"));
  expect(service.heard).toContain("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  client.socket.write(GET);
  await until(() => client.heard.endsWith("no") && client.heard.match(/403/g)?.length === 2);
  client.socket.terminate();
});

test("events come one by one, as they are said", async () => {
  await using world = await proxyWorld();
  let say: (text: string) => void = () => {};
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          start: (controller) => {
            say = (text) => controller.enqueue(Buffer.from(`data: ${text}\n\n`));
            say("first");
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  });
  world.routes.set("app.test", server.port);
  const client = await rawClient(world.http, GET);
  await until(() => client.heard.includes("data: first"));
  say("second");
  await until(() => client.heard.includes("data: second"));
  expect(client.heard).not.toContain("0\r\n\r\n");
  client.socket.terminate();
  await server.stop(true);
});

test("a large download waits for a client that does not read, and arrives whole when it does", async () => {
  await using world = await proxyWorld();
  const size = 96 * MIB;
  const block = Buffer.alloc(MIB, "0123456789abcdef");
  let sent = 0;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        pump(socket);
      },
      drain: pump,
    },
  });
  function pump(socket: Bun.Socket): void {
    while (sent < size) {
      const taken = socket.write(block.subarray(sent % MIB));
      sent += Math.max(taken, 0);
      if (taken < MIB - ((sent - taken) % MIB)) return;
    }
  }
  world.routes.set("app.test", listener.port);
  const before = process.memoryUsage.rss();
  const client = await rawClient(world.http);
  client.socket.pause();
  client.socket.write(GET);
  let seen = -1;
  await until(() => (sent > 0 && sent === seen) || ((seen = sent), false), {
    what: "the service to be held back",
  });
  await Bun.sleep(100);
  expect(sent).toBeLessThan(size / 2);
  expect(process.memoryUsage.rss() - before).toBeLessThan(size * 0.75);
  client.socket.resume();
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`.length;
  await until(() => client.bytes === size + head, { timeoutMs: 20_000, what: "all of it" });
  client.socket.terminate();
  listener.stop(true);
});

test("a large upload waits for a service that does not read, with a length and in chunks", async () => {
  await using world = await proxyWorld();
  const size = 64 * MIB;
  for (const isChunked of [false, true]) {
    await using service = rawService(undefined, false);
    world.routes.set("app.test", service.port);
    const before = process.memoryUsage.rss();
    const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${size}`;
    let sent = 0;
    const block = Buffer.alloc(MIB, "x");
    const part = isChunked ? Buffer.concat([Buffer.from("100000\r\n"), block, Buffer.from("\r\n")]) : block;
    const total = (size / MIB) * part.length;
    function pump(socket: Bun.Socket): void {
      while (sent < total) {
        const taken = socket.write(part.subarray(sent % part.length));
        sent += Math.max(taken, 0);
        if (taken <= 0 || sent % part.length !== 0) return;
      }
      if (isChunked) socket.write("0\r\n\r\n");
    }
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: world.http,
      socket: { data() {}, drain: pump, error() {} },
    });
    socket.write(`POST / HTTP/1.1\r\nHost: app.test\r\n${framing}\r\n\r\n`);
    await until(() => service.sockets.length === 1);
    service.sockets[0]?.pause();
    pump(socket);
    let seen = -1;
    await until(() => (sent > 0 && sent === seen) || ((seen = sent), false), {
      what: "the client to be held back",
    });
    await Bun.sleep(100);
    expect(sent).toBeLessThan(size / 2);
    expect(process.memoryUsage.rss() - before).toBeLessThan(size * 0.75);
    service.sockets[0]?.resume();
    await until(() => service.bytes > size, { timeoutMs: 20_000, what: "all of it" });
    await until(() => sent === total);
    socket.terminate();
  }
}, 30_000);

test("draining ends what is idle, waits for what is under way, and cuts what does not end", async () => {
  await using world = await proxyWorld();
  await using service = rawService();
  world.routes.set("app.test", service.port);
  const upstream = { host: "127.0.0.1", port: service.port };
  await world.pool.drain(upstream, 60_000, never);

  const polite = await rawClient(world.http, GET);
  await until(() => service.sockets.length === 1);
  let drained = false;
  const draining = world.pool.drain(upstream, 60_000, never).then(() => (drained = true));
  await Bun.sleep(50);
  expect(drained).toBe(false);
  service.sockets[0]?.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  await draining;
  await until(() => polite.heard.endsWith("ok"));
  await until(() => service.ended === 1, { what: "the connection that is idle now to be ended" });
  expect(polite.closed).toBe(false);
  // The same client goes on, with whoever has the name now.
  await using next = answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
  world.routes.set("app.test", next.port);
  polite.socket.write(GET);
  await until(() => polite.heard.endsWith("new"));
  polite.socket.terminate();

  world.routes.set("app.test", service.port);
  const stubborn = await rawClient(world.http, GET);
  await until(() => service.sockets.length === 2);
  await world.pool.drain(upstream, 50, never);
  await until(() => stubborn.heard.startsWith("HTTP/1.1 503 "));
  stubborn.socket.terminate();
});

test("a quiet WebSocket is ended by a drain, one that waits for its answer is not", async () => {
  await using world = await proxyWorld();
  await using room = echoRoom();
  world.routes.set("app.test", room.port);
  const quiet = openSocket(world.http);
  await told(quiet, "open");
  quiet.send("x");
  await told(quiet, "message");
  const closed = told(quiet, "close");
  await world.pool.drain({ host: "127.0.0.1", port: room.port }, 60_000, never);
  await closed;
});
