import { afterEach, describe, expect, test } from "bun:test";
import {
  brotliCompressSync,
  constants,
  createZstdCompress,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { systemClock } from "../../../../src/base/clock.ts";
import { fail } from "../../../../src/base/errors.ts";
import {
  makeHttpClient,
  type HttpAnswer,
  type HttpBounds,
} from "../../../../src/platform/http/http-client.ts";
import { makeHttpOpener, type HttpRules } from "../../../../src/platform/http/open-http.ts";
import type { HttpRequest } from "../../../../src/platform/http/request.ts";
import { makeCertificate } from "../../../certificate.ts";
import { until } from "../../../harness.ts";
import { answerWith, drip, rawServer } from "../../../local-server.ts";
import { rejection } from "../../../fixtures/rejection.ts";

const everywhere: HttpRules = { redirect: "follow", check() {}, choose: (_target, addresses) => addresses };
const bounds: HttpBounds = { timeoutMs: 5000, bodyBytes: 1_000_000 };

interface World {
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly ca?: string;
}

/** Sends through a client whose resolver knows the given names, all others being at 127.0.0.1. */
function send(
  request: Partial<HttpRequest> & { readonly url: string },
  options: {
    readonly rules?: Partial<HttpRules>;
    readonly bounds?: Partial<HttpBounds>;
    readonly world?: World;
  } = {},
): Promise<HttpAnswer> {
  const open = makeHttpOpener({
    resolve: async (host) => options.world?.names?.[host] ?? ["127.0.0.1"],
    ...(options.world?.ca === undefined ? {} : { ca: options.world.ca }),
  });
  const http = makeHttpClient(open, systemClock);
  return http(
    { method: "GET", headers: [], ...request },
    { ...everywhere, ...options.rules },
    { ...bounds, ...options.bounds },
  );
}

function text(answer: HttpAnswer): string {
  return new TextDecoder().decode(answer.body);
}

describe("a request", () => {
  test("goes to the address with the name in Host, and arrives as it was meant", async () => {
    await using server = await rawServer("127.0.0.1", (socket) =>
      answerWith(socket, "hi", { headers: ["X-A: b"] }),
    );
    const answer = await send({
      url: `http://web.test:${server.port}/p?q#f`,
      method: "post",
      headers: [
        ["X-Own", "1"],
        ["X-Own", "2"],
        ["User-Agent", "me"],
      ],
      body: new TextEncoder().encode("body"),
    });
    expect(answer).toMatchObject({
      url: `http://web.test:${server.port}/p?q`,
      status: 200,
      statusText: "OK",
      redirected: false,
    });
    expect(answer.headers).toContainEqual(["x-a", "b"]);
    expect(text(answer)).toBe("hi");
    const head = server.received[0] ?? "";
    expect(head).toStartWith("POST /p?q HTTP/1.1\r\n");
    expect(head).toMatch(new RegExp(`\r\nhost: web.test:${server.port}\r\n`, "i"));
    expect(head).toMatch(/\r\nx-own: 1, 2\r\n/i);
    expect(head).toMatch(/\r\nuser-agent: me\r\n/i);
    expect(head).toMatch(/\r\ncontent-length: 4\r\n/i);
    expect(head).toEndWith("\r\n\r\nbody");
  });

  test("never shares a connection with the one before", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket));
    for (let i = 0; i < 3; i++) await send({ url: `http://web.test:${server.port}/` });
    expect(server.opened()).toBe(3);
    await until(() => server.closed() === 3, { what: "closed connections" });
  });

  test("reaches IPv6, as a name and as an address", async () => {
    await using server = await rawServer("::1", (socket) => answerWith(socket));
    const world = { names: { "six.test": ["::1"] } };
    expect(text(await send({ url: `http://six.test:${server.port}/` }, { world }))).toBe("ok");
    expect(text(await send({ url: `http://[::1]:${server.port}/` }))).toBe("ok");
    expect(server.received[1]).toMatch(new RegExp(`host: \\[::1\\]:${server.port}\r\n`, "i"));
  });

  test("tries the next address where no connection comes about, IPv4 first", async () => {
    await using server = await rawServer("127.0.0.3", (socket) => answerWith(socket));
    const world = { names: { "web.test": ["::1", "127.0.0.2", "127.0.0.3"] } };
    expect(text(await send({ url: `http://web.test:${server.port}/` }, { world }))).toBe("ok");
  });

  test("is never sent twice: a connection that breaks is the end of it", async () => {
    await using first = await rawServer("127.0.0.2", (socket) => socket.destroy());
    await using second = await rawServer("127.0.0.3", (socket) => answerWith(socket), { port: first.port });
    const world = { names: { "web.test": ["127.0.0.2", "127.0.0.3"] } };
    expect(
      await rejection(send({ url: `http://web.test:${first.port}/`, method: "POST" }, { world })),
    ).toMatchObject({ code: "network.failed" });
    expect([first.opened(), second.opened()]).toEqual([1, 0]);
  });

  test("looks a name up once for each hop", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket));
    let lookups = 0;
    const resolve = async () => (lookups++, ["127.0.0.1"]);
    const http = makeHttpClient(makeHttpOpener({ resolve }), systemClock);
    await http({ url: `http://web.test:${server.port}/`, method: "GET", headers: [] }, everywhere, bounds);
    expect(lookups).toBe(1);
  });
});

