/** What clients are told where a service is stopped, down, broken or slow, and what a client can't do to the proxy. */
import { expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { freePort, until } from "../../../harness.ts";
import { answering, proxyWorld, rawClient, rawService, talk } from "../../../proxy-world.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nab";

test("an unknown host is a 404, a stopped service a 503, and the connection goes on", async () => {
  await using world = await proxyWorld();
  world.routes.set("stopped.test", undefined);
  const unknown =
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 37\r\n\r\n";
  const both = "GET / HTTP/1.1\r\nHost: no.test\r\n\r\nGET / HTTP/1.1\r\nHost: stopped.test\r\n\r\n";
  const heard = await talk(world.http, both, /available\n$/);
  expect(heard).toStartWith(`${unknown}404 no service answers for this host\n`);
  expect(heard).toContain("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n");
  expect(await talk(world.http, "GET / HTTP/1.0\r\n\r\n")).toStartWith("HTTP/1.1 404 ");
  expect(await talk(world.http, "HEAD / HTTP/1.1\r\nHost: no.test\r\n\r\n", /\r\n\r\n/)).toEndWith(
    "\r\n\r\n",
  );
});

test("where nothing listens the answer is 503, at once from the second request on, and 200 when it is back", async () => {
  await using world = await proxyWorld();
  const port = freePort();
  world.routes.set("app.test", port);
  expect(await talk(world.http, GET, /\n$/)).toStartWith("HTTP/1.1 503 ");
  const startMs = performance.now();
  for (let round = 0; round < 5; round++)
    expect(await talk(world.http, POST, /available\n$/)).toStartWith("HTTP/1.1 503 ");
  expect(performance.now() - startMs).toBeLessThan(700);
  const server = Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response("back") });
  expect(await talk(world.http, GET, /back$/)).toStartWith("HTTP/1.1 200 ");
  await server.stop(true);
});

test("a service that is just being restarted is waited for", async () => {
  await using world = await proxyWorld();
  const port = freePort();
  world.routes.set("app.test", port);
  const answer = talk(world.http, POST, /ok$/);
  await Bun.sleep(150);
  const server = Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response("ok") });
  expect(await answer).toStartWith("HTTP/1.1 200 ");
  await server.stop(true);
});

test("a service that closes the connection without an answer is a 502, and is asked once", async () => {
  await using world = await proxyWorld();
  await using service = rawService((socket) => void socket.end());
  world.routes.set("app.test", service.port);
  expect(await talk(world.http, GET, /\n$/)).toStartWith("HTTP/1.1 502 ");
  expect(service.sockets).toHaveLength(1);
});

test("a service that dies in mid-answer cuts it: it never looks whole", async () => {
  await using world = await proxyWorld();
  for (const head of ["Content-Length: 99", "Transfer-Encoding: chunked"])
    for (const leave of ["end", "terminate"] as const) {
      await using service = answering(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhello\r\n`);
      world.routes.set("app.test", service.port);
      const client = await rawClient(world.http, GET);
      await until(() => client.heard.includes("5\r\nhe"));
      service.sockets[0]?.[leave]();
      await until(() => client.closed);
      expect(client.ended).toBe(false);
      expect(client.heard).not.toContain("0\r\n\r\n");
      expect(
        await fetch(`http://127.0.0.1:${world.http}/`, { headers: { host: "app.test" } }).then((r) => {
          setTimeout(() => service.sockets.at(-1)?.[leave](), 20);
          return r.text().catch(() => "cut");
        }),
      ).toBe("cut");
    }
  await until(() => world.entries.some(({ problem }) => problem === "the service broke its answer off"));
});

test("a service that does not answer in time is a 504, and its connection is gone", async () => {
  await using world = await proxyWorld({ responseMs: 300 });
  await using service = rawService();
  world.routes.set("app.test", service.port);
  expect(await talk(world.http, GET, /\n$/)).toStartWith("HTTP/1.1 504 Gateway Timeout\r\n");
  await until(() => service.closed === 1);
  // Once the answer has begun it may take its time.
  await using slow = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  world.routes.set("app.test", slow.port);
  const client = await rawClient(world.http, GET);
  await until(() => client.heard !== "");
  await Bun.sleep(1200);
  slow.sockets[0]?.write("ok");
  await until(() => client.heard === OK);
  client.socket.terminate();
});

test("a client that takes its time over a body does not use up that of the service", async () => {
  await using world = await proxyWorld({ responseMs: 300 });
  await using service = rawService((socket, text) => {
    if (text.endsWith("b")) socket.write(OK);
  });
  world.routes.set("app.test", service.port);
  const client = await rawClient(world.http, POST.slice(0, -1));
  await until(() => service.heard.endsWith("\r\n\r\na"));
  await Bun.sleep(1200);
  expect(client.heard).toBe("");
  client.socket.write("b");
  await until(() => client.heard === OK);
  client.socket.write(POST.replace("ab", "ac"));
  await until(() => client.heard.startsWith(`${OK}HTTP/1.1 504 `));
  client.socket.terminate();
});

test("a service that hangs up as soon as it is reached is a 502", async () => {
  await using world = await proxyWorld({ responseMs: 3000 });
  for (const leave of ["end", "terminate"] as const) {
    const listener = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: (socket) => void socket[leave](), data() {}, error() {} },
    });
    world.routes.set("app.test", listener.port);
    for (let round = 0; round < 10; round++)
      expect(await talk(world.http, GET, /\n$/)).toStartWith("HTTP/1.1 502 ");
    listener.stop(true);
  }
});

