import { afterEach, expect, test } from "bun:test";
import type { Socket } from "bun";
import { systemClock } from "../../../src/base/clock.ts";
import { makeEdges } from "../../../src/engine/edge/edges.ts";
import type { Edges } from "../../../src/engine/edge/edges.ts";
import { onLoopback } from "../../../src/engine/providers/provider.ts";
import { freePort, until } from "../../harness.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function edgesForTest(): Edges {
  const edges = makeEdges(systemClock);
  cleanups.push(() => edges.closeAll());
  return edges;
}

function serve(answer: string): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(answer) });
  cleanups.push(() => void server.stop(true));
  return server.port as number;
}

interface Line {
  readonly socket: Socket;
  heard: string;
  bytes: number;
  ended: boolean;
  closed: boolean;
  error: Error | undefined;
}

/** A raw client. */
async function dial(port: number): Promise<Line> {
  const line = { heard: "", bytes: 0, ended: false, closed: false, error: undefined } as Line;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    allowHalfOpen: true,
    socket: {
      data(_, chunk) {
        line.bytes += chunk.length;
        if (line.heard.length < 1000) line.heard += chunk.toString();
      },
      end: () => void (line.ended = true),
      close: (_, error) => void Object.assign(line, { closed: true, error }),
      error() {},
    },
  });
  cleanups.push(() => socket.terminate());
  return Object.assign(line, { socket });
}

interface Upstream {
  readonly port: number;
  readonly sockets: Socket<unknown>[];
  heard: string;
  ended: number;
  closed: number;
}

function listen(handlers: Partial<Bun.SocketHandler> = {}): Upstream {
  const upstream = { sockets: [], heard: "", ended: 0, closed: 0 } as unknown as Upstream;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open: (socket) => void upstream.sockets.push(socket),
      data: (_, chunk) => void (upstream.heard += chunk.toString()),
      end: () => void upstream.ended++,
      close: () => void upstream.closed++,
      error() {},
      ...handlers,
    },
  });
  cleanups.push(() => listener.stop(true));
  return Object.assign(upstream, { port: listener.port });
}

const never = new AbortController().signal;

test("no request fails while the edge switches between versions under load", async () => {
  const [a, b] = [serve("a"), serve("b")];
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(a)).commit();
  const answers = new Map<string, number>();
  const stop = new AbortController();
  const clients = Array.from({ length: 16 }, async () => {
    while (!stop.signal.aborted) {
      const answer = await fetch(`http://127.0.0.1:${address.port}/`, { keepalive: false }).then(
        (response) => response.text(),
        (error: Error) => `failed: ${error.message}`,
      );
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  });
  const total = (): number => [...answers.values()].reduce((sum, n) => sum + n, 0);
  for (let round = 1; round <= 10; round++) {
    edges.stage("web", address, onLoopback(round % 2 === 0 ? a : b)).commit();
    await until(() => total() > round * 150);
  }
  stop.abort();
  await Promise.all(clients);
  expect([...answers.keys()].toSorted()).toEqual(["a", "b"]);
});

test("after a switch every new connection leads to the new version, and old ones go on to the old", async () => {
  const [old, fresh] = [listen(), listen()];
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(old.port)).commit();
  const first = await dial(address.port);
  await until(() => old.sockets.length === 1);
  edges.stage("web", address, onLoopback(fresh.port)).commit();
  const later = await Promise.all([dial(address.port), dial(address.port)]);
  await until(() => fresh.sockets.length === 2);
  first.socket.write("still here");
  await until(() => old.heard === "still here");
  old.sockets[0]?.write("so am I");
  await until(() => first.heard === "so am I");
  expect(old.sockets).toHaveLength(1);
  expect(later.every(({ closed }) => !closed)).toBe(true);
});

test("an end is passed on in each direction while the other goes on", async () => {
  const upstream = listen();
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(upstream.port)).commit();
  const line = await dial(address.port);
  line.socket.write("question");
  line.socket.shutdown();
  await until(() => upstream.ended === 1);
  expect(upstream.heard).toBe("question");
  expect(line.closed).toBe(false);
  upstream.sockets[0]?.end("late answer");
  await until(() => line.closed);
  expect(line.heard).toBe("late answer");
  expect(line.error).toBeUndefined();
  await until(() => upstream.closed === 1);
});

test("a reset is passed on as a reset: a cut answer never looks whole", async () => {
  const upstream = listen();
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(upstream.port)).commit();
  const line = await dial(address.port);
  await until(() => upstream.sockets.length === 1);
  upstream.sockets[0]?.write("half an ans");
  await until(() => line.heard !== "");
  upstream.sockets[0]?.terminate();
  await until(() => line.closed);
  expect(line.error).toMatchObject({ code: "ECONNRESET" });

  const other = await dial(address.port);
  await until(() => upstream.sockets.length === 2);
  other.socket.terminate();
  await until(() => upstream.closed === 2);
});

test("a reader that does not read holds the writer back, and gets every byte in order when it does", async () => {
  const size = 64 * 2 ** 20;
  const block = Buffer.alloc(2 ** 20, "0123456789abcdef");
  let sent = 0;
  const pump = (socket: Socket): void => {
    while (sent < size) {
      const offset = sent % block.length;
      const taken = socket.write(block.subarray(offset, Math.min(block.length, offset + size - sent)));
      if (taken <= 0) return;
      sent += taken;
      if (taken < block.length - offset) return;
    }
    socket.end();
  };
  const upstream = listen({ open: pump, drain: pump });
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(upstream.port)).commit();
  const before = process.memoryUsage.rss();
  const line = await dial(address.port);
  line.socket.pause();
  let seen = -1;
  await until(() => (sent > 0 && sent === seen) || ((seen = sent), false), {
    what: "the writer to be held back",
  });
  await Bun.sleep(50);
  expect(sent).toBeLessThan(size / 2);
  expect(process.memoryUsage.rss() - before).toBeLessThan(size * 0.75);
  line.socket.resume();
  await until(() => line.ended, { what: "all bytes" });
  expect(line.bytes).toBe(size);
});

