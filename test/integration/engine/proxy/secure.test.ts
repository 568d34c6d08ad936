/** Encrypted requests: certificates by name, and changed while clients are connected; HTTP/2; the way from http to https. */
import { expect, test } from "bun:test";
import { connect as connectHttp2, constants } from "node:http2";
import type { TLSSocket } from "node:tls";
import { LIMITS } from "../../../../src/base/limits.ts";
import type { CertificatePem, Certificates } from "../../../../src/engine/proxy/certificates.ts";
import { makeCertificate } from "../../../certificate.ts";
import { until } from "../../../harness.ts";
import { answering, curl, proxyWorld, rawClient, rawService, talk, tlsClient } from "../../../proxy-world.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

interface Drawer extends Certificates {
  readonly held: Map<string, CertificatePem>;
  change(host: string, pem: CertificatePem): void;
}

function drawer(...hosts: string[]): Drawer {
  const held = new Map<string, CertificatePem>(hosts.map((host) => [host, makeCertificate(host)]));
  const listeners = new Set<() => void>();
  return {
    held,
    find: (host) => held.get(host),
    changed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    change(host, pem) {
      held.set(host, pem);
      for (const listener of listeners) listener();
    },
  };
}

const serialOf = (socket: TLSSocket): string => socket.getPeerCertificate().serialNumber;

test("each name is served with its certificate, by HTTP/2 and by HTTP/1.1; a name without one gets no connection", async () => {
  await using world = await proxyWorld({ isSecure: true, certificates: drawer("a.test", "b.test") });
  await using service = answering(OK);
  for (const name of ["a.test", "b.test", "c.test"]) world.routes.set(name, service.port);
  const names = [];
  for (const name of ["a.test", "b.test"]) {
    expect(await curl(`https://${name}:${world.https}/x?y=1`)).toEqual({
      status: 200,
      version: "2",
      body: "ok",
      exit: 0,
    });
    expect(await curl(`https://${name}:${world.https}/`, "--http1.1")).toMatchObject({
      status: 200,
      version: "1.1",
    });
    const socket = await tlsClient(world.https, name, ["http/1.1"]);
    names.push(socket.getPeerCertificate().subject.CN);
    socket.destroy();
  }
  expect(names).toEqual(["a.test", "b.test"]);
  expect((await curl(`https://c.test:${world.https}/`)).exit).toBe(35);
  expect(service.heard).toContain("GET /x?y=1 HTTP/1.1\r\nHost: a.test:");
  expect(service.heard).toContain("X-Forwarded-Proto: https\r\n");
  expect(world.entries.map(({ protocol }) => protocol)).toContain("HTTP/2");
});

test("a new certificate counts from the next handshake on, and no connection is dropped", async () => {
  const certificates = drawer("a.test");
  await using world = await proxyWorld({ isSecure: true, certificates });
  await using service = answering(OK);
  world.routes.set("a.test", service.port);
  const before = await tlsClient(world.https, "a.test", ["http/1.1"]);
  let heard = "";
  before.on("data", (bytes: Buffer) => void (heard += bytes.toString("latin1")));
  certificates.change("a.test", makeCertificate("a.test"));
  const after = await tlsClient(world.https, "a.test", ["http/1.1"]);
  expect(serialOf(after)).not.toBe(serialOf(before));
  before.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await until(() => heard === OK);
  certificates.change("a.test", { cert: "no", key: "certificate" });
  const refused = tlsClient(world.https, "a.test", ["http/1.1"]);
  expect(await refused.catch(() => "refused")).toBe("refused");
  before.destroy();
  after.destroy();
});

