/** Junk from a client gets a 4xx with a code; nothing it sends ends the daemon or reaches a handler in the wrong shape. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Handlers } from "../../../src/api/handlers.ts";
import { operations } from "../../../src/api/operations.ts";
import { serveApi, type ApiServer } from "../../../src/api/server.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { fail } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { until } from "../../harness.ts";

const folder = mkdtempSync(join(tmpdir(), "voxeltron-test-"));
const socket = join(folder, "api.sock");
const calls: string[] = [];
const logged: string[] = [];
let streamEnded = false;
let server: ApiServer;

const standIns: Partial<Handlers> = {
  "daemon.info": () => {
    throw new Error("secret words of a bug");
  },
  "plugin.list": () => {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  },
  "plugin.info": ({ name }) => {
    throw fail("plugin.not_found", `no plugin is called ${name}`);
  },
  async *"service.logs"({ name }, signal) {
    if (name === "none") throw fail("service.not_found", "no such service");
    try {
      yield { at: "2026-01-01T00:00:00.000Z", level: "info", stream: "stdout", text: "one", version: 1 };
      if (name === "breaks") throw fail("provider.failed", "it broke off at hunter2");
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      return {};
    } finally {
      streamEnded = true;
    }
  },
};

beforeAll(() => {
  const handlers = new Proxy(standIns, {
    get: (target, name: keyof Handlers) => {
      calls.push(name);
      return target[name] ?? (() => ({}));
    },
  });
  const log = { ...silentLog, error: (text: string) => void logged.push(text) };
  const upload = async () => ({ upload: "1", files: 0, bytes: 0 });
  server = serveApi({
    socket,
    handlers: handlers as Handlers,
    upload,
    redact: (text) => text.replaceAll("hunter2", "[redacted]"),
    clock: systemClock,
    log,
  });
});

afterAll(async () => {
  await server.stop(100);
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly body: { readonly error?: { readonly code: string; readonly message: string } };
}

async function ask(path: string, init: BunFetchRequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://voxeltron${path}`, { unix: socket, method: "POST", ...init });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** Sends bytes as they are; gives what comes back until the server falls silent or hangs up. */
async function speak(request: string): Promise<string> {
  let heard = "";
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const connection = await Bun.connect({
    unix: socket,
    socket: {
      data(_, bytes) {
        heard += bytes.toString();
        if (heard.endsWith("}")) resolve();
      },
      close: () => resolve(),
    },
  });
  connection.write(request);
  await over;
  connection.end();
  return heard;
}

/** A stream answer of which the first line was read, and which then stays silent. */
async function followLogs() {
  const control = new AbortController();
  const response = await fetch("http://voxeltron/v1/service.logs", {
    unix: socket,
    method: "POST",
    body: '{"name":"web","follow":true}',
    signal: control.signal,
  });
  const reader = response.body?.getReader();
  await reader?.read();
  return { control, reader };
}