describe("proxies named by the environment", () => {
  const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"];
  afterEach(() => {
    for (const name of names) delete process.env[name];
  });

  test("see nothing, while Bun's own fetch would go through them", async () => {
    await using proxy = await rawServer("127.0.0.2", (socket) => answerWith(socket, "proxy"));
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket, "direct"));
    for (const name of names) process.env[name] = `http://127.0.0.2:${proxy.port}`;
    const url = `http://127.0.0.1:${server.port}/`;
    expect(text(await send({ url }))).toBe("direct");
    expect(proxy.opened()).toBe(0);
    expect(await (await fetch(url, { keepalive: false })).text()).toBe("proxy");
  });
});

describe("https", () => {
  const both = makeCertificate("a.test", "b.test", "127.0.0.4");
  const onlyA = makeCertificate("a.test");

  test("the certificate is checked against the name, not the address", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket), { tls: onlyA });
    const world = { ca: onlyA.cert };
    expect(text(await send({ url: `https://a.test:${server.port}/` }, { world }))).toBe("ok");
    expect(await rejection(send({ url: `https://b.test:${server.port}/` }, { world }))).toMatchObject({
      code: "network.failed",
      message: `https://b.test:${server.port}: the certificate is for another name`,
    });
    expect(await rejection(send({ url: `https://127.0.0.1:${server.port}/` }, { world }))).toMatchObject({
      code: "network.failed",
    });
    expect(server.received.join("").match(/GET/g)).toHaveLength(1);
  });

  test("an address may be in the certificate", async () => {
    await using server = await rawServer("127.0.0.4", (socket) => answerWith(socket), { tls: both });
    const url = `https://127.0.0.4:${server.port}/`;
    expect(text(await send({ url }, { world: { ca: both.cert } }))).toBe("ok");
  });

  test("a certificate of no authority is refused", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket), { tls: onlyA });
    expect(await rejection(send({ url: `https://a.test:${server.port}/` }))).toMatchObject({
      code: "network.failed",
      message: expect.stringContaining("certificate"),
    });
    expect(server.received.join("")).toBe("");
  });

  test("a connection made under one name is not used for another on the same address and port", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket), { tls: onlyA });
    const world = { ca: onlyA.cert };
    for (let i = 0; i < 3; i++) {
      await send({ url: `https://a.test:${server.port}/` }, { world });
      expect(await rejection(send({ url: `https://b.test:${server.port}/` }, { world }))).toMatchObject({
        code: "network.failed",
      });
    }
    expect(server.received.join("").match(/GET/g)).toHaveLength(3);
    expect(server.received.join("")).not.toContain("b.test");
  });

  test("NODE_TLS_REJECT_UNAUTHORIZED=0 opens nothing", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket), { tls: onlyA });
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      expect(await rejection(send({ url: `https://a.test:${server.port}/` }))).toMatchObject({
        code: "network.failed",
      });
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
  });
});

