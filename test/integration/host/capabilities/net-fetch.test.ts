/**
 * Attacks through the one door: each asserts the refusal and that the canary, a server where the plugin must not come, saw
 * nothing; the control shows that the same request reaches it once the operator allows it. 127.0.0.2 plays the public
 * internet (the operator's allow_private names it), 127.0.0.3 the inner network.
 */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import type { Resolver } from "../../../../src/platform/http/resolve.ts";
import { makeCertificate } from "../../../certificate.ts";
import { until } from "../../../harness.ts";
import { netBroker, type NetWorld } from "../../../net-broker.ts";
import { answerWith, rawServer, type LocalServer } from "../../../local-server.ts";
import { rejection } from "../../../fixtures/rejection.ts";

const PUBLIC = "127.0.0.2";
const INNER = "127.0.0.3";

interface Answer {
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: { readonly $b64: string };
  readonly redirected: boolean;
}

function plugin(world: Partial<NetWorld> = {}) {
  const { door, audit, grants } = netBroker({
    resolve: async (host) => [host.startsWith("inner") ? INNER : PUBLIC],
    ...world,
    allowPrivate: [`${PUBLIC}/32`, ...(world.allowPrivate ?? [])],
  });
  return {
    audit,
    grants,
    fetch: (url: string, init: Record<string, unknown> = {}, signal?: AbortSignal) =>
      door.invoke("net.fetch", { url, ...init }, signal) as Promise<Answer>,
  };
}

function textOf(answer: Answer): string {
  return Buffer.from(answer.body.$b64, "base64").toString();
}

function canary(host = INNER, port?: number): Promise<LocalServer> {
  return rawServer(host, (socket) => answerWith(socket, "inner secret"), port === undefined ? {} : { port });
}

const outOfScope = { code: "capability.out_of_scope" };

