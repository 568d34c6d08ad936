/** Requests through the proxy by HTTP/1.1: what the service gets, what the client gets, and what becomes of connections. */
import { expect, test } from "bun:test";
import { until } from "../../../harness.ts";
import { answering, proxyWorld, rawClient, rawService, talk } from "../../../proxy-world.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

test("a service gets the request as it was, with who asked and without what was meant for the proxy", async () => {
  await using world = await proxyWorld();
  await using service = answering(OK);
  world.routes.set("app.test", service.port);
  const request = [
    "GET /a%20b?x=1&y=/ HTTP/1.1",
    "Host: App.TEST:8080",
    "X-Mine: kept",
    "x-forwarded-for: 6.6.6.6",
    "X_Forwarded_Proto: https",
    "X-Real-IP: 6.6.6.6",
    "Forwarded: for=6.6.6.6",
    "Proxy: http://evil",
    "Connection: keep-alive, X-Hop",
    "X-Hop: gone",
    "Keep-Alive: timeout=5",
    "TE: trailers",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
    "Accept: a, b",
  ].join("\r\n");
  expect(await talk(world.http, `${request}\r\n\r\n`, /ok$/)).toBe(OK);
  expect(service.heard).toBe(
    [
      "GET /a%20b?x=1&y=/ HTTP/1.1",
      "Host: App.TEST:8080",
      "X-Mine: kept",
      "Accept: a, b",
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Host: App.TEST:8080",
      "",
      "",
    ].join("\r\n"),
  );
});