describe("the API", () => {
  const junk: readonly (readonly [
    what: string,
    path: string,
    init: BunFetchRequestInit,
    status: number,
    code: string,
  ])[] = [
    ["a path of another API", "/containers/json", {}, 404, "request.unknown_operation"],
    ["GET", "/v1/plugin.list", { method: "GET" }, 404, "request.unknown_operation"],
    ["an unknown operation", "/v1/plugin.explode", { body: "{}" }, 404, "request.unknown_operation"],
    ["a name of Object.prototype", "/v1/constructor", { body: "{}" }, 404, "request.unknown_operation"],
    ["no JSON", "/v1/plugin.list", { body: "hello" }, 400, "request.invalid"],
    ["half a document", "/v1/plugin.list", { body: "{" }, 400, "request.invalid"],
    [
      "bytes that are not UTF-8",
      "/v1/plugin.list",
      { body: new Uint8Array([0x22, 0xff, 0x22]) },
      400,
      "request.invalid",
    ],
    ["a list", "/v1/plugin.list", { body: "[]" }, 400, "request.invalid"],
    ["null", "/v1/plugin.list", { body: "null" }, 400, "request.invalid"],
    ["a key too many", "/v1/plugin.list", { body: '{"all":true}' }, 400, "request.invalid"],
    ["a key too few", "/v1/plugin.info", { body: "{}" }, 400, "request.invalid"],
    ["a wrong type", "/v1/plugin.info", { body: '{"name":7}' }, 400, "request.invalid"],
    [
      "a body of 5 MiB",
      "/v1/plugin.info",
      { body: `{"name":"${"x".repeat(5 << 20)}"}` },
      400,
      "request.too_large",
    ],
    [
      "a document of a hundred thousand levels",
      "/v1/plugin.call",
      { body: `{"name":"a","hook":"on_alert","event":{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}}` },
      400,
      "request.invalid",
    ],
    ["an upload of another kind", "/v1/upload?kind=kernel", { body: "x" }, 400, "request.invalid"],
    ["an upload of nothing", "/v1/upload?kind=plugin", {}, 400, "request.invalid"],
  ];
  test.each(junk)("answers %s with a code", async (_, path, init, status, code) => {
    calls.length = 0;
    const answer = await ask(path, init);
    expect([answer.status, answer.body.error?.code]).toEqual([status, code]);
    expect(calls).toEqual([]);
  });

  test("never repeats a password that was sent in a wrong shape", async () => {
    const { body } = await ask("/v1/registry.login", {
      body: JSON.stringify({ host: 1, username: "u", password: "hunter2" }),
    });
    expect(body.error?.code).toBe("request.invalid");
    expect(JSON.stringify(body)).not.toContain("hunter2");
    const twisted = await ask("/v1/registry.login", {
      body: JSON.stringify({ host: "h", username: "u", password: ["hunter2"] }),
    });
    expect(JSON.stringify(twisted.body)).not.toContain("hunter2");
  });

  test("gives an expected failure with its status, and keeps a bug to the log", async () => {
    expect(await ask("/v1/plugin.info", { body: '{"name":"x"}' })).toMatchObject({
      status: 404,
      body: { error: { code: "plugin.not_found" } },
    });
    logged.length = 0;
    const bug = await ask("/v1/daemon.info", { body: "{}" });
    expect(bug).toMatchObject({ status: 500, body: { error: { code: "internal.bug" } } });
    expect(JSON.stringify(bug.body)).not.toContain("secret words");
    expect(logged).toHaveLength(1);
  });

  test("tells the operator of a full disk, which is no bug", async () => {
    logged.length = 0;
    const answer = await ask("/v1/plugin.list", { body: "{}" });
    expect(answer).toMatchObject({ status: 500, body: { error: { code: "disk.full" } } });
    expect(logged).toEqual([]);
  });

  test("answers a broken Host and a client that leaves within its body without calling it a bug", async () => {
    logged.length = 0;
    for (const path of ["/nothing", "/v1/upload?kind=app"]) {
      const answer = await speak(`POST ${path} HTTP/1.1\r\nHost: [[[\r\ncontent-length: 2\r\n\r\n{}`);
      expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
      expect(answer).toContain('"code":"request.');
    }
    await speak("POST /v1/plugin.info HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n");
    expect((await ask("/v1/plugin.info", { body: '{"name":"x"}' })).status).toBe(404);
    expect(logged).toEqual([]);
  });

  test("lets an answer be silent for longer than the runtime's ten seconds", async () => {
    const { control, reader } = await followLogs();
    const ended = reader?.read().then(
      () => "ended",
      () => "cut",
    );
    // The one wait for a time: what is shown is that nothing happens in it.
    expect(await Promise.race([ended, Bun.sleep(13_000).then(() => "open")])).toBe("open");
    control.abort();
  }, 20_000);

  test("fails a stream before its first line with a status, after it with a last line", async () => {
    expect(await ask("/v1/service.logs", { body: '{"name":"none","follow":false}' })).toMatchObject({
      status: 404,
    });
    const response = await fetch("http://voxeltron/v1/service.logs", {
      unix: socket,
      method: "POST",
      body: '{"name":"breaks","follow":false}',
    });
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([{ item: { text: "one" } }, { error: { code: "provider.failed" } }]);
  });

  test("ends the work of a stream whose reader went away", async () => {
    streamEnded = false;
    const { control } = await followLogs();
    control.abort();
    await until(() => streamEnded, { what: "the handler to be told" });
  });

  test("has a schema for the input of every operation that refuses what it does not know", () => {
    const open = Object.entries(operations).filter(([, { input }]) => input.type !== "strict_object");
    expect(open.map(([name]) => name)).toEqual([]);
  });
});

test("an error says no secret that a program put into its words, in an answer or in a stream", async () => {
  const stream = await fetch("http://voxeltron/v1/service.logs", {
    unix: socket,
    method: "POST",
    body: JSON.stringify({ name: "breaks", follow: true }),
  });
  const [, last = ""] = (await stream.text()).trim().split("\n");
  expect(JSON.parse(last)).toEqual({
    error: { code: "provider.failed", message: "it broke off at [redacted]" },
  });
  const { body } = await ask("/v1/plugin.info", { body: JSON.stringify({ name: "hunter2" }) });
  expect(body.error).toMatchObject({ code: "plugin.not_found", message: "no plugin is called [redacted]" });
});
