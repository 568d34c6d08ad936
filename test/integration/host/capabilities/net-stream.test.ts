/** `net.fetch` with `stream`: what comes whole, what comes in pieces, and when it ends. */
import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { LIMITS } from "../../../../src/base/limits.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, until } from "../../../harness.ts";
import { answerWith, rawServer } from "../../../local-server.ts";
import { netBroker, type NetWorld } from "../../../net-broker.ts";

const PUBLIC = "127.0.0.2";
const MIB = 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: { readonly $b64: string };
  readonly stream?: string;
}

interface Batch {
  readonly items: readonly { readonly $b64: string }[];
  readonly done: boolean;
}

function plugin(world: Partial<NetWorld> = {}) {
  const made = netBroker({ resolve: async () => [PUBLIC], allowPrivate: [`${PUBLIC}/32`], ...world });
  const next = (stream: string) => made.door.invoke("stream.next", { stream }) as Promise<Batch>;
  return {
    ...made,
    fetch: (url: string, init: object = {}) =>
      made.door.invoke("net.fetch", { url, stream: true, ...init }) as Promise<Answer>,
    next,
    readAll: async (stream: string) => {
      let size = 0;
      for (;;) {
        const { items, done } = await next(stream);
        for (const { $b64 } of items) size += Buffer.from($b64, "base64").length;
        if (done) return size;
      }
    },
  };
}

