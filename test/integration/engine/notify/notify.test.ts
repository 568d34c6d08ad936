import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { systemClock, type Clock } from "../../../../src/base/clock.ts";
import { silentLog, type Log } from "../../../../src/base/log.ts";
import type { Channel } from "../../../../src/engine/notify/channel-schema.ts";
import { makeNotify } from "../../../../src/engine/notify/notify.ts";
import { makeSmtpClient } from "../../../../src/platform/smtp/smtp-client.ts";
import { makeHttpClient } from "../../../../src/platform/http/http-client.ts";
import { makeHttpOpener } from "../../../../src/platform/http/open-http.ts";
import { fakeClock, tempDir, until } from "../../../harness.ts";
import { makeCertificate } from "../../../certificate.ts";
import { answerWith, rawServer } from "../../../local-server.ts";
import { rejection } from "../../../fixtures/rejection.ts";

const message = { from: "ding", text: "web is live", severity: "info" } as const;

/** Back-off at once, the rest in real time. */
const hastyClock: Clock = { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() };

function setUp(channels: Readonly<Record<string, Channel>>, clock: Clock = hastyClock) {
  const logged: unknown[] = [];
  const line = (text: string, fields?: unknown): unknown => logged.push([text, fields]);
  const log = { ...silentLog, debug: line, info: line, warn: line, error: line } as Log;
  const powers = { resolve: async () => ["127.0.0.1"], clock };
  const http = makeHttpClient(makeHttpOpener(powers), clock);
  const smtp = makeSmtpClient(powers);
  return { logged, notify: makeNotify({ channels: () => channels, host: "box", http, smtp, clock, log }) };
}

function webhook(port: number, path = "/s3cret-path?token=s3cret"): Channel {
  return { type: "webhook", url: `http://hook.test:${port}${path}`, headers: { "X-Key": "s3cret" } };
}

/** Which of the two keys signed it. */
function signer(request: string): string | undefined {
  const [head = "", body = ""] = request.split("\r\n\r\n");
  const header = (name: string) => new RegExp(`${name}: (\\S+)`, "i").exec(head)?.[1] ?? "";
  const signed = `${header("x-voxeltron-timestamp")}.${body}`;
  const given = header("x-voxeltron-signature");
  return ["first", "second"].find(
    (key) => given === `sha256=${new Bun.CryptoHasher("sha256", key).update(signed).digest("hex")}`,
  );
}

/** Answers the n-th request with the n-th status. */
function inTurn(...statuses: readonly string[]) {
  const left = [...statuses];
  return (socket: Socket): void => answerWith(socket, "", { status: left.shift() ?? "200 OK" });
}