describe("a plugin with network_outbound", () => {
  test("reaches a public server and gets the whole answer", async () => {
    await using server = await rawServer(PUBLIC, (socket) =>
      answerWith(socket, "hello", { status: "201 Made", headers: ["X-A: b"] }),
    );
    const { fetch, audit } = plugin();
    const answer = await fetch(`http://web.test:${server.port}/path?token=s3cret`, {
      method: "POST",
      headers: [["X-Own", "1"]],
      body: { $b64: Buffer.from("payload").toString("base64") },
    });
    expect(answer).toMatchObject({ status: 201, statusText: "Made", redirected: false });
    expect(answer.headers).toContainEqual(["x-a", "b"]);
    expect(textOf(answer)).toBe("hello");
    expect(server.received[0]).toEndWith("payload");
    expect(audit).toMatchObject([
      {
        method: "net.fetch",
        capability: "network_outbound",
        target: `POST http://web.test:${server.port}`,
        outcome: "ok",
      },
    ]);
    expect(JSON.stringify(audit)).not.toContain("s3cret");
  });

  test.each([
    ["a name", "inner.test"],
    ["an address", INNER],
    ["a decimal address", "2130706435"],
    ["a hexadecimal address", "0x7f000003"],
    ["an octal address", "0177.0.0.3"],
    ["a short address", "127.3"],
    ["a dotted end", "127.0.0.3."],
    ["full-width digits", "１２７.0.0.3"],
    ["an IPv4-mapped address", "[::ffff:127.0.0.3]"],
    ["an IPv4-compatible address", "[::127.0.0.3]"],
  ])("does not come into the inner network by %s", async (_what, host) => {
    await using inner = await canary();
    const url = `http://${host}:${inner.port}/`;
    expect(await rejection(plugin().fetch(url))).toMatchObject(outOfScope);
    expect(inner.opened()).toBe(0);
    const open = ["127.0.0.0/8", "::/80"];
    if (host === "[::127.0.0.3]") return; // Nothing listens there: no control is possible.
    expect(textOf(await plugin({ allowPrivate: open }).fetch(url))).toBe("inner secret");
    expect(inner.opened()).toBe(1);
  });

  test("does not come to the IPv6 loopback", async () => {
    await using inner = await canary("::1");
    const url = `http://[::1]:${inner.port}/`;
    expect(await rejection(plugin().fetch(url))).toMatchObject(outOfScope);
    expect(inner.opened()).toBe(0);
    expect(textOf(await plugin({ allowPrivate: [`[::1]:${inner.port}`] }).fetch(url))).toBe("inner secret");
  });

  test("is told how the operator would allow it, and not which address it was", async () => {
    const call = plugin().fetch("http://inner.test:8080/");
    expect(await rejection(call)).toMatchObject({
      ...outOfScope,
      message: "plugin ding: inner.test:8080 is a loopback address, and only public addresses can be reached",
      hint: `if the operator means it: [network] allow_private = ["inner.test:8080"] in the daemon's configuration`,
    });
    expect(await rejection(call)).toMatchObject({ message: expect.not.stringContaining(INNER) });
  });

  test("gains nothing by DNS rebinding: the address that was checked is the one that is used", async () => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket, "public"));
    await using inner = await canary(INNER, server.port);
    let asked = 0;
    const resolve: Resolver = async () => [asked++ === 0 ? PUBLIC : INNER];
    const { fetch } = plugin({ resolve });
    const url = `http://rebind.test:${server.port}/`;
    expect(textOf(await fetch(url))).toBe("public");
    expect(asked).toBe(1);
    expect(await rejection(fetch(url))).toMatchObject(outOfScope);
    expect(inner.opened()).toBe(0);
    expect(textOf(await plugin({ resolve, allowPrivate: [`${INNER}/32`] }).fetch(url))).toBe("inner secret");
  });

  test("uses only the public ones of mixed answers", async () => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket, "public"));
    await using inner = await canary(INNER, server.port);
    const resolve: Resolver = async () => [INNER, "::ffff:127.0.0.3", PUBLIC, "10.0.0.1"];
    const url = `http://mixed.test:${server.port}/`;
    expect(textOf(await plugin({ resolve }).fetch(url))).toBe("public");
    expect(inner.opened()).toBe(0);
    await server[Symbol.asyncDispose]();
    expect(await rejection(plugin({ resolve }).fetch(url))).toMatchObject({ code: "network.failed" });
    expect(inner.opened()).toBe(0);
    expect(textOf(await plugin({ resolve, allowPrivate: [`${INNER}/32`] }).fetch(url))).toBe("inner secret");
  });

  test.each(["redirect by name", "redirect by address", "redirect to metadata"])(
    "is not led inside: %s",
    async (what) => {
      await using inner = await canary();
      const place = {
        "redirect by name": `http://inner.test:${inner.port}/`,
        "redirect by address": `http://127.3:${inner.port}/`,
        "redirect to metadata": "http://169.254.169.254/latest/meta-data/",
      }[what];
      await using server = await rawServer(PUBLIC, (socket) =>
        answerWith(socket, "", { status: "302 Found", headers: [`Location: ${place}`] }),
      );
      const url = `http://web.test:${server.port}/`;
      expect(await rejection(plugin().fetch(url))).toMatchObject(outOfScope);
      expect(server.opened()).toBe(1);
      expect(inner.opened()).toBe(0);
      if (what === "redirect to metadata") return;
      expect(textOf(await plugin({ allowPrivate: [`${INNER}/32`] }).fetch(url))).toBe("inner secret");
    },
  );

  test("is not led inside by the last of a chain of redirects", async () => {
    await using inner = await canary();
    await using server = await rawServer(PUBLIC, (socket, head) => {
      const step = Number(/GET \/(\d)/.exec(head)?.[1]);
      const next =
        step < 4 ? `http://web.test:${server.port}/${step + 1}` : `http://inner.test:${inner.port}/`;
      answerWith(socket, "", { status: "307 T", headers: [`Location: ${next}`] });
    });
    const url = `http://web.test:${server.port}/0`;
    expect(await rejection(plugin().fetch(url))).toMatchObject(outOfScope);
    expect([server.opened(), inner.opened()]).toEqual([5, 0]);
    expect(textOf(await plugin({ allowPrivate: [`${INNER}/32`] }).fetch(url))).toBe("inner secret");
  });

  test.each([
    [[["Host", "inner.test"]]],
    [[["Content-Length", "0"]]],
    [[["Transfer-Encoding", "chunked"]]],
    [[["Connection", "X-Own"]]],
    [[["X-A", "b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: inner.test"]]],
    [[["X-A\r\nHost", "inner.test"]]],
  ])("can't smuggle with the headers %j", async (headers) => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket));
    const { fetch } = plugin();
    expect(await rejection(fetch(`http://web.test:${server.port}/`, { headers }))).toMatchObject({
      code: "capability.invalid_params",
    });
    expect(server.opened()).toBe(0);
    await fetch(`http://web.test:${server.port}/`, { headers: [["X-A", "b"]] });
    expect(server.received).toHaveLength(1);
  });

  test("can't smuggle with the path or the method", async () => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket));
    await plugin().fetch(
      `http://web.test:${server.port}/a\r\nX-Evil: 1\r\n\r\nGET /b HTTP/1.1 %0d%0aX-Evil:%201`,
    );
    expect(server.received[0]).not.toMatch(/\r\nx-evil/i);
    expect(server.received[0]?.match(/HTTP\/1\.1\r\n/g)).toHaveLength(1);
    expect(
      await rejection(plugin().fetch(`http://web.test:${server.port}/`, { method: "GET /b HTTP/1.1" })),
    ).toMatchObject({ code: "capability.invalid_params" });
    expect(server.opened()).toBe(1);
  });

  test.each([
    "file:///etc/passwd",
    "unix:///var/run/docker.sock",
    "http://web.test:25/",
    "http://web.test:6379x/",
  ])("can't fetch %s", async (url) => {
    expect(await rejection(plugin().fetch(url))).toMatchObject({
      code: expect.stringMatching(/^capability\./),
    });
  });

  test("that is revoked while a redirect is under way does not get further", async () => {
    await using target = await rawServer(PUBLIC, (socket) => answerWith(socket, "there"));
    const { fetch, grants } = plugin();
    await using first = await rawServer(PUBLIC, (socket) => {
      grants.clear();
      answerWith(socket, "", { status: "302 F", headers: [`Location: http://b.test:${target.port}/`] });
    });
    expect(await rejection(fetch(`http://a.test:${first.port}/`))).toMatchObject({
      code: "capability.denied",
    });
    expect([first.opened(), target.opened()]).toEqual([1, 0]);
  });

  test("makes 16 requests at a time; the others wait", async () => {
    const waiting: (() => void)[] = [];
    await using server = await rawServer(PUBLIC, (socket) => waiting.push(() => answerWith(socket)));
    const { fetch } = plugin();
    const calls = Array.from({ length: 20 }, () => fetch(`http://web.test:${server.port}/`));
    await until(() => waiting.length === LIMITS.fetchConcurrent);
    for (const go of waiting.splice(0)) go();
    await until(() => waiting.length === 4);
    for (const go of waiting.splice(0)) go();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(20).fill(200));
  });

  test("can't hold more of the daemon's memory than its share", async () => {
    // Each answer lacks its last byte until the share is used up, so that all are held at one time.
    const lastBytes: (() => void)[] = [];
    let isOver = false;
    await using server = await rawServer(PUBLIC, (socket) => {
      if (isOver) return answerWith(socket);
      answerWith(socket, new Uint8Array(LIMITS.fetchBodyBytes - 1), { length: LIMITS.fetchBodyBytes });
      lastBytes.push(() => socket.write(new Uint8Array(1)));
    });
    const { fetch } = plugin();
    const calls = Array.from({ length: 12 }, () => fetch(`http://web.test:${server.port}/`));
    await rejection(Promise.race(calls));
    isOver = true;
    for (const send of lastBytes) send();
    const results = await Promise.allSettled(calls);
    const codes = results.map((result) =>
      result.status === "fulfilled" ? "ok" : (result.reason as { code: string }).code,
    );
    expect(new Set(codes)).toEqual(new Set(["ok", "capability.limit"]));
    expect((await fetch(`http://web.test:${server.port}/`)).status).toBe(200);
  });
});

