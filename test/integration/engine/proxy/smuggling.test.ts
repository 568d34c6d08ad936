/**
 * Requests that two programs could read differently. Each is refused and its connection ended, and the service hears nothing of it;
 * the same request without its flaw is the control, and is answered.
 */
import { expect, test } from "bun:test";
import { answering, proxyWorld, rawService, talk } from "../../../proxy-world.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: app.test\r\n\r\n";
const head = (...lines: string[]): string => `${lines.join("\r\n")}\r\n\r\n`;
const POST = "POST / HTTP/1.1";
const HOST = "Host: app.test";

const ATTACKS: readonly (readonly [name: string, status: number, request: string])[] = [
  [
    "a length and chunks",
    400,
    `${head(POST, HOST, "Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n`,
  ],
  [
    "chunks and a length",
    400,
    `${head(POST, HOST, "Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n`,
  ],
  ["two lengths that differ", 400, head(POST, HOST, "Content-Length: 0", "Content-Length: 40")],
  ["two lengths that agree", 400, `${head(POST, HOST, "Content-Length: 2", "Content-Length: 2")}ab`],
  ["a list of lengths", 400, `${head(POST, HOST, "Content-Length: 2, 2")}ab`],
  ["a length with a sign", 400, `${head(POST, HOST, "Content-Length: +2")}ab`],
  ["a negative length", 400, head(POST, HOST, "Content-Length: -1")],
  ["a hexadecimal length", 400, `${head(POST, HOST, "Content-Length: 0x2")}ab`],
  ["an empty length", 400, head(POST, HOST, "Content-Length:")],
  ["a length beyond all numbers", 400, head(POST, HOST, "Content-Length: 99999999999999999999")],
  [
    "two transfer codings",
    400,
    `${head(POST, HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: identity")}0\r\n\r\n`,
  ],
  ["a list of transfer codings", 501, `${head(POST, HOST, "Transfer-Encoding: gzip, chunked")}0\r\n\r\n`],
  ["a transfer coding in quotes", 501, `${head(POST, HOST, 'Transfer-Encoding: "chunked"')}0\r\n\r\n`],
  ["an unknown transfer coding", 501, `${head(POST, HOST, "Transfer-Encoding: xchunked")}0\r\n\r\n`],
  [
    "a transfer coding with a vertical tab",
    400,
    `${head(POST, HOST, "Transfer-Encoding: \vchunked")}0\r\n\r\n`,
  ],
  ["a blank before the colon", 400, `${head(POST, HOST, "Transfer-Encoding : chunked")}0\r\n\r\n`],
  ["a tab before the colon", 400, `${head(POST, HOST, "Content-Length\t: 2")}ab`],
  ["a folded line", 400, `${head(POST, HOST, "X-A: b", " Transfer-Encoding: chunked")}0\r\n\r\n`],
  ["a folded first line", 400, head("GET / HTTP/1.1", " Host: evil.test", HOST)],
  ["a bare line feed between lines", 400, `GET / HTTP/1.1\nHost: app.test\r\n\r\n`],
  ["a bare line feed in a value", 400, head("GET / HTTP/1.1", HOST, "X-A: b\nTransfer-Encoding: chunked")],
  [
    "a bare carriage return in a value",
    400,
    head("GET / HTTP/1.1", HOST, "X-A: b\rTransfer-Encoding: chunked"),
  ],
  ["a NUL in a value", 400, head("GET / HTTP/1.1", HOST, "X-A: b\0c")],
  ["a NUL in a name", 400, head("GET / HTTP/1.1", HOST, "X-A\0: b")],
  ["a name of bytes beyond ASCII", 400, head("GET / HTTP/1.1", HOST, "X-\xe9: b")],
  ["a line without a colon", 400, head("GET / HTTP/1.1", HOST, "nothing")],
  ["an empty name", 400, head("GET / HTTP/1.1", HOST, ": x")],
  ["no host", 400, head("GET / HTTP/1.1")],
  ["two hosts", 400, head("GET / HTTP/1.1", HOST, "Host: evil.test")],
  ["two hosts that agree", 400, head("GET / HTTP/1.1", HOST, HOST)],
  ["a host with a path", 400, head("GET / HTTP/1.1", "Host: app.test/evil")],
  ["a host with a user", 400, head("GET / HTTP/1.1", "Host: evil@app.test")],
  ["a host that is a list", 400, head("GET / HTTP/1.1", "Host: app.test, evil.test")],
  ["a user in the address", 400, head("GET http://evil@app.test/ HTTP/1.1", HOST)],
  ["two blanks in the first line", 400, head("GET  / HTTP/1.1", HOST)],
  ["a tab in the first line", 400, head("GET\t/\tHTTP/1.1", HOST)],
  ["a blank in the address", 400, head("GET /a b HTTP/1.1", HOST)],
  ["a method that is none", 400, head("GE(T / HTTP/1.1", HOST)],
  ["no version", 400, head("GET /", HOST)],
  ["a version of two digits", 400, head("GET / HTTP/1.10", HOST)],
  ["another version", 505, head("GET / HTTP/2.0", HOST)],
  ["HTTP/2 that was not agreed on", 505, head("PRI * HTTP/2.0")],
  ["chunks in HTTP/1.0", 400, `${head("POST / HTTP/1.0", HOST, "Transfer-Encoding: chunked")}0\r\n\r\n`],
  ["a tunnel to anywhere", 405, head("CONNECT evil.test:443 HTTP/1.1", HOST)],
  ["an echo", 405, head("TRACE / HTTP/1.1", HOST)],
  ["encryption on the plain port", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
];

test.each(ATTACKS)("%s: %d, and the service hears nothing", async (_name, status, request) => {
  await using world = await proxyWorld();
  await using service = answering(OK);
  world.routes.set("app.test", service.port);
  const heard = await talk(world.http, `${request}${HIDDEN}`);
  expect(heard).toStartWith(`HTTP/1.1 ${status} `);
  expect(heard).toContain("\r\nConnection: close\r\n");
  expect(heard.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  expect(service.heard).toBe("");
});

test.each([
  ["a length", `${head(POST, HOST, "Content-Length: 2")}ab`],
  ["chunks", `${head(POST, HOST, "Transfer-Encoding: CHUNKED")}2\r\nab\r\n0\r\n\r\n`],
  ["blanks around values", head("GET / HTTP/1.1", "Host: \t app.test \t", "X-A:b")],
  ["an empty line before the first", `\r\n${head("GET / HTTP/1.1", HOST)}`],
  ["bytes beyond ASCII in a value", head("GET / HTTP/1.1", HOST, "X-A: caf\xe9")],
])("the control, %s: both requests are answered", async (_name, request) => {
  await using world = await proxyWorld();
  await using service = answering(OK);
  world.routes.set("app.test", service.port);
  await talk(world.http, `${request}${HIDDEN}`, /ok[^]*ok$/);
  expect(service.heard).toContain("GET /hidden");
});

const CHUNKS: readonly (readonly [name: string, body: string])[] = [
  ["a size with a sign", "+2\r\nab\r\n0\r\n\r\n"],
  ["a size with a prefix", "0x2\r\nab\r\n0\r\n\r\n"],
  ["a size with a blank", "2 \r\nab\r\n0\r\n\r\n"],
  ["no size", "\r\nab\r\n0\r\n\r\n"],
  ["a size beyond all numbers", `${"f".repeat(17)}\r\nab\r\n0\r\n\r\n`],
  ["a bare line feed behind a size", "2\nab\r\n0\r\n\r\n"],
  ["a bare line feed behind data", "2\r\nab\n0\r\n\r\n"],
  ["a bare line feed in an extension", "2;a\nb\r\nab\r\n0\r\n\r\n"],
  ["a bare carriage return in an extension", "2;a\rb\r\nab\r\n0\r\n\r\n"],
  ["an extension without end", `2;${"a".repeat(300)}\r\nab\r\n0\r\n\r\n`],
  ["data that is longer than its size", "2\r\nabc\r\n0\r\n\r\n"],
  ["a bare line feed in a trailer", "0\r\nA: b\nC: d\r\n\r\n"],
];

test.each(CHUNKS)("chunks with %s never become a whole request", async (_name, body) => {
  await using world = await proxyWorld();
  await using service = rawService();
  world.routes.set("app.test", service.port);
  const heard = await talk(world.http, `${head(POST, HOST, "Transfer-Encoding: chunked")}${body}${HIDDEN}`);
  expect(heard).toStartWith("HTTP/1.1 400 ");
  expect(service.heard).not.toContain("hidden");
  expect(service.heard).not.toContain("\r\n0\r\n\r\n");
});

const ANSWERS: readonly (readonly [name: string, answer: string])[] = [
  [
    "a length and chunks",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"],
  ["a coding that is not chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
  ["a bare line feed", "HTTP/1.1 200 OK\nX: y\r\nContent-Length: 0\r\n\r\n"],
  ["a folded line", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 0\r\n\r\n"],
  ["another protocol", "SSH-2.0-OpenSSH_9\r\n\r\n"],
  [
    "a change of protocol that nobody wanted",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nGET",
  ],
  ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(40_000)}`],
];

test.each(ANSWERS)("an answer with %s is a 502", async (_name, answer) => {
  await using world = await proxyWorld();
  await using service = answering(answer);
  world.routes.set("app.test", service.port);
  const heard = await talk(world.http, head("GET / HTTP/1.1", HOST), /\n$/);
  expect(heard).toStartWith("HTTP/1.1 502 Bad Gateway\r\n");
  expect(heard).toEndWith("502 the service gave no answer that can be used\n");
});

test("Connection can't take away what says where an answer ends", async () => {
  await using world = await proxyWorld();
  await using service = answering(
    "HTTP/1.1 200 OK\r\nConnection: content-length, x-hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok",
  );
  world.routes.set("app.test", service.port);
  expect(await talk(world.http, head("GET / HTTP/1.1", HOST), /ok$/)).toBe(OK);
});