describe("a redirect", () => {
  function redirectTo(location: string, status = "302 Found") {
    return rawServer("127.0.0.1", (socket) =>
      answerWith(socket, "", { status, headers: [`Location: ${location}`] }),
    );
  }

  test("is followed, hop by hop past the rules, and the last hop is told", async () => {
    await using target = await rawServer("127.0.0.1", (socket) => answerWith(socket, "there"));
    await using first = await redirectTo(`http://b.test:${target.port}/x`);
    const hops: string[] = [];
    const answer = await send(
      { url: `http://a.test:${first.port}/` },
      { rules: { check: ({ target, method }) => hops.push(`${method} ${target.origin}`) } },
    );
    expect(hops).toEqual([`GET http://a.test:${first.port}`, `GET http://b.test:${target.port}`]);
    expect(answer).toMatchObject({ redirected: true, url: `http://b.test:${target.port}/x` });
  });

  test("is given as it is, or is an error, where that is asked", async () => {
    await using server = await redirectTo("http://127.0.0.1:1/");
    const url = `http://a.test:${server.port}/`;
    expect(await send({ url }, { rules: { redirect: "manual" } })).toMatchObject({ status: 302 });
    expect(await rejection(send({ url }, { rules: { redirect: "error" } }))).toMatchObject({
      code: "network.failed",
    });
  });

  test("to another origin drops the credentials, within the origin it keeps them", async () => {
    await using target = await rawServer("127.0.0.1", (socket) => answerWith(socket));
    await using away = await redirectTo(`http://b.test:${target.port}/`, "307 T");
    await using within = await rawServer("127.0.0.1", (socket, head) =>
      head.startsWith("POST /final")
        ? answerWith(socket)
        : answerWith(socket, "", { status: "307 T", headers: ["Location: /final"] }),
    );
    const request = {
      method: "POST",
      headers: [
        ["Authorization", "Bearer s3cret"],
        ["Cookie", "sid=s3cret"],
        ["X-Own", "kept"],
      ] as const,
      body: new TextEncoder().encode("payload"),
    };
    await send({ ...request, url: `http://a.test:${away.port}/` });
    expect(target.received[0]).not.toContain("s3cret");
    expect(target.received[0]).toContain("kept");
    expect(target.received[0]).toEndWith("payload");
    await send({ ...request, url: `http://a.test:${within.port}/` });
    expect(within.received[1]).toContain("Bearer s3cret");
    expect(within.received[1]).toContain("sid=s3cret");
  });

  test("from https to http is not followed, and what was to be sent stays here", async () => {
    const certificate = makeCertificate("a.test");
    await using target = await rawServer("127.0.0.1", (socket) => answerWith(socket));
    await using first = await rawServer(
      "127.0.0.1",
      (socket) =>
        answerWith(socket, "", { status: "307 T", headers: [`Location: http://a.test:${target.port}/`] }),
      { tls: certificate },
    );
    const request = {
      url: `https://a.test:${first.port}/`,
      method: "POST",
      body: new TextEncoder().encode("x"),
    };
    const world = { ca: certificate.cert };
    expect(await rejection(send(request, { world }))).toMatchObject({
      code: "network.failed",
      message: `https://a.test:${first.port} redirects from https to http`,
    });
    expect(target.opened()).toBe(0);
    expect(await send(request, { world, rules: { redirect: "manual" } })).toMatchObject({ status: 307 });
  });

  test("a chain is followed five hops far", async () => {
    await using server = await rawServer("127.0.0.1", (socket, head) => {
      const left = Number(/GET \/(\d+)/.exec(head)?.[1]);
      if (left === 0) answerWith(socket, "end");
      else answerWith(socket, "", { status: "302 F", headers: [`Location: /${left - 1}`] });
    });
    expect(text(await send({ url: `http://a.test:${server.port}/5` }))).toBe("end");
    expect(await rejection(send({ url: `http://a.test:${server.port}/6` }))).toMatchObject({
      code: "network.failed",
      message: expect.stringContaining("more than 5 redirects"),
    });
  });

  test("cookies that a hop sets are not sent to the next", async () => {
    await using server = await rawServer("127.0.0.1", (socket, head) =>
      head.startsWith("GET /next")
        ? answerWith(socket)
        : answerWith(socket, "", { status: "302 F", headers: ["Location: /next", "Set-Cookie: a=b"] }),
    );
    await send({ url: `http://a.test:${server.port}/` });
    expect(server.received[1]?.toLowerCase()).not.toContain("cookie");
  });

  test.each([
    "file:///etc/passwd",
    "data:text/plain,x",
    "ftp://a.test/",
    "http://user:pw@a.test/",
    "http://[",
  ])("to %s is refused", async (location) => {
    await using server = await redirectTo(location);
    expect(await rejection(send({ url: `http://a.test:${server.port}/` }))).toMatchObject({
      code: expect.stringMatching(/^(?:capability\.|network\.failed)/),
    });
  });
});