describe("an answer", () => {
  test.each([
    ["nothing", 0],
    ["a byte", 1],
    ["as much as goes in one message", LIMITS.fetchFirstBytes],
  ])("of %s is whole", async (_what, size) => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket, Buffer.alloc(size)));
    const { fetch } = plugin();
    const { body, stream } = await fetch(`http://web.test:${server.port}/`);
    expect(stream).toBeUndefined();
    expect(Buffer.from(body?.$b64 ?? "", "base64")).toHaveLength(size);
  });

  test("that is larger comes in pieces, with its headers first", async () => {
    const size = LIMITS.fetchFirstBytes + 1;
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket, Buffer.alloc(size)));
    const { fetch, readAll } = plugin();
    const { status, headers, body, stream = "" } = await fetch(`http://web.test:${server.port}/`);
    expect([status, body]).toEqual([200, undefined]);
    expect(headers).toContainEqual(["content-length", `${size}`]);
    expect(await readAll(stream)).toBe(size);
  });

  test("to HEAD, or of a status without one, has no body and keeps its headers", async () => {
    await using server = await rawServer(PUBLIC, (socket, head) =>
      socket.end(
        head.startsWith("HEAD")
          ? "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\nContent-Encoding: gzip\r\n\r\n"
          : "HTTP/1.1 304 Not Modified\r\nContent-Length: 5000000\r\n\r\n",
      ),
    );
    const { fetch } = plugin();
    const url = `http://web.test:${server.port}/`;
    const head = await fetch(url, { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, body: { $b64: "" } });
    expect(head.headers).toContainEqual(["content-length", "5000000"]);
    expect(head.headers).toContainEqual(["content-encoding", "gzip"]);
    expect(await fetch(url)).toMatchObject({ status: 304, body: { $b64: "" } });
  });

  test("may have 64 MiB, packed or not, and is then cut off", async () => {
    const size = LIMITS.fetchStreamBytes;
    const packed = gzipSync(Buffer.alloc(size + 1));
    await using server = await rawServer(PUBLIC, (socket, head) => {
      if (head.startsWith("GET /packed"))
        return answerWith(socket, packed, { headers: ["Content-Encoding: gzip"] });
      answerWith(socket, Buffer.alloc(size), { length: head.startsWith("GET /more") ? size + 1 : size });
      if (head.startsWith("GET /more")) socket.write("x");
    });
    const ask = async (path: string) => {
      const { fetch, readAll } = plugin();
      const { stream = "" } = await fetch(`http://web.test:${server.port}${path}`);
      return readAll(stream);
    };
    expect(await ask("/")).toBe(size);
    for (const path of ["/more", "/packed"])
      expect(await rejection(ask(path))).toMatchObject({
        code: "network.failed",
        message: "the answer's body is larger than 64 MiB",
      });
    await until(() => server.closed() === 3, { what: "closed connections" });
  }, 30_000);

  test("that breaks off in the middle says so", async () => {
    await using server = await rawServer(PUBLIC, (socket) => {
      answerWith(socket, Buffer.alloc(2 * MIB), { length: 3 * MIB });
      socket.end();
    });
    const { fetch, readAll } = plugin();
    const { stream = "" } = await fetch(`http://web.test:${server.port}/`);
    expect(await rejection(readAll(stream))).toMatchObject({
      code: "network.failed",
      message: `http://web.test:${server.port}: the answer broke off`,
    });
  });

  test("is read no faster than its plugin reads", async () => {
    let sent = 0;
    await using server = await rawServer(PUBLIC, (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const more = (): void => {
        while (sent < 60 * MIB) {
          sent += 65_536;
          if (!socket.write(Buffer.alloc(65_536))) return void socket.once("drain", more);
        }
      };
      more();
    });
    const { fetch } = plugin();
    await fetch(`http://web.test:${server.port}/`);
    let last = -1;
    await until(async () => {
      await Bun.sleep(100);
      const isStill = sent === last;
      last = sent;
      return isStill;
    });
    expect(sent).toBeLessThan(20 * MIB);
  });

  test("that nobody reads is ended after a while, and gives back its place", async () => {
    await using server = await rawServer(PUBLIC, (socket) =>
      answerWith(socket, Buffer.alloc(8 * MIB), { length: 9 * MIB }),
    );
    const clock = fakeClock();
    const { fetch, next } = plugin({ clock });
    const url = `http://web.test:${server.port}/`;
    const answers = await Promise.all(Array.from({ length: LIMITS.fetchConcurrent }, () => fetch(url)));
    const waiting = fetch(url);
    await Bun.sleep(50);
    expect(server.opened()).toBe(LIMITS.fetchConcurrent);
    await clock.advance(LIMITS.transferIdleMs);
    expect((await waiting).status).toBe(200);
    const unread = answers[0]?.stream ?? "";
    expect(await next(unread)).toMatchObject({ done: false });
    expect(await rejection(next(unread))).toMatchObject({
      code: "network.timeout",
      message: `the answer of web.test:${server.port} did not move for 60 s`,
    });
  });

  test("whose head does not come in time is given up", async () => {
    await using server = await rawServer(PUBLIC, () => {});
    const clock = fakeClock();
    const { fetch } = plugin({ clock });
    const asked = rejection(fetch(`http://web.test:${server.port}/`));
    await until(() => server.opened() === 1);
    await clock.advance(LIMITS.fetchMs);
    expect(await asked).toMatchObject({ code: "network.timeout", message: "no answer within 30 s" });
    await until(() => server.closed() === 1);
  });

  test("ends when the operator takes its address out of those that may be reached", async () => {
    await using server = await rawServer(PUBLIC, (socket) =>
      answerWith(socket, Buffer.alloc(2 * MIB), { length: 3 * MIB }),
    );
    const allowPrivate = [`${PUBLIC}/32`];
    const { fetch, broker, readAll } = plugin({ allowPrivate });
    const { stream = "" } = await fetch(`http://a.test:${server.port}/`);
    broker.rightsChanged();
    await Bun.sleep(20);
    expect(server.closed()).toBe(0);
    allowPrivate.pop();
    broker.rightsChanged();
    await until(() => server.closed() === 1, { what: "the end of the connection" });
    expect(await rejection(readAll(stream))).toMatchObject({ code: "capability.out_of_scope" });
  });

  test("ends when the right to where a redirect led is gone", async () => {
    await using target = await rawServer(PUBLIC, (socket) =>
      answerWith(socket, Buffer.alloc(2 * MIB), { length: 3 * MIB }),
    );
    await using first = await rawServer(PUBLIC, (socket) =>
      answerWith(socket, "", { status: "302 F", headers: [`Location: http://b.test:${target.port}/`] }),
    );
    const { fetch, grants, broker, readAll } = plugin({
      grants: [["network_outbound", ["a.test", "b.test"]]],
    });
    const { stream = "" } = await fetch(`http://a.test:${first.port}/`);
    grants.clear();
    broker.rightsChanged("ding");
    await until(() => target.closed() === 1, { what: "the end of the connection" });
    expect(await rejection(readAll(stream))).toMatchObject({ code: "capability.denied" });
  });
});
