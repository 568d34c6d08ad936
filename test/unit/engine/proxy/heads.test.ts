/** Heads and chunks, by table and by chance: whatever the pieces, a body ends where it ends. */
import { expect, test } from "bun:test";
import { chunkOf, LAST_CHUNK, makeChunkScanner } from "../../../../src/engine/proxy/http/chunks.ts";
import { readLines, Refusal } from "../../../../src/engine/proxy/http/fields.ts";
import { readHttp2Head } from "../../../../src/engine/proxy/http/http2-head.ts";

test("lines for the proxy are taken out under one name however they are written, and the others stay as they came", () => {
  const lines = readLines(
    "A: 1\r\nX_FORWARDED_for: 6\r\nb:\t2 \r\nCONNECTION: Close, x-hop\r\nX-Hop: 3\r\nHost: h\r\n",
    0,
  );
  if (typeof lines === "string") throw new Error(lines);
  expect(lines.kept).toBe("A: 1\r\nb:\t2 \r\n");
  expect([...lines.special]).toEqual([
    ["x-forwarded-for", "6"],
    ["connection", "Close, x-hop"],
    ["host", "h"],
  ]);
  expect([...lines.connection]).toEqual(["close", "x-hop"]);
});

test("a name that was seen before is judged as it was the first time", () => {
  for (let round = 0; round < 3; round++) {
    expect(readLines("Host: a\r\n", 0)).toMatchObject({ kept: "" });
    expect(readLines("Ho st: a\r\n", 0)).toBe("a header name that is none");
    expect(readLines("__proto__: a\r\nconstructor: b\r\n", 0)).toMatchObject({
      kept: "__proto__: a\r\nconstructor: b\r\n",
    });
  }
});

test("a chunked body ends at the same byte in whatever pieces it comes", () => {
  const data = ["a", "bc".repeat(500), "\r\n0\r\n\r\n", "end"];
  const body = Buffer.concat([
    ...data.map((text) => chunkOf(Buffer.from(text))),
    Buffer.from('5;ext="a;b"\r\nhello\r\n'),
    Buffer.from("0\r\nTrailer: x\r\n\r\n"),
  ]);
  const whole = Buffer.concat([body, Buffer.from("GET /next")]);
  for (let size = 1; size < 60; size++) {
    const scanner = makeChunkScanner();
    let found = "";
    let end = 0;
    while (!scanner.done && !scanner.bad) {
      const piece = whole.subarray(end, end + size);
      end += scanner.scan(piece, 0, (slice) => (found += Buffer.from(slice).toString()));
    }
    expect([scanner.bad, end, found]).toEqual([false, body.length, `${data.join("")}hello`]);
  }
  const scanner = makeChunkScanner();
  expect(scanner.scan(LAST_CHUNK, 0)).toBe(LAST_CHUNK.length);
  expect(scanner.done).toBe(true);
});

test("nothing that comes by HTTP/2 becomes a line end on its way to the service", () => {
  const head = { ":method": "GET", ":path": "/", ":authority": "a.test", ":scheme": "https" };
  expect(readHttp2Head(head, true)).toMatchObject({ target: "/", authority: "a.test", body: undefined });
  expect(readHttp2Head(head, false)).toMatchObject({ body: "chunked" });
  expect(readHttp2Head({ ...head, "content-length": "5" }, false)).toMatchObject({ body: 5 });
  for (const bad of [
    { "x-a": "b\u010aContent-Length: 5" },
    { "x-a": "b\r\nContent-Length: 5" },
    { "x-a": "b\nc" },
    { "x\r\ny": "b" },
    { ":path": "/\u0120HTTP/1.1" },
    { ":path": "/ HTTP/1.1\r\nX: y" },
    { ":path": "a.test" },
    { ":method": "GET /evil HTTP/1.1\r\nX:" },
    { ":authority": "a.test\r\nX: y" },
    { host: "b.test" },
    { connection: "close" },
    { "transfer-encoding": "chunked" },
    { "content-length": "5, 5" },
    { "content-length": "5" },
    { ":scheme": "ftp" },
  ])
    expect([bad, readHttp2Head({ ...head, ...bad }, true)]).toEqual([bad, expect.any(Refusal)]);
});