describe("a scope of hosts", () => {
  const scoped = (hosts: readonly string[]) => plugin({ grants: [["network_outbound", hosts]] });

  test("opens its hosts and no others, with the command that adds only one", async () => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket));
    const { fetch } = scoped(["a.test", `*.b.test:${server.port}`]);
    await fetch(`http://a.test:${server.port}/`);
    await fetch(`http://x.b.test:${server.port}/`);
    expect(await rejection(fetch(`http://b.test:${server.port}/`))).toMatchObject({
      ...outOfScope,
      hint: `to allow only that: voxeltron plugin grant ding 'network_outbound=a.test,*.b.test:${server.port},b.test:${server.port}'`,
    });
    expect(await rejection(scoped([]).fetch(`http://a.test:${server.port}/`))).toMatchObject(outOfScope);
    expect(server.opened()).toBe(2);
  });

  test("does not open a private address", async () => {
    await using inner = await canary();
    expect(await rejection(scoped(["inner.test"]).fetch(`http://inner.test:${inner.port}/`))).toMatchObject(
      outOfScope,
    );
    expect(inner.opened()).toBe(0);
  });

  test("holds for redirects", async () => {
    await using target = await canary(PUBLIC);
    await using first = await rawServer(PUBLIC, (socket) =>
      answerWith(socket, "", { status: "302 F", headers: [`Location: http://b.test:${target.port}/`] }),
    );
    const url = `http://a.test:${first.port}/`;
    expect(await rejection(scoped(["a.test"]).fetch(url))).toMatchObject(outOfScope);
    expect(target.opened()).toBe(0);
    expect(textOf(await scoped(["a.test", "b.test"]).fetch(url))).toBe("inner secret");
  });
});

