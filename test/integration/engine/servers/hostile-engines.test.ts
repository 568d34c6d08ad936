/** What answers in place of a server's engine: nothing of ours may reach it before it has shown who it is, and nothing that it says may harm. */
import { afterEach, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { join } from "node:path";
import { systemClock } from "../../../../src/base/clock.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { SERVER_LIMITS } from "../../../../src/base/server-limits.ts";
import type { DockerEndpoint } from "../../../../src/engine/providers/docker/endpoint.ts";
import { makeDockerProvider, type DockerProvider } from "../../../../src/engine/providers/docker/provider.ts";
import type { WorkContext } from "../../../../src/engine/providers/provider.ts";
import { issueCertificate, makeCertificate, type Certificate } from "../../../certificate.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, tempDir, until } from "../../../harness.ts";

const HOST = "127.0.0.1";
const SECRET = "the-secret-of-a-service";
const dir = tempDir();
const authority = makeCertificate("authority");
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const files = {
  ca: join(dir.path, "ca.pem"),
  cert: join(dir.path, "cert.pem"),
  key: join(dir.path, "key.pem"),
};
beforeAll(() => {
  const client = issueCertificate({ names: ["voxeltron"], issuer: authority });
  writeFileSync(files.ca, authority.cert);
  writeFileSync(files.cert, client.cert);
  writeFileSync(files.key, client.key, { mode: 0o600 });
});

interface Fake {
  readonly port: number;
  /** All that was said to it, once encryption was agreed on. */
  heard: string;
  connections: number;
}

const own = (): Certificate => issueCertificate({ names: [HOST], issuer: authority });

/** `hear`: what it does about what it heard. */
async function fakeEngine(
  certificate: Certificate,
  hear: (socket: TLSSocket, text: string) => void,
): Promise<Fake> {
  const fake: Fake = { port: 0, heard: "", connections: 0 };
  const sockets = new Set<Socket>();
  const server = createTlsServer(
    { ...certificate, requestCert: true, rejectUnauthorized: false },
    (socket) => {
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        fake.heard += chunk.toString("latin1");
        hear(socket, chunk.toString("latin1"));
      });
    },
  );
  server.on("tlsClientError", () => {});
  server.on("connection", (socket: Socket) => {
    fake.connections++;
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, HOST, resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(fake, { port: (server.address() as { port: number }).port });
}

function answer(status: string, body: unknown): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

const VERSION = answer("200 OK", { Version: "99.0", ApiVersion: "1.41" });

/** Says that it is an engine, then what `rest` does. */
function afterVersion(rest: (socket: TLSSocket, text: string) => void) {
  return (socket: TLSSocket, text: string): void => {
    if (text.startsWith("GET /version ")) socket.write(VERSION);
    else rest(socket, text);
  };
}

function providerAt(port: number, clock = systemClock, changes: object = {}): DockerProvider {
  const endpoint: DockerEndpoint = {
    protocol: "https",
    host: HOST,
    port,
    files,
    tlsName: undefined,
    ...changes,
  };
  const settings = { endpoint, address: HOST, bind: undefined, ports: { first: 21_000, last: 21_999 } };
  const provider = makeDockerProvider({
    endpoint: { server: "far", settings: () => settings, resolve: async () => [] },
    secretsOf: () => ({ TOKEN: SECRET }),
    clock,
  });
  cleanups.push(() => provider.close());
  return provider;
}

const context: WorkContext = { signal: new AbortController().signal, progress() {} };
const wanted = instanceSpec({ image: "some:1" });

interface Failure {
  readonly code: string;
  readonly message: string;
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  return (await rejection(work)) as Failure;
}

const strangers: readonly (readonly [string, () => Certificate, RegExp])[] = [
  ["signed by nobody we know", () => makeCertificate(HOST), /is not signed by the ca of far/],
  [
    "signed by somebody else",
    () => issueCertificate({ names: [HOST], issuer: makeCertificate("authority") }),
    /is not signed by the ca of far/,
  ],
  [
    "of another host",
    () => issueCertificate({ names: ["other.example"], issuer: authority }),
    /is of another host/,
  ],
  [
    "that has expired",
    () => issueCertificate({ names: [HOST], issuer: authority, from: -3, to: -1 }),
    /expired/,
  ],
  [
    "that is not valid yet",
    () => issueCertificate({ names: [HOST], issuer: authority, from: 1, to: 3 }),
    /not yet valid/,
  ],
];

test.each(strangers)("one with a certificate %s hears nothing of us", async (_, certificate, message) => {
  const fake = await fakeEngine(certificate(), (socket) => void socket.write(VERSION));
  const failure = await failureOf(providerAt(fake.port).create(wanted, context));
  expect(failure.code).toBe("server.untrusted");
  expect(failure.message).toMatch(message);
  expect(fake.connections).toBeGreaterThan(0);
  expect(fake.heard).toBe("");
});

test("one that is who it says hears us: the control of the above", async () => {
  const images = afterVersion((socket, text) =>
    socket.write(
      text.startsWith("POST /containers/create")
        ? answer("201 Created", { Id: "abc" })
        : answer("200 OK", { Config: {}, RepoDigests: [] }),
    ),
  );
  const fake = await fakeEngine(own(), images);
  await providerAt(fake.port).create(wanted, context);
  expect(fake.heard).toContain(SECRET);
  const lines = fake.heard.split("\r\n").filter((line) => line.endsWith(" HTTP/1.1"));
  expect(lines).toContain(`POST /containers/create?name=${wanted.id} HTTP/1.1`);
  expect(lines.join("\n")).not.toContain(SECRET);
});

test("a socket without encryption is told from an engine, and hears no request", async () => {
  let heard = "";
  const plain = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    });
  });
  await new Promise<void>((resolve) => void plain.listen(0, HOST, resolve));
  cleanups.push(() => plain.close());
  const failure = await failureOf(
    providerAt((plain.address() as { port: number }).port).create(wanted, context),
  );
  expect(failure).toMatchObject({ code: "server.unsupported" });
  expect(failure.message).toContain("does not speak TLS");
  expect(heard).not.toContain("HTTP/1.1");
});