test("what a client sends before the service answers the phone is not lost", async () => {
  const upstream = listen();
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(upstream.port)).commit();
  const text = "x".repeat(100_000);
  await Promise.all(
    Array.from({ length: 20 }, () =>
      Bun.connect({
        hostname: "127.0.0.1",
        port: address.port,
        socket: { open: (socket) => void socket.end(text), data() {}, error() {} },
      }),
    ),
  );
  await until(() => upstream.heard.length === 20 * text.length);
});

test("a service that does not answer closes the client's connection and nothing else", async () => {
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(freePort())).commit();
  const line = await dial(address.port);
  await until(() => line.closed);
  edges.stage("web", address, onLoopback(serve("back"))).commit();
  expect(await (await fetch(`http://127.0.0.1:${address.port}/`)).text()).toBe("back");
});

test("draining waits for what is connected, and cuts it at the deadline or the signal", async () => {
  const upstream = listen();
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(upstream.port)).commit();
  await edges.drain(onLoopback(upstream.port), 60_000, never);

  const polite = await dial(address.port);
  await until(() => upstream.sockets.length === 1);
  let drained = false;
  const draining = edges.drain(onLoopback(upstream.port), 60_000, never).then(() => (drained = true));
  await Bun.sleep(20);
  expect(drained).toBe(false);
  polite.socket.end();
  upstream.sockets[0]?.end();
  await draining;

  const stubborn = await dial(address.port);
  stubborn.socket.write("a question");
  await until(() => upstream.heard === "a question");
  await edges.drain(onLoopback(upstream.port), 50, never);
  await until(() => stubborn.closed);

  const cut = await dial(address.port);
  await until(() => upstream.sockets.length === 3);
  await edges.drain(onLoopback(upstream.port), 60_000, AbortSignal.abort());
  await until(() => cut.closed);
});

test("draining ends idle connections soon, and lets a service finish the answer it owes", async () => {
  const upstream = listen();
  const edges = edgesForTest();
  const address = { host: "127.0.0.1", port: freePort() };
  edges.stage("web", address, onLoopback(upstream.port)).commit();
  const idle = await dial(address.port);
  await until(() => upstream.sockets.length === 1);
  upstream.sockets[0]?.write("answered before");
  await until(() => idle.heard !== "");
  const owed = await dial(address.port);
  owed.socket.write("question");
  await until(() => upstream.heard === "question");

  const began = performance.now();
  const draining = edges.drain(onLoopback(upstream.port), 60_000, never);
  await until(() => upstream.ended === 1);
  upstream.sockets[0]?.end();
  await until(() => idle.ended);
  expect(idle.error).toBeUndefined();
  idle.socket.end();
  expect(owed.ended).toBe(false);
  upstream.sockets[1]?.end("answer");
  await until(() => owed.ended);
  expect(owed.heard).toBe("answer");
  owed.socket.end();
  await draining;
  expect(performance.now() - began).toBeLessThan(3000);
});

test("a taken address names who has it, before anything is opened", () => {
  const edges = edgesForTest();
  const port = freePort();
  edges.stage("web", { host: "127.0.0.1", port }, onLoopback(1)).commit();
  const taken = expect.objectContaining({ code: "deploy.port_taken" });
  expect(() => edges.check("api", { host: "0.0.0.0", port })).toThrow("service web publishes 127.0.0.1");
  expect(() => edges.check("api", { host: "0.0.0.0", port })).toThrow(taken);
  expect(() => edges.check("web", { host: "0.0.0.0", port })).not.toThrow();
  const stranger = listen();
  expect(() => edges.check("api", { host: "127.0.0.1", port: stranger.port })).toThrow("another program");
  expect(() => edges.stage("api", { host: "127.0.0.1", port: stranger.port }, onLoopback(1))).toThrow(taken);
  expect(edges.isOpen("api")).toBe(false);
  expect(() => edges.check("api", { host: "203.0.113.9", port })).toThrow("no such address");
});

test("an address that changes is open beside the old one until the commit, and an abort brings the old one back", async () => {
  const target = serve("here");
  const edges = edgesForTest();
  const [first, second] = [freePort(), freePort()];
  const answers = (port: number): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/`, { keepalive: false }).then(
      () => true,
      () => false,
    );
  edges.stage("web", { host: "127.0.0.1", port: first }, onLoopback(target)).commit();
  const move = edges.stage("web", { host: "127.0.0.1", port: second }, onLoopback(target));
  expect([await answers(first), await answers(second)]).toEqual([true, true]);
  move.abort();
  expect([await answers(first), await answers(second)]).toEqual([true, false]);
  edges.stage("web", { host: "127.0.0.1", port: second }, onLoopback(target)).commit();
  expect([await answers(first), await answers(second)]).toEqual([false, true]);

  const wider = edges.stage("web", { host: "0.0.0.0", port: second }, onLoopback(target));
  expect(await answers(second)).toBe(true);
  wider.abort();
  expect(await answers(second)).toBe(true);
  edges.stage("web", undefined, undefined).commit();
  expect(await answers(second)).toBe(false);
});