describe("a plugin with notify_send alone", () => {
  const grants = [["notify_send", null]] as const;
  const certificate = makeCertificate("hook.test");

  test("reaches the operator's own webhook, exactly", async () => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket), { tls: certificate });
    const url = `https://hook.test:${server.port}/in?token=1`;
    const { fetch, audit } = plugin({ grants, own: [{ channel: "ops", url }], ca: certificate.cert });
    expect((await fetch(url, { method: "POST", body: { $b64: "e30=" } })).status).toBe(200);
    for (const other of ["/", "/in/", "/in/../out", "/out"])
      expect(
        await rejection(fetch(`https://hook.test:${server.port}${other}`, { method: "POST" })),
      ).toMatchObject(outOfScope);
    for (const method of ["GET", "PUT", "DELETE"])
      expect(await rejection(fetch(url, { method }))).toMatchObject(outOfScope);
    expect(server.opened()).toBe(1);
    expect(audit[0]).toMatchObject({ capability: "notify_send", outcome: "ok" });
  });

  test("is held to the channels of its scope", async () => {
    await using server = await rawServer(PUBLIC, (socket) => answerWith(socket));
    const own = [
      { channel: "ops", url: `http://hook.test:${server.port}/ops` },
      { channel: "dev", url: `http://hook.test:${server.port}/dev` },
    ];
    const { fetch } = plugin({ grants: [["notify_send", ["dev"]]], own });
    await fetch(`http://hook.test:${server.port}/dev`, { method: "POST" });
    expect(await rejection(fetch(`http://hook.test:${server.port}/ops`, { method: "POST" }))).toMatchObject(
      outOfScope,
    );
    expect(await rejection(fetch("https://hooks.slack.com/services/x", { method: "POST" }))).toMatchObject(
      outOfScope,
    );
    expect(server.opened()).toBe(1);
  });

  test("is refused everywhere else, in words that name what would allow it", async () => {
    await using server = await canary(PUBLIC);
    const url = `http://web.test:${server.port}/`;
    expect(await rejection(plugin({ grants }).fetch(url))).toMatchObject({
      ...outOfScope,
      message: expect.stringContaining("[notify.NAME]"),
      hint: `to allow only that: voxeltron plugin grant ding network_outbound=web.test:${server.port}`,
    });
    expect(await rejection(plugin({ grants, requested: ["notify_send"] }).fetch(url))).toMatchObject({
      hint: expect.stringContaining(`add "network_outbound" to required (or optional) under [capabilities]`),
    });
    expect(server.opened()).toBe(0);
    expect(textOf(await plugin().fetch(url))).toBe("inner secret");
  });

  test("a webhook at a private address needs allow_private all the same", async () => {
    await using inner = await canary();
    const url = `http://inner.test:${inner.port}/hook`;
    const own = [{ channel: "ops", url }];
    const post = { method: "POST" };
    expect(await rejection(plugin({ grants, own }).fetch(url, post))).toMatchObject(outOfScope);
    expect(inner.opened()).toBe(0);
    const open = plugin({ grants, own, allowPrivate: [`inner.test:${inner.port}`] });
    expect(textOf(await open.fetch(url, post))).toBe("inner secret");
  });

  test("a well-known endpoint that resolves to an inner address is refused", async () => {
    const { fetch } = plugin({ grants, resolve: async () => ["10.0.0.1"] });
    expect(
      await rejection(fetch("https://hooks.slack.com/services/T/B/x", { method: "POST" })),
    ).toMatchObject({
      ...outOfScope,
      message: expect.stringContaining("a private address"),
    });
  });
});

describe("a plugin with neither", () => {
  test("reaches nothing, and no name is looked up for it", async () => {
    await using server = await canary(PUBLIC);
    let asked = 0;
    const { fetch, audit } = plugin({ grants: [], resolve: async () => (asked++, [PUBLIC]) });
    expect(await rejection(fetch(`http://web.test:${server.port}/`))).toMatchObject({
      code: "capability.denied",
      hint: `to allow only that: voxeltron plugin grant ding network_outbound=web.test:${server.port}`,
      details: { capability: "network_outbound", method: "net.fetch", plugin: "ding" },
    });
    expect([asked, server.opened()]).toEqual([0, 0]);
    expect(audit).toMatchObject([{ capability: "network_outbound", outcome: "capability.denied" }]);
  });

  test("can't put words into the command of the hint", async () => {
    expect(await rejection(plugin({ grants: [] }).fetch("http://$(reboot).test/"))).toMatchObject({
      code: "capability.denied",
      hint: "to allow it: voxeltron plugin grant ding network_outbound",
    });
  });
});