test("what does not begin to encrypt is given up", async () => {
  const clock = fakeClock(Date.now());
  let connections = 0;
  const silent = createServer((socket) => void (connections++, socket.on("error", () => {})));
  await new Promise<void>((resolve) => void silent.listen(0, HOST, resolve));
  cleanups.push(() => silent.close());
  const failing = failureOf(providerAt((silent.address() as { port: number }).port, clock).list("me"));
  await until(() => connections > 0);
  await Bun.sleep(20);
  await clock.advance(SERVER_LIMITS.connectMs + 1);
  expect(await failing).toMatchObject({ code: "provider.unavailable" });
  expect((await failing).message).toContain("does not begin to encrypt");
});

test("what is silent after that is given up, and its connection closed", async () => {
  const clock = fakeClock(Date.now());
  const fake = await fakeEngine(own(), () => {});
  const failing = failureOf(providerAt(fake.port, clock).list("me"));
  await until(() => fake.heard.includes("GET /version"));
  await clock.advance(LIMITS.engineAskMs + 1);
  expect(await failing).toMatchObject({
    code: "provider.unavailable",
    message: "the docker engine of far did not answer within 10 s",
  });
});

const noise: readonly (readonly [string, (socket: TLSSocket) => void, string])[] = [
  ["garbage", (socket) => void socket.write("\0\x01 what is this\r\n\r\n"), "server.unsupported"],
  [
    "endless headers",
    (socket) => endless(socket, "HTTP/1.1 200 OK\r\n", () => `x: ${"y".repeat(4000)}\r\n`),
    "server.unsupported",
  ],
  ["a page", (socket) => void socket.write(answer("200 OK", "<html>hello</html>")), "server.unsupported"],
  ["a refusal", (socket) => void socket.write(answer("403 Forbidden", "no")), "server.unsupported"],
  [
    "an old engine",
    (socket) => void socket.write(answer("200 OK", { Version: "17.05", ApiVersion: "1.29" })),
    "server.unsupported",
  ],
  ["an end", (socket) => void socket.end(), "provider.unavailable"],
];

test.each(noise)("%s in place of an engine's answer is told as such", async (_, say, code) => {
  const fake = await fakeEngine(own(), (socket) => say(socket));
  const failure = await failureOf(providerAt(fake.port).create(wanted, context));
  expect(failure.code).toBe(code);
  expect(fake.heard).not.toContain(SECRET);
  expect(failure.message).not.toMatch(/[^\x20-\x7e]/);
});

test("an endless answer is cut, and costs no memory", async () => {
  const chunk = `10000\r\n${"z".repeat(65_536)}\r\n`;
  const fake = await fakeEngine(
    own(),
    afterVersion((socket) =>
      endless(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", () => chunk),
    ),
  );
  const before = process.memoryUsage.rss();
  const failure = await failureOf(providerAt(fake.port).list("me"));
  expect(failure.message).toBe(
    `the docker engine's answer is longer than ${SERVER_LIMITS.answerBytes} bytes`,
  );
  expect(process.memoryUsage.rss() - before).toBeLessThan(6 * SERVER_LIMITS.answerBytes);
});

test("a redirection is not followed", async () => {
  let visited = false;
  const canary = Bun.serve({
    hostname: HOST,
    port: 0,
    fetch: () => ((visited = true), new Response("hello")),
  });
  cleanups.push(() => void canary.stop(true));
  const away = `HTTP/1.1 302 Found\r\nLocation: http://${HOST}:${canary.port}/\r\nContent-Length: 0\r\n\r\n`;
  const fake = await fakeEngine(own(), (socket) => void socket.write(away));
  const failure = await failureOf(providerAt(fake.port).list("me"));
  expect(failure.code).toBe("server.unsupported");
  await Bun.sleep(100);
  expect(visited).toBe(false);
});

test("an engine of the environment takes the place of none", async () => {
  const fake = await fakeEngine(own(), (socket) => void socket.write(VERSION));
  process.env["DOCKER_HOST"] = "tcp://192.0.2.1:1";
  try {
    expect(await providerAt(fake.port).facts(5_000)).toEqual({ version: "99.0", apiVersion: "1.41" });
  } finally {
    delete process.env["DOCKER_HOST"];
  }
});

function endless(socket: TLSSocket, first: string, more: () => string): void {
  socket.write(first);
  const pump = (): void => {
    while (!socket.destroyed && socket.write(more()));
    if (!socket.destroyed) socket.once("drain", () => setTimeout(pump, 0));
  };
  pump();
}