test("many requests share a connection on both sides", async () => {
  await using world = await proxyWorld();
  await using service = answering(OK);
  world.routes.set("app.test", service.port);
  const client = await rawClient(world.http);
  for (let round = 1; round <= 5; round++) {
    client.socket.write("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await until(() => client.heard === OK.repeat(round));
  }
  expect(service.sockets).toHaveLength(1);
  client.socket.end();
  await until(() => client.closed);
});

test("requests that are sent ahead are answered one after the other, in order", async () => {
  await using world = await proxyWorld();
  let count = 0;
  await using service = rawService((socket) => {
    const text = `${++count}`;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  });
  world.routes.set("app.test", service.port);
  const request = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
  const heard = await talk(world.http, request.repeat(30), /\r\n\r\n30$/);
  const bodies = [...heard.matchAll(/\r\n\r\n(\d+)(?=HTTP|$)/g)].map(([, body]) => Number(body));
  expect(bodies).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
});

test("bodies go both ways as they come, with a length, in chunks, and until the end of the connection", async () => {
  await using world = await proxyWorld();
  await using service = rawService();
  world.routes.set("app.test", service.port);
  const client = await rawClient(
    world.http,
    "POST /up HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n3;note=x\r\nabc\r\n",
  );
  await until(() => service.heard.includes("abc"));
  expect(service.heard).toContain("Transfer-Encoding: chunked\r\n");
  expect(service.heard).toEndWith("\r\n\r\n3\r\nabc\r\n");
  client.socket.write("2\r\nde\r\n0\r\nTrailer: x\r\n\r\n");
  await until(() => service.heard.endsWith("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  const [upstream] = service.sockets;
  upstream?.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n");
  await until(() => client.heard.endsWith("4\r\npart\r\n"));
  upstream?.write("0\r\n\r\n");
  await until(() => client.heard.endsWith("0\r\n\r\n"));

  client.socket.write("PUT /up HTTP/1.1\r\nHost: app.test\r\nContent-Length: 6\r\n\r\n123");
  await until(() => service.heard.endsWith("123"));
  client.socket.write("456");
  await until(() => service.heard.endsWith("123456"));
  client.heard = "";
  service.sockets.at(-1)?.end("HTTP/1.1 200 OK\r\nServer: old\r\n\r\nuntil the end");
  await until(() => client.heard.endsWith("d\r\nuntil the end\r\n0\r\n\r\n"));
  expect(client.heard).toContain("Transfer-Encoding: chunked\r\n");
  expect(client.closed).toBe(false);
  client.socket.terminate();
});

test("a client of HTTP/1.0 gets no chunks and no interim answers", async () => {
  await using world = await proxyWorld();
  await using service = answering(
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n3\r\nend\r\n0\r\n\r\n",
  );
  world.routes.set("app.test", service.port);
  expect(await talk(world.http, "GET / HTTP/1.0\r\nHost: app.test\r\n\r\n")).toBe(
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npartend",
  );
  expect(await talk(world.http, "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", /0\r\n\r\n$/)).toStartWith(
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n",
  );
});

test("answers without a body end where they end", async () => {
  await using world = await proxyWorld();
  for (const [method, answer] of [
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ] as const) {
    await using service = answering(answer);
    world.routes.set("app.test", service.port);
    const client = await rawClient(world.http);
    for (let round = 1; round <= 2; round++) {
      client.socket.write(`${method} / HTTP/1.1\r\nHost: app.test\r\n\r\n`);
      await until(() => client.heard === answer.repeat(round));
    }
    client.socket.terminate();
  }
});

test("what a service says beyond its answer reaches nobody", async () => {
  await using world = await proxyWorld();
  await using service = answering(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
  world.routes.set("app.test", service.port);
  const client = await rawClient(world.http);
  for (let round = 1; round <= 3; round++) {
    client.socket.write("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await until(() => client.heard === OK.repeat(round));
  }
  expect(service.sockets).toHaveLength(3);
  client.socket.terminate();
});

test("an answer that comes before the request is whole ends the connection, and is not lost", async () => {
  await using world = await proxyWorld();
  await using service = answering("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!");
  world.routes.set("app.test", service.port);
  const client = await rawClient(
    world.http,
    "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\nbegin",
  );
  await until(() => client.ended);
  client.socket.write("more");
  expect(client.heard).toBe("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!");
  client.socket.end();
  await until(() => client.closed);
});

test("a client that waits for 100 Continue gets it from the service", async () => {
  await using world = await proxyWorld();
  await using service = rawService();
  world.routes.set("app.test", service.port);
  const client = await rawClient(
    world.http,
    "POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
  );
  await until(() => service.heard.includes("Expect: 100-continue\r\n"));
  service.sockets[0]?.write("HTTP/1.1 100 Continue\r\n\r\n");
  await until(() => client.heard === "HTTP/1.1 100 Continue\r\n\r\n");
  client.socket.write("body");
  await until(() => service.heard.endsWith("\r\n\r\nbody"));
  service.sockets[0]?.write(OK);
  await until(() => client.heard.endsWith(OK));
  client.socket.terminate();
});

test("a client that goes away is told to the service at once", async () => {
  await using world = await proxyWorld();
  await using service = rawService();
  world.routes.set("app.test", service.port);
  for (const leave of ["end", "terminate"] as const) {
    const before = service.closed;
    const client = await rawClient(world.http, "GET /slow HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await until(() => service.sockets.length > before);
    client.socket[leave]();
    await until(() => service.closed > before);
  }
  await using stream = answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
  world.routes.set("app.test", stream.port);
  const client = await rawClient(world.http, "GET /events HTTP/1.1\r\nHost: app.test\r\n\r\n");
  await until(() => client.heard.includes("hi"));
  client.socket.end();
  await until(() => stream.closed === 1);
});

test("an address with a host wins over Host, and OPTIONS * is passed on", async () => {
  await using world = await proxyWorld();
  await using service = answering(OK);
  world.routes.set("app.test", service.port);
  await talk(world.http, "GET http://app.test?q HTTP/1.1\r\nHost: other.test\r\n\r\n", /ok$/);
  expect(service.heard).toStartWith("GET /?q HTTP/1.1\r\nHost: app.test\r\n");
  service.heard = "";
  await talk(world.http, "OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n", /ok$/);
  expect(service.heard).toStartWith("OPTIONS * HTTP/1.1\r\n");
});

test("the access log has who asked for what, and no query", async () => {
  await using world = await proxyWorld();
  await using service = answering(OK);
  world.routes.set("app.test", service.port);
  await talk(
    world.http,
    "POST /login?token=secret HTTP/1.1\r\nHost: app.test:1\r\nContent-Length: 3\r\n\r\nabc",
    /ok$/,
  );
  await until(() => world.entries.some(({ method }) => method === "POST"));
  const entry = world.entries.find(({ method }) => method === "POST");
  expect(entry).toMatchObject({
    remote: "127.0.0.1",
    protocol: "HTTP/1.1",
    isSecure: false,
    host: "app.test",
    path: "/login",
    status: 200,
    service: "web",
    bytesIn: 3,
    bytesOut: 2,
  });
  expect(JSON.stringify(world.entries)).not.toContain("secret");
});