describe("an answer is bounded", () => {
  const failed = { code: "network.failed" };

  test("a slow body ends with the deadline, and the connection with it", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx");
    });
    expect(
      await rejection(send({ url: `http://a.test:${server.port}/` }, { bounds: { timeoutMs: 100 } })),
    ).toMatchObject({ code: "network.timeout" });
    await until(() => server.closed() === 1, { what: "a closed connection" });
  });

  test("so does an answer that never begins, a look-up that never ends and an endless chain of 1xx", async () => {
    await using silent = await rawServer("127.0.0.1", () => {});
    await using early = await rawServer("127.0.0.1", (socket) =>
      drip(socket, "HTTP/1.1 103 Early Hints\r\n\r\n"),
    );
    const short = { bounds: { timeoutMs: 100 } };
    const timeout = { code: "network.timeout" };
    expect(await rejection(send({ url: `http://a.test:${silent.port}/` }, short))).toMatchObject(timeout);
    expect(await rejection(send({ url: `http://a.test:${early.port}/` }, short))).toMatchObject(timeout);
    const http = makeHttpClient(makeHttpOpener({ resolve: () => new Promise(() => {}) }), systemClock);
    expect(
      await rejection(
        http({ url: "http://a.test/", method: "GET", headers: [] }, everywhere, { ...bounds, timeoutMs: 50 }),
      ),
    ).toMatchObject(timeout);
  });

  test("the caller's signal ends it too", async () => {
    await using server = await rawServer("127.0.0.1", () => {});
    const stop = new AbortController();
    const call = send({ url: `http://a.test:${server.port}/` }, { bounds: { signal: stop.signal } });
    await until(() => server.opened() === 1);
    stop.abort();
    expect(await rejection(call)).toMatchObject({ code: "operation.interrupted" });
    await until(() => server.closed() === 1, { what: "a closed connection" });
  });

  test("an endless body is cut off at the bound", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      drip(socket, Buffer.alloc(65_536));
    });
    expect(await rejection(send({ url: `http://a.test:${server.port}/` }))).toMatchObject({
      ...failed,
      message: expect.stringContaining("larger than"),
    });
    await until(() => server.closed() === 1, { what: "a closed connection" });
  });

  test("a body of exactly the bound passes", async () => {
    await using server = await rawServer("127.0.0.1", (socket) =>
      answerWith(socket, new Uint8Array(1_000_000)),
    );
    expect((await send({ url: `http://a.test:${server.port}/` })).body.length).toBe(1_000_000);
  });

  const quickly = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  const packers = {
    gzip: gzipSync,
    deflate: deflateSync,
    br: (bytes: Uint8Array) => brotliCompressSync(bytes, quickly),
    zstd: zstdCompressSync,
  };
  test.each(Object.entries(packers))("%s is unpacked under the same bound", async (encoding, pack) => {
    const bomb = pack(Buffer.alloc(100_000_000));
    const fine = pack(Buffer.from("packed"));
    await using server = await rawServer("127.0.0.1", (socket, head) =>
      answerWith(socket, head.startsWith("GET /bomb") ? bomb : fine, {
        headers: [`Content-Encoding: ${encoding}`],
      }),
    );
    const answer = await send({ url: `http://a.test:${server.port}/` });
    expect(text(answer)).toBe("packed");
    expect(answer.headers.map(([name]) => name)).not.toContain("content-encoding");
    const before = process.memoryUsage.rss();
    expect(await rejection(send({ url: `http://a.test:${server.port}/bomb` }))).toMatchObject(failed);
    expect(process.memoryUsage.rss() - before).toBeLessThan(60_000_000);
  });

  test("zstd that would have more kept than HTTP lets it is refused", async () => {
    async function packed(windowBits: number): Promise<Uint8Array> {
      const stream = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowBits } });
      stream.write("pac");
      // Of a length that is not known yet, so that the window is the one that was asked for.
      await new Promise<void>((resolve) => stream.flush(resolve));
      stream.end("ked");
      return Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Uint8Array>));
    }
    const [fine, large] = await Promise.all([packed(23), packed(24)]);
    await using server = await rawServer("127.0.0.1", (socket, head) =>
      answerWith(socket, head.startsWith("GET /large") ? large : fine, {
        headers: ["Content-Encoding: zstd"],
      }),
    );
    expect(text(await send({ url: `http://a.test:${server.port}/` }))).toBe("packed");
    expect(await rejection(send({ url: `http://a.test:${server.port}/large` }))).toMatchObject(failed);
  });

  test("a body that is not what it says is an error, an unknown encoding is left alone", async () => {
    await using server = await rawServer("127.0.0.1", (socket, head) =>
      answerWith(socket, "plain", {
        headers: [`Content-Encoding: ${decodeURIComponent(/^GET \/(\S*)/.exec(head)?.[1] ?? "")}`],
      }),
    );
    expect(await rejection(send({ url: `http://a.test:${server.port}/gzip` }))).toMatchObject(failed);
    for (const encoding of ["gzip, gzip", "constructor", "__proto__"])
      expect(text(await send({ url: `http://a.test:${server.port}/${encodeURIComponent(encoding)}` }))).toBe(
        "plain",
      );
  });

  test("headers that are huge, many or endless are refused", async () => {
    const line = `X-A: ${"a".repeat(8000)}\r\n`;
    await using server = await rawServer("127.0.0.1", (socket, head) => {
      if (head.startsWith("GET /huge")) socket.write(`HTTP/1.1 200 OK\r\n${line.repeat(20)}\r\n`);
      else if (head.startsWith("GET /many"))
        socket.write(`HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(5000)}\r\n`);
      else {
        socket.write("HTTP/1.1 200 OK\r\n");
        drip(socket, line);
      }
    });
    for (const path of ["huge", "many", "endless"])
      expect(await rejection(send({ url: `http://a.test:${server.port}/${path}` }))).toMatchObject(failed);
  });

  test("what a caller reserves may stop the transfer", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket, "12345"));
    const reserve = (): void => {
      throw fail("capability.limit", "enough");
    };
    expect(
      await rejection(send({ url: `http://a.test:${server.port}/` }, { bounds: { reserve } })),
    ).toMatchObject({ code: "capability.limit" });
  });

  test.each([
    ["closes at once", ""],
    ["breaks off", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"],
    ["changes the protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"],
  ])("a server that %s is an error without the path", async (_what, raw) => {
    await using server = await rawServer("127.0.0.1", (socket) => socket.end(raw));
    const call = send({ url: `http://a.test:${server.port}/s3cret-path` });
    expect(await rejection(call)).toMatchObject({
      ...failed,
      message: expect.not.stringContaining("s3cret"),
    });
  });
});