test("http leads to https where the name has a certificate, but not what proves that the name is ours", async () => {
  const certificates = drawer("a.test");
  const challenge = (token: string): string | undefined => (token === "tok" ? "tok.proof" : undefined);
  await using world = await proxyWorld({ isSecure: true, certificates, challenge });
  await using service = answering(OK);
  world.routes.set("a.test", service.port);
  world.routes.set("plain.test", service.port);
  const get = (host: string, path: string): Promise<string> =>
    talk(world.http, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const moved = await get("A.test:80", "/x?y=z");
  expect(moved).toStartWith("HTTP/1.1 308 Permanent Redirect\r\n");
  expect(moved).toContain(`\r\nLocation: https://a.test:${world.https}/x?y=z\r\n`);
  expect(await get("plain.test", "/")).toStartWith("HTTP/1.1 200 OK\r\n");
  expect(service.heard.match(/GET/g)).toHaveLength(1);
  expect(await get("a.test", "/.well-known/acme-challenge/tok")).toEndWith("\r\n\r\ntok.proof");
  expect(await get("nowhere.test", "/.well-known/acme-challenge/tok")).toEndWith("\r\n\r\ntok.proof");
  // A token that is not ours may be the service's.
  expect(await get("a.test", "/.well-known/acme-challenge/other")).toEndWith("ok");
  expect(service.heard).toContain("GET /.well-known/acme-challenge/other ");
});

test("by HTTP/2 a service gets heads and bodies as by HTTP/1.1, and many requests share a connection", async () => {
  await using world = await proxyWorld({ isSecure: true, certificates: drawer("a.test") });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) =>
      Response.json(
        {
          path: new URL(request.url).pathname,
          headers: Object.fromEntries(request.headers),
          body: (await request.bytes()).length,
        },
        {
          headers: [
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
            ["keep-alive", "timeout=5"],
          ],
        },
      ),
  });
  world.routes.set("a.test", server.port);
  const session = connectHttp2(`https://127.0.0.1:${world.https}`, {
    servername: "a.test",
    rejectUnauthorized: false,
  } as never);
  const ask = (headers: Record<string, string>, body?: Uint8Array) =>
    new Promise<{ head: Record<string, unknown>; text: string }>((resolve, reject) => {
      const stream = session.request(
        { ":authority": "a.test", ":scheme": "https", ...headers },
        { endStream: body === undefined },
      );
      let head = {};
      let text = "";
      stream.on("response", (found) => (head = found));
      stream.on("data", (bytes: Buffer) => (text += bytes.toString()));
      stream.on("end", () => resolve({ head, text }));
      stream.on("error", reject);
      if (body !== undefined) stream.end(body);
    });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      ask(
        { ":method": "POST", ":path": `/${index}`, cookie: "x=1", "x-forwarded-for": "6.6.6.6" },
        new Uint8Array(index * 5000),
      ),
    ),
  );
  for (const [index, { head, text }] of answers.entries()) {
    const got = JSON.parse(text) as { path: string; body: number; headers: Record<string, string> };
    expect(got).toMatchObject({ path: `/${index}`, body: index * 5000 });
    expect(got.headers).toMatchObject({
      host: "a.test",
      cookie: "x=1",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
    });
    expect(head).toMatchObject({ ":status": 200, "set-cookie": ["a=1", "b=2"] });
    expect(head["keep-alive"]).toBeUndefined();
  }
  expect((await ask({ ":method": "GET", ":path": "/", ":authority": "no.test" })).head).toMatchObject({
    ":status": 404,
  });
  expect((await ask({ ":method": "HEAD", ":path": "/" })).text).toBe("");
  session.close();
  await server.stop(true);
});

test("what HTTP/2 lets through and HTTP/1.1 would read differently is refused", async () => {
  await using world = await proxyWorld({ isSecure: true, certificates: drawer("a.test") });
  await using service = answering(OK);
  world.routes.set("a.test", service.port);
  for (const [name, headers] of [
    ["a blank in the path", { ":path": "/ HTTP/1.1\u0020x" }],
    ["chunks", { "transfer-encoding": "chunked" }],
    ["a length that is too large for no body", { "content-length": "5" }],
    ["a tunnel", { ":method": "CONNECT" }],
  ] as const) {
    const session = connectHttp2(`https://127.0.0.1:${world.https}`, {
      servername: "a.test",
      rejectUnauthorized: false,
    } as never);
    session.on("error", () => {});
    const outcome = await new Promise<number | string>((resolve) => {
      try {
        const stream = session.request({
          ":method": "GET",
          ":path": "/",
          ":authority": "a.test",
          ":scheme": "https",
          ...headers,
        });
        stream.on("response", (head) => resolve(head[":status"] as number));
        stream.on("error", () => resolve("cut"));
        stream.on("close", () => resolve("cut"));
      } catch {
        // This client does not even send it.
        resolve("unsent");
      }
    });
    expect([name, outcome === 400 || outcome === 405 || outcome === "cut" || outcome === "unsent"]).toEqual([
      name,
      true,
    ]);
    session.destroy();
  }
  expect(service.heard).toBe("");
});