describe("send", () => {
  test("posts to the channel's URL, private or not, with its headers", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket));
    const { notify } = setUp({ ops: webhook(server.port) });
    await notify.send("ops", message);
    const [head, body] = (server.received[0] ?? "").split("\r\n\r\n");
    expect(head).toStartWith("POST /s3cret-path?token=s3cret HTTP/1.1\r\n");
    expect(head).toMatch(/\r\nx-key: s3cret\r\n/i);
    expect(head).toMatch(/\r\ncontent-type: application\/json\r\n/i);
    expect(JSON.parse(body ?? "")).toMatchObject({ channel: "ops", from: "ding", text: "web is live" });
  });

  test("lists channels in order, and their URLs for those who must know one", () => {
    const { notify } = setUp({ ops: webhook(1), dev: { type: "slack", url: "http://a.test/" } });
    expect(notify.channels()).toEqual(["dev", "ops"]);
    expect(notify.endpoints()).toContainEqual({ channel: "dev", url: "http://a.test/" });
  });

  test("reads a URL and a secret from their files at each attempt, so that new ones count at once", async () => {
    await using dir = tempDir();
    const [urlFile, secretFile] = [join(dir.path, "url"), join(dir.path, "key")];
    await using server = await rawServer("127.0.0.1", inTurn("200 OK", "503 Busy", "200 OK"));
    const { notify } = setUp({
      ops: { type: "webhook", url_file: urlFile, secret_file: secretFile, headers: {} },
    });
    const at = (path: string): string => `http://hook.test:${server.port}${path}`;
    writeFileSync(secretFile, "first\n");
    writeFileSync(urlFile, `${at("/one")}\n`);
    expect(notify.endpoints()).toEqual([{ channel: "ops", url: at("/one") }]);
    await notify.send("ops", message);
    writeFileSync(secretFile, "second");
    writeFileSync(urlFile, at("/two"));
    expect(notify.endpoints()).toEqual([{ channel: "ops", url: at("/two") }]);
    await notify.send("ops", message);
    expect(server.received.map((text) => text.split(" ")[1])).toEqual(["/one", "/two", "/two"]);
    expect(server.received.map(signer)).toEqual(["first", "second", "second"]);
  });

  test.each([
    ["url_file", "is not there", undefined, "ENOENT"],
    ["url_file", "is empty", "\n", "it is empty"],
    ["url_file", "is large", "x".repeat(5000), "more than 4096"],
    ["url_file", "holds no URL", "s3cret", "something else than an http or https URL"],
    ["url_file", "holds two", "http://a.test/s3cret\nhttp://b.test/\n", "something else than"],
    ["secret_file", "is not there", undefined, "ENOENT"],
  ] as const)(
    "a %s that %s: nothing is sent, and neither path nor content is told",
    async (key, _, text, why) => {
      await using dir = tempDir();
      const file = join(dir.path, "s3cret");
      if (text !== undefined) writeFileSync(file, text);
      await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket));
      const url = `http://hook.test:${server.port}/`;
      const whole = { type: "webhook", headers: {} } as const;
      const channel =
        key === "url_file" ? { ...whole, url_file: file } : { ...whole, url, secret_file: file };
      const { notify, logged } = setUp({ ops: channel });
      const error = (await rejection(notify.send("ops", message))) as Error & { readonly details: unknown };
      expect(error.message).toStartWith(`the channel "ops" (webhook) has a ${key} that can't be used (`);
      expect(error.message).toContain(why);
      expect(JSON.stringify([error.message, error.details, logged])).not.toContain("s3cret");
      expect(server.opened()).toBe(0);
      expect(error.details).toMatchObject({ attempts: 1 });
      expect(notify.endpoints()).toEqual(key === "url_file" ? [] : [{ channel: "ops", url }]);
    },
  );

  test.each(["nope", "__proto__", "constructor", ""])("knows no channel %j", async (name) => {
    expect(await rejection(setUp({ ops: webhook(1) }).notify.send(name, message))).toMatchObject({
      code: "notify.unknown_channel",
    });
  });

  test.each(["500 E", "503 Busy", "429 Slow down"])("tries once more after %s", async (status) => {
    await using server = await rawServer("127.0.0.1", inTurn(status));
    await setUp({ ops: webhook(server.port) }).notify.send("ops", message);
    expect(server.opened()).toBe(2);
    const ids = server.received.map((text) => /x-voxeltron-delivery: (\S+)/i.exec(text)?.[1]);
    expect(ids[0]).toBeString();
    expect(ids[0]).toBe(ids[1]);
  });

  test("tries once more after a connection that broke", async () => {
    let first = true;
    await using server = await rawServer("127.0.0.1", (socket) => {
      if (first) socket.destroy();
      else answerWith(socket);
      first = false;
    });
    await setUp({ ops: webhook(server.port) }).notify.send("ops", message);
    expect(server.opened()).toBe(2);
  });

  test.each(["400 Bad", "404 Gone", "304 Same"])(
    "does not repeat what was refused with %s",
    async (status) => {
      await using server = await rawServer("127.0.0.1", inTurn(status));
      expect(await rejection(setUp({ ops: webhook(server.port) }).notify.send("ops", message))).toMatchObject(
        {
          code: "notify.failed",
          message: `the channel "ops" (webhook) answered ${status.slice(0, 3)}`,
          details: { channel: "ops", status: Number(status.slice(0, 3)) },
        },
      );
      expect(server.opened()).toBe(1);
    },
  );

  test("gives up after the third time", async () => {
    await using server = await rawServer("127.0.0.1", inTurn("500 E", "502 E", "503 E", "200 OK"));
    expect(await rejection(setUp({ ops: webhook(server.port) }).notify.send("ops", message))).toMatchObject({
      details: { status: 503, attempts: 3 },
    });
    expect(server.opened()).toBe(3);
  });

  test("an endpoint that does not answer ends with the deadline", async () => {
    await using server = await rawServer("127.0.0.1", () => {});
    const clock = fakeClock();
    const { notify } = setUp({ ops: webhook(server.port) }, clock);
    const call = notify.send("ops", message).catch((error: unknown) => error);
    await until(() => server.opened() === 1);
    await clock.advance(10_000);
    await until(async () => (await clock.advance(500), server.opened() === 2));
    await clock.advance(10_000);
    await until(async () => (await clock.advance(2_000), server.opened() === 3));
    await clock.advance(10_000);
    expect(await call).toMatchObject({
      code: "notify.failed",
      message: 'the channel "ops" (webhook) did not answer in time',
    });
  });

  test("an accepted message is not sent again because the answer's body never ends", async () => {
    await using server = await rawServer("127.0.0.1", (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
    });
    await setUp({ ops: webhook(server.port) }).notify.send("ops", message);
    expect(server.opened()).toBe(1);
  });

  test("the caller's signal ends a pause, and nothing more is sent", async () => {
    await using server = await rawServer("127.0.0.1", inTurn("503 E"));
    const stop = new AbortController();
    const { notify } = setUp({ ops: webhook(server.port) }, fakeClock());
    const call = rejection(notify.send("ops", message, stop.signal));
    await until(() => server.closed() === 1);
    stop.abort();
    expect(await call).toMatchObject({ code: "operation.interrupted" });
    expect(server.opened()).toBe(1);
  });

  test("the caller's signal ends it", async () => {
    await using server = await rawServer("127.0.0.1", () => {});
    const stop = new AbortController();
    const call = setUp({ ops: webhook(server.port) }).notify.send("ops", message, stop.signal);
    await until(() => server.opened() === 1);
    stop.abort();
    expect(await rejection(call)).toMatchObject({ code: "operation.interrupted" });
  });
});