describe("an odd answer", () => {
  const head = (...lines: readonly string[]): string => ["HTTP/1.1 200 OK", ...lines, "", ""].join("\r\n");
  const chunked = (body: string): string => `${head("Transfer-Encoding: chunked")}${body}`;
  const sized = (size: string, body: string): string => `${head(`Content-Length: ${size}`)}${body}`;

  test.each([
    [
      "in chunks, with extensions and a trailer",
      chunked("3\r\nabc\r\n2;x=1\r\nde\r\n0\r\nX: y\r\n\r\n"),
      "abcde",
    ],
    ["until the connection ends", `${head()}abc`, "abc"],
    ["of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nabc", "abc"],
    [
      "after others of status 1xx",
      `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n${sized("3", "abc")}`,
      "abc",
    ],
    ["with the same length twice", `${head("Content-Length: 3", "Content-Length: 3")}abc`, "abc"],
    ["with more than its length, all of it another answer", sized("3", `abc${sized("4", "evil")}`), "abc"],
    [
      "with a length and in chunks: the chunks count",
      `${head("Content-Length: 3", "Transfer-Encoding: chunked")}5\r\nabcde\r\n0\r\n\r\n`,
      "abcde",
    ],
    ["of a status without a body, with one", "HTTP/1.1 204 N\r\nContent-Length: 3\r\n\r\nabc", ""],
  ])("%s is read", async (_what, raw, body) => {
    await using server = await rawServer("127.0.0.1", (socket) => socket.end(raw));
    expect(text(await send({ url: `http://a.test:${server.port}/` }))).toBe(body);
  });

  test.each([
    ["with a chunk of no size", chunked("zz\r\nabc\r\n0\r\n\r\n")],
    ["with a chunk of a negative size", chunked("-1\r\nab\r\n0\r\n\r\n")],
    ["with a chunk of a size beyond all numbers", chunked("ffffffffffffffffff\r\nab\r\n0\r\n\r\n")],
    ["that ends within a chunk", chunked("5\r\nab")],
    ["that ends without its last chunk", chunked("2\r\nab\r\n")],
    ["shorter than its length", sized("10", "abc")],
    ["with two lengths", `${head("Content-Length: 3", "Content-Length: 5")}abcde`],
    ["of a negative length", sized("-3", "abc")],
    ["of a length that is no number", sized("3x", "abc")],
    ["of a length beyond all numbers", sized("99999999999999999999999", "abc")],
    ["without a head", "just text\r\n\r\n"],
    ["of another HTTP", "HTTP/2.0 200 OK\r\n\r\nabc"],
    ["with a header over two lines", `${head("X-A: a\r\n b", "Content-Length: 3")}abc`],
    ["with a NUL in a header", `${head("X-A: a\0b", "Content-Length: 3")}abc`],
    ["with a space before the colon", `${head("X-A : a", "Content-Length: 3")}abc`],
    ["with an escape sequence in its status", "HTTP/1.1 200 \u001b[31mRED\r\nContent-Length: 3\r\n\r\nabc"],
  ])("%s is an error", async (_what, raw) => {
    await using server = await rawServer("127.0.0.1", (socket) => socket.end(raw));
    expect(await rejection(send({ url: `http://a.test:${server.port}/` }))).toMatchObject({
      code: "network.failed",
    });
  });

  test("cookies are given to who asked, one by one", async () => {
    await using server = await rawServer("127.0.0.1", (socket) =>
      answerWith(socket, "", { headers: ["Set-Cookie: a=1", "Set-Cookie: b=2"] }),
    );
    const { headers } = await send({ url: `http://a.test:${server.port}/` });
    expect(headers.filter(([name]) => name === "set-cookie")).toEqual([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
  });
});

describe("errors", () => {
  test("a refused connection, an unknown name and a refused rule tell no more than the origin", async () => {
    await using server = await rawServer("127.0.0.1", () => {});
    const port = server.port;
    await server[Symbol.asyncDispose]();
    expect(await rejection(send({ url: `http://a.test:${port}/s3cret` }))).toMatchObject({
      code: "network.failed",
      message: `http://a.test:${port}: connection refused`,
    });
    const resolve = () => Promise.reject(new Error("ENOTFOUND s3cret"));
    const http = makeHttpClient(makeHttpOpener({ resolve }), systemClock);
    expect(
      await rejection(http({ url: "http://a.test/s3cret", method: "GET", headers: [] }, everywhere, bounds)),
    ).toMatchObject({ code: "network.failed", message: "the name a.test can't be resolved" });
  });

  test("a name without any address is an error", async () => {
    expect(
      await rejection(send({ url: "http://a.test/" }, { world: { names: { "a.test": [] } } })),
    ).toMatchObject({ code: "network.failed" });
  });
});