test("a request over a connection that the service had closed meanwhile is sent again; what must not be sent twice never is", async () => {
  await using world = await proxyWorld();
  let count = 0;
  // Answers the first request of each connection, and cuts the connection at the second.
  await using service = rawService((socket) => {
    const isFirst = service.sockets.indexOf(socket) === count;
    if (!isFirst) return socket.terminate();
    count++;
    socket.write(OK);
  });
  world.routes.set("app.test", service.port);
  const client = await rawClient(world.http, GET);
  await until(() => client.heard === OK);
  client.socket.write(GET);
  await until(() => client.heard === OK + OK);
  expect(service.sockets).toHaveLength(2);

  await Bun.sleep(LIMITS.proxyYoungMs + 20);
  service.heard = "";
  client.socket.write(POST);
  await until(() => client.heard === OK.repeat(3));
  expect(service.heard.match(/POST/g)).toHaveLength(1);
  client.socket.terminate();
});

test("heads that are too large are refused", async () => {
  await using world = await proxyWorld();
  await using service = answering(OK);
  world.routes.set("app.test", service.port);
  const lines = (count: number): string =>
    Array.from({ length: count }, (_, index) => `X-${index}: y\r\n`).join("");
  const request = (fields: string, path = "/"): string =>
    `GET ${path} HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n`;
  expect(await talk(world.http, request(lines(100)))).toStartWith("HTTP/1.1 431 ");
  expect(await talk(world.http, request(`X: ${"y".repeat(LIMITS.proxyHeadBytes)}\r\n`))).toStartWith(
    "HTTP/1.1 431 ",
  );
  expect(await talk(world.http, request("", `/${"y".repeat(LIMITS.proxyTargetBytes)}`))).toStartWith(
    "HTTP/1.1 414 ",
  );
  expect(await talk(world.http, `GET /${"y".repeat(LIMITS.proxyHeadBytes)}`)).toStartWith("HTTP/1.1 414 ");
  expect(service.heard).toBe("");
  expect(await talk(world.http, request(lines(99)), /ok$/)).toStartWith("HTTP/1.1 200 ");
});

test("a client that dawdles over its head or body is told so, one that says nothing is let go", async () => {
  await using world = await proxyWorld({ speed: 100 });
  await using service = rawService();
  world.routes.set("app.test", service.port);
  const head = await rawClient(world.http, "GET / HTTP/1.1\r\n");
  const dawdle = setInterval(() => head.socket.write("X: y\r\n"), 20);
  await until(() => head.ended);
  clearInterval(dawdle);
  expect(head.heard).toStartWith("HTTP/1.1 408 Request Timeout\r\n");

  const body = await rawClient(
    world.http,
    "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 9\r\n\r\nabc",
  );
  await until(() => body.ended);
  expect(body.heard).toStartWith("HTTP/1.1 408 ");
  await until(() => service.closed === 1);

  const silent = await rawClient(world.http);
  await until(() => silent.closed);
  expect(silent.heard).toBe("");
  await using quick = answering(OK);
  world.routes.set("app.test", quick.port);
  const idle = await rawClient(world.http, GET);
  await until(() => idle.closed);
  expect(idle.heard).toBe(OK);
});

test("a client that reads nothing of its answer is let go, and so is its connection to the service", async () => {
  await using world = await proxyWorld({ speed: 100 });
  const block = Buffer.alloc(2 ** 20, "x");
  let sent = 0;
  await using service = rawService((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const timer = setInterval(() => (sent += Math.max(socket.write(block), 0)), 5);
    void until(() => service.closed > 0, { timeoutMs: 10_000 }).finally(() => clearInterval(timer));
  });
  world.routes.set("app.test", service.port);
  const client = await rawClient(world.http);
  client.socket.pause();
  client.socket.write(GET);
  await until(() => service.closed === 1, { timeoutMs: 10_000 });
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(64 * 2 ** 20);
  client.socket.terminate();
});

test("where there are too many clients an idle one makes room, and where all are busy the new one is told", async () => {
  await using world = await proxyWorld({ clientsMost: 3 });
  await using service = rawService();
  world.routes.set("app.test", service.port);
  const idle = await rawClient(world.http, "GET / HTTP/1.1\r\nHost: no.test\r\n\r\n");
  await until(() => idle.heard.startsWith("HTTP/1.1 404 "));
  const busy = [];
  for (let count = 1; count <= 3; count++) {
    busy.push(await rawClient(world.http, GET));
    await until(() => service.sockets.length === count);
  }
  await until(() => idle.ended);
  expect(await talk(world.http, GET)).toStartWith("HTTP/1.1 503 ");
  expect(busy.some(({ ended, closed }) => ended || closed)).toBe(false);
  busy[0]?.socket.terminate();
  await until(() => service.closed === 1);
  const next = await rawClient(world.http, GET);
  await until(() => service.sockets.length === 4);
  for (const client of [...busy, next]) client.socket.terminate();
});

test("more requests than may be under way are told so, and connections go on", async () => {
  await using world = await proxyWorld({ workMost: 2 });
  await using service = rawService();
  world.routes.set("app.test", service.port);
  const busy = [await rawClient(world.http, GET), await rawClient(world.http, GET)];
  await until(() => service.sockets.length === 2);
  const third = await rawClient(world.http, GET);
  await until(() => third.heard.startsWith("HTTP/1.1 503 "));
  for (const socket of service.sockets) socket.write(OK);
  await until(() => busy.every(({ heard }) => heard === OK));
  third.heard = "";
  third.socket.write(GET);
  await until(() => service.heard.match(/GET/g)?.length === 3);
  for (const client of [...busy, third]) client.socket.terminate();
});
