/** `net.connect` through the one door: where a plugin may go by its grants, and when a connection ends. Where nobody may go is in test/escape/ssrf.test.ts. */
import { describe, expect, test } from "bun:test";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { LIMITS } from "../../../../src/base/limits.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, until } from "../../../harness.ts";
import { netBroker, type NetWorld } from "../../../net-broker.ts";

const PUBLIC = "127.0.0.2";
const MIB = 1024 * 1024;
const outOfScope = { code: "capability.out_of_scope" };

async function serve(talk: (socket: Socket) => void = (socket) => socket.pipe(socket)) {
  const sockets = new Set<Socket>();
  let opened = 0;
  const server = createServer((socket) => {
    opened++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, PUBLIC, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    opened: () => opened,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

interface Batch {
  readonly items: readonly { readonly $b64: string }[];
  readonly done: boolean;
}

function plugin(world: Partial<NetWorld> = {}) {
  const made = netBroker({ resolve: async () => [PUBLIC], allowPrivate: [`${PUBLIC}/32`], ...world });
  const life = new AbortController();
  const ask = (method: string, params: object, signal?: AbortSignal): Promise<unknown> =>
    made.door.invoke(method, params, signal, { life: life.signal, chars: 0 });
  return {
    ...made,
    life,
    connect: async (params: object, signal?: AbortSignal) =>
      ((await ask("net.connect", params, signal)) as { readonly stream: string }).stream,
    write: (stream: string, text: string) =>
      ask("stream.write", { stream, data: { $b64: Buffer.from(text).toString("base64") } }),
    writeAnything: (stream: string, data: unknown) => ask("stream.write", { stream, data }),
    read: async (stream: string) => {
      const { items, done } = (await ask("stream.next", { stream })) as Batch;
      return done ? null : items.map(({ $b64 }) => Buffer.from($b64, "base64").toString()).join("");
    },
    close: (stream: string) => ask("stream.close", { stream }),
  };
}

describe("a scope of hosts", () => {
  test.each([
    [["db.test"], "db.test", true],
    [["db.test:PORT"], "db.test", true],
    [["db.test:PORT"], "DB.TEST.", true],
    [["*.test"], "db.test", true],
    [["db.test:1"], "db.test", false],
    [["*.db.test"], "db.test", false],
    [["other.test"], "db.test", false],
    [["db.test"], PUBLIC, false],
    [[PUBLIC], "db.test", false],
    [[PUBLIC], "127.2", true],
    [[], "db.test", false],
  ])("%j and %s: %p", async (hosts, host, isOpen) => {
    await using server = await serve();
    const scope = hosts.map((entry) => entry.replace("PORT", `${server.port}`));
    const { connect } = plugin({ grants: [["network_outbound", scope]] });
    const asked = connect({ host, port: server.port });
    if (isOpen) await asked;
    else expect(await rejection(asked)).toMatchObject(outOfScope);
    await until(() => server.opened() === (isOpen ? 1 : 0));
  });

  test("is told with the command that adds only this", async () => {
    const { connect, audit } = plugin({ grants: [["network_outbound", ["a.test"]]] });
    expect(await rejection(connect({ host: "db.test", port: 5432 }))).toMatchObject({
      ...outOfScope,
      hint: "to allow only that: voxeltron plugin grant ding network_outbound=a.test,db.test:5432",
    });
    expect(audit).toMatchObject([
      { method: "net.connect", target: "TCP db.test:5432", outcome: "capability.out_of_scope" },
    ]);
  });

  test("does not open a private address, and notify_send opens no connection at all", async () => {
    await using server = await serve();
    const to = { host: "db.test", port: server.port };
    expect(
      await rejection(plugin({ allowPrivate: [], grants: [["network_outbound", ["db.test"]]] }).connect(to)),
    ).toMatchObject(outOfScope);
    expect(await rejection(plugin({ grants: [["notify_send", null]] }).connect(to))).toMatchObject({
      code: "capability.denied",
    });
    expect(server.opened()).toBe(0);
    await plugin({ allowPrivate: [`db.test:${server.port}`] }).connect(to);
    await until(() => server.opened() === 1);
  });
});

describe("a connection", () => {
  test("brings bytes both ways until it is closed", async () => {
    await using server = await serve();
    const { connect, write, read, close } = plugin();
    const stream = await connect({ host: "db.test", port: server.port });
    await write(stream, "hello");
    expect(await read(stream)).toBe("hello");
    await close(stream);
    await until(() => server.open() === 0);
    expect(await rejection(write(stream, "more"))).toMatchObject({ code: "stream.not_found" });
  });

  test("takes bytes and nothing else", async () => {
    await using server = await serve();
    const { connect, writeAnything, write, read } = plugin();
    const stream = await connect({ host: "db.test", port: server.port });
    for (const data of ["text", 1, null, { $b64: "***" }, { $b64: 1 }, { $b64: "", more: 1 }, []])
      expect(await rejection(writeAnything(stream, data))).toMatchObject({
        code: "capability.invalid_params",
      });
    await write(stream, "ok");
    expect(await read(stream)).toBe("ok");
  });

  test("ends when the right to it is gone, narrowed or withdrawn", async () => {
    await using server = await serve();
    for (const change of [["other.test"], undefined]) {
      const { connect, grants, broker, read } = plugin();
      const stream = await connect({ host: "db.test", port: server.port });
      await until(() => server.open() === 1);
      if (change === undefined) grants.clear();
      else grants.set("network_outbound", change);
      broker.rightsChanged("ding");
      await until(() => server.open() === 0, { what: "the end of the connection" });
      expect(await rejection(read(stream))).toMatchObject({
        code: change === undefined ? "capability.denied" : "capability.out_of_scope",
      });
    }
  });

  test("ends when the operator takes its address out of those that may be reached", async () => {
    await using server = await serve();
    const allowPrivate = [`${PUBLIC}/32`];
    const { connect, broker, read, write } = plugin({ allowPrivate });
    const streams = [await connect({ host: "db.test", port: server.port })];
    streams.push(await connect({ host: "db.test", port: server.port }));
    await until(() => server.open() === 2);
    broker.rightsChanged();
    await Bun.sleep(20);
    expect(server.open()).toBe(2);
    allowPrivate.pop();
    // What moves meanwhile does not wait to be told.
    expect(await rejection(write(streams[0] ?? "", "x"))).toMatchObject(outOfScope);
    broker.rightsChanged();
    await until(() => server.open() === 0, { what: "the end of the connections" });
    expect(await rejection(read(streams[1] ?? ""))).toMatchObject(outOfScope);
  });

  test("that is refused a piece by a right that changed in silence ends too", async () => {
    await using server = await serve();
    const { connect, grants, write } = plugin();
    const stream = await connect({ host: "db.test", port: server.port });
    grants.set("network_outbound", ["other.test"]);
    expect(await rejection(write(stream, "x"))).toMatchObject(outOfScope);
  });

  test("ends with its room", async () => {
    await using server = await serve();
    const { connect, life } = plugin();
    await connect({ host: "db.test", port: server.port });
    await until(() => server.open() === 1);
    life.abort();
    await until(() => server.open() === 0, { what: "the end of the connection" });
  });

  test("that is cancelled while it is made is none", async () => {
    await using server = await serve();
    const stop = new AbortController();
    const { connect } = plugin({ resolve: () => new Promise(() => {}) });
    const asked = connect({ host: "db.test", port: server.port }, stop.signal);
    stop.abort();
    expect(await rejection(asked)).toMatchObject({ code: "operation.interrupted" });
    expect(server.opened()).toBe(0);
  });

  test("on which nothing moves is ended, one that speaks is not", async () => {
    await using server = await serve();
    const clock = fakeClock();
    const { connect, write, read } = plugin({ clock });
    const stream = await connect({ host: "db.test", port: server.port });
    for (let i = 0; i < 3; i++) {
      await clock.advance(LIMITS.transferIdleMs - 1);
      await write(stream, "x");
      expect(await read(stream)).toBe("x");
    }
    expect(server.open()).toBe(1);
    await clock.advance(LIMITS.transferIdleMs);
    await until(() => server.open() === 0, { what: "the end of the connection" });
    expect(await rejection(read(stream))).toMatchObject({
      code: "network.timeout",
      message: `the connection to db.test:${server.port} did not move for 60 s`,
    });
  });

  test("that does not come about in time is given up", async () => {
    const clock = fakeClock();
    const { connect } = plugin({ clock, resolve: () => new Promise(() => {}) });
    const asked = rejection(connect({ host: "db.test", port: 1 }));
    await Bun.sleep(0);
    await clock.advance(LIMITS.connectMs);
    expect(await asked).toMatchObject({ code: "network.timeout" });
  });

  test("a write that nobody takes ends with the connection", async () => {
    await using server = await serve((socket) => socket.pause());
    const clock = fakeClock();
    const { connect, write } = plugin({ clock });
    const stream = await connect({ host: "db.test", port: server.port });
    let writes = 0;
    const failure = rejection(
      (async () => {
        for (; ; writes++) await write(stream, "x".repeat(1024 * 1024));
      })(),
    );
    let last = -1;
    await until(async () => {
      await Bun.sleep(100);
      const isStill = writes === last;
      last = writes;
      return isStill;
    });
    await clock.advance(LIMITS.transferIdleMs);
    expect(await failure).toMatchObject({ code: "network.timeout" });
  });

  test("that the other side has ended takes nothing more, and says so", async () => {
    await using server = await serve((socket) => socket.destroy());
    const { connect, read, write } = plugin();
    const stream = await connect({ host: "db.test", port: server.port });
    await until(() => server.opened() === 1 && server.open() === 0);
    await Bun.sleep(50);
    expect(await rejection(write(stream, "x"))).toMatchObject({ code: "network.failed" });
    expect(await read(stream)).toBe(null);
    expect(await rejection(write(stream, "x"))).toMatchObject({ code: "stream.not_found" });
  });

  test("keeps what was given up half-way from piling up: the next piece waits until that was taken", async () => {
    await using server = await serve((socket) => socket.pause());
    const { connect, door, life } = plugin();
    const stream = await connect({ host: "db.test", port: server.port });
    const data = { $b64: Buffer.alloc(4 * MIB).toString("base64") };
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 40; i++) {
      const leaves = new AbortController();
      const origin = { life: life.signal, chars: 0 };
      const write = rejection(door.invoke("stream.write", { stream, data }, leaves.signal, origin));
      await Bun.sleep(2);
      leaves.abort();
      expect(await write).toMatchObject({ code: "operation.interrupted" });
    }
    Bun.gc(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * MIB);
  });

  test("is one of sixteen; one that is closed, or failed, makes room", async () => {
    await using server = await serve();
    const { connect, close } = plugin();
    const to = { host: "db.test", port: server.port };
    const open = await Promise.all(Array.from({ length: LIMITS.connectionsPerPlugin }, () => connect(to)));
    expect(await rejection(connect(to))).toMatchObject({ code: "capability.limit" });
    await close(open[0] ?? "");
    await connect(to);
    expect(await rejection(connect(to))).toMatchObject({ code: "capability.limit" });
    await close(open[1] ?? "");
    for (let i = 0; i < 20; i++)
      expect(await rejection(connect({ host: "db.test", port: 1 }))).toMatchObject({
        code: "network.failed",
      });
    await connect(to);
  });
});