test("a download by HTTP/2 waits for a client that does not read", async () => {
  await using world = await proxyWorld({ isSecure: true, certificates: drawer("a.test") });
  const block = Buffer.alloc(2 ** 20, "x");
  const size = 64 * 2 ** 20;
  let sent = 0;
  const pump = (socket: Bun.Socket): void => {
    while (sent < size) {
      const taken = socket.write(block.subarray(sent % block.length));
      sent += Math.max(taken, 0);
      if (taken <= 0 || sent % block.length !== 0) return;
    }
  };
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        pump(socket);
      },
      drain: pump,
      error() {},
    },
  });
  world.routes.set("a.test", listener.port);
  const before = process.memoryUsage.rss();
  const session = connectHttp2(`https://127.0.0.1:${world.https}`, {
    servername: "a.test",
    rejectUnauthorized: false,
  } as never);
  const stream = session.request({ ":path": "/", ":authority": "a.test" });
  await new Promise((resolve) => stream.on("response", resolve));
  let seen = -1;
  await until(() => (sent > 0 && sent === seen) || ((seen = sent), false));
  await Bun.sleep(100);
  expect(sent).toBeLessThan(size / 2);
  expect(process.memoryUsage.rss() - before).toBeLessThan(size * 0.75);
  let got = 0;
  stream.on("data", (bytes: Buffer) => (got += bytes.length));
  await until(() => got === size, { timeoutMs: 20_000 });
  session.destroy();
  listener.stop(true);
}, 30_000);

test("a client that gives its requests up is told to the service, and one that does nothing else is cut", async () => {
  await using world = await proxyWorld({ isSecure: true, certificates: drawer("a.test") });
  await using service = rawService();
  world.routes.set("a.test", service.port);
  const session = connectHttp2(`https://127.0.0.1:${world.https}`, {
    servername: "a.test",
    rejectUnauthorized: false,
  } as never);
  session.on("error", () => {});
  const seen = { isClosed: false };
  session.on("close", () => (seen.isClosed = true));
  const first = session.request({ ":path": "/", ":authority": "a.test" });
  first.on("error", () => {});
  await until(() => service.sockets.length === 1);
  first.close(constants.NGHTTP2_CANCEL);
  await until(() => service.closed === 1);
  expect(seen.isClosed).toBe(false);
  for (let count = 0; count < 3 * LIMITS.proxyResetsPerSecond && !seen.isClosed; count++) {
    try {
      const stream = session.request({ ":path": "/", ":authority": "a.test" });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    } catch {
      // The proxy has said that it takes no more.
      break;
    }
    if (count % 20 === 0) await Bun.sleep(1);
  }
  await until(() => seen.isClosed);
});

test("a service that dies in mid-answer resets the stream, and no more than that", async () => {
  await using world = await proxyWorld({ isSecure: true, certificates: drawer("a.test") });
  await using service = answering("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf");
  world.routes.set("a.test", service.port);
  const cut = curl(`https://a.test:${world.https}/`);
  await until(() => service.sockets.length === 1);
  await Bun.sleep(50);
  service.sockets[0]?.terminate();
  expect((await cut).exit).not.toBe(0);
  await using down = rawService((socket) => socket.terminate());
  world.routes.set("a.test", down.port);
  expect(await curl(`https://a.test:${world.https}/`)).toMatchObject({ status: 502, version: "2" });
});

test("a WebSocket goes through encryption too, and a plain client at the encrypted port gets nothing", async () => {
  await using world = await proxyWorld({ isSecure: true, certificates: drawer("a.test") });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("no")),
    websocket: { message: (socket, message) => void socket.send(message) },
  });
  world.routes.set("a.test", server.port);
  const socket = new WebSocket(`wss://127.0.0.1:${world.https}/`, {
    headers: { Host: "a.test" },
    tls: { rejectUnauthorized: false, serverName: "a.test" },
  } as never);
  const echo = new Promise((resolve) => socket.addEventListener("message", ({ data }) => resolve(data)));
  socket.addEventListener("open", () => socket.send("hello"));
  expect(await echo).toBe("hello");
  socket.close();
  const plain = await rawClient(world.https, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await until(() => plain.closed || plain.ended);
  expect(plain.heard).not.toContain("HTTP/1.1 200");
  await server.stop(true);
});