describe("an endpoint that asks to wait", () => {
  function waiting(after: string) {
    let first = true;
    return (socket: Socket): void => {
      answerWith(socket, "", first ? { status: "429 S", headers: [`Retry-After: ${after}`] } : {});
      first = false;
    };
  }

  test.each([
    ["7", 7_000],
    ["0.25", 500],
    ["Thu, 01 Jan 2026 00:00:09 GMT", 9_000],
    ["soon", 500],
  ])("Retry-After: %s is honoured", async (after, expected) => {
    await using server = await rawServer("127.0.0.1", waiting(after));
    const pauses: number[] = [];
    const clock: Clock = {
      ...hastyClock,
      now: () => Date.UTC(2026, 0, 1),
      sleep: async (ms) => void pauses.push(ms),
    };
    const { notify } = setUp({ ops: webhook(server.port) }, clock);
    expect(await notify.send("ops", message)).toEqual({
      channel: "ops",
      type: "webhook",
      attempts: 2,
      refused: 0,
    });
    expect(pauses).toEqual([expected]);
  });

  test("for longer than the bound is not waited for", async () => {
    await using server = await rawServer("127.0.0.1", waiting("31"));
    expect(await rejection(setUp({ ops: webhook(server.port) }).notify.send("ops", message))).toMatchObject({
      code: "notify.failed",
      message: 'the channel "ops" (webhook) answered 429 and asks to wait 31 s',
    });
    expect(server.opened()).toBe(1);
  });
});

describe("an HTTPS endpoint", () => {
  test("whose certificate is not trusted gets nothing, and the failure says so", async () => {
    const tls = makeCertificate("hook.test");
    await using server = await rawServer("127.0.0.1", (socket) => answerWith(socket), { tls });
    const url = `https://hook.test:${server.port}/s3cret`;
    const channel: Channel = { type: "slack", url };
    expect(await rejection(setUp({ ops: channel }).notify.send("ops", message))).toMatchObject({
      code: "notify.failed",
      message: 'the channel "ops" (slack) could not be reached: the certificate is self-signed',
      details: { attempts: 1 },
    });
    expect(server.received.join("")).toBe("");
    const powers = { resolve: async () => ["127.0.0.1"], clock: systemClock };
    const trusting = makeNotify({
      channels: () => ({ ops: channel }),
      host: "box",
      http: makeHttpClient(makeHttpOpener({ ...powers, ca: tls.cert }), systemClock),
      smtp: makeSmtpClient(powers),
      clock: systemClock,
      log: silentLog,
    });
    await trusting.send("ops", message);
    expect(server.received.join("")).toContain("web is live");
  });
});

describe("a redirect", () => {
  test("within the origin takes the message along", async () => {
    await using server = await rawServer("127.0.0.1", (socket, head) =>
      head.startsWith("POST /new")
        ? answerWith(socket)
        : answerWith(socket, "", { status: "308 P", headers: ["Location: /new"] }),
    );
    await setUp({ ops: webhook(server.port) }).notify.send("ops", message);
    expect(server.received[1]).toContain("web is live");
  });

  test("to another origin is refused, and nothing arrives there", async () => {
    await using canary = await rawServer("127.0.0.1", (socket) => answerWith(socket));
    await using server = await rawServer("127.0.0.1", (socket) =>
      answerWith(socket, "", { status: "307 T", headers: [`Location: http://hook.test:${canary.port}/`] }),
    );
    expect(await rejection(setUp({ ops: webhook(server.port) }).notify.send("ops", message))).toMatchObject({
      code: "notify.failed",
      message: expect.stringContaining("redirect"),
    });
    expect([server.opened(), canary.opened()]).toEqual([1, 0]);
    await setUp({ ops: webhook(canary.port) }).notify.send("ops", message);
    expect(canary.opened()).toBe(1);
  });

  test("that would lose the message is a failure, not a success", async () => {
    await using server = await rawServer("127.0.0.1", (socket, head) =>
      head.startsWith("POST")
        ? answerWith(socket, "", { status: "302 F", headers: ["Location: /login"] })
        : answerWith(socket),
    );
    expect(await rejection(setUp({ ops: webhook(server.port) }).notify.send("ops", message))).toMatchObject({
      code: "notify.failed",
    });
    expect(server.opened()).toBe(1);
  });
});

test("no failure and no log line tells the URL, a header or what was answered", async () => {
  await using answering = await rawServer("127.0.0.1", (socket, head) =>
    answerWith(socket, "s3cret", {
      status: head.includes("again") ? "500 s3cret" : "404 s3cret",
      headers: ["Location: http://s3cret.test/"],
    }),
  );
  await using breaking = await rawServer("127.0.0.1", (socket) => socket.destroy());
  await using leading = await rawServer("127.0.0.1", (socket) =>
    answerWith(socket, "", { status: "307 s3cret", headers: ["Location: http://s3cret.test/s3cret"] }),
  );
  const closed = 1;
  const { notify, logged } = setUp({
    a: webhook(answering.port),
    b: webhook(answering.port, "/again/s3cret"),
    c: webhook(breaking.port),
    d: webhook(leading.port),
    e: webhook(closed),
  });
  for (const name of notify.channels()) {
    const error = await notify.send(name, message).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "notify.failed" });
    const { message: text, hint, details, stack, cause } = error as Error & Record<string, unknown>;
    expect(JSON.stringify([text, hint, details, stack, cause])).not.toMatch(/s3cret|hook\.test/);
  }
  expect(JSON.stringify(logged)).not.toMatch(/s3cret|hook\.test/);
});
