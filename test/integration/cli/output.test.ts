/** What reaches stdout: all of it through a slow pipe, nothing after the reader has gone, and bytes as they were. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { EventView } from "../../../src/api/operations.ts";
import { tempDir } from "../../harness.ts";
import { fakeDaemon } from "./fake-daemon.ts";
import { cliCommand, cliEnvironment, runCliProcess, textOf } from "./run-cli.ts";

const event = (id: string): EventView => ({
  id,
  hook: "on_deploy_success",
  at: "2026-01-01T00:00:00.000Z",
  data: { service: "web", filler: "x".repeat(900) },
  deliveries: [],
});

test("four megabytes arrive whole at a reader who takes his time", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  const events = Array.from({ length: 4000 }, (_, index) => event(String(index)));
  await using _ = fakeDaemon(socket, { "event.list": () => ({ events }) });
  const child = Bun.spawn(cliCommand(["--socket", socket, "events", "--json", "--limit", "4000"]), {
    env: cliEnvironment(),
    stdout: "pipe",
    stderr: "pipe",
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of child.stdout) {
    chunks.push(chunk);
    await Bun.sleep(1);
  }
  const lines = Buffer.concat(chunks).toString().trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as EventView).id)).toEqual(events.map(({ id }) => id));
  expect(await child.exited).toBe(0);
});

test("a reader who goes away ends a followed stream without a word", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  await using _ = fakeDaemon(socket, {
    async *"event.follow"(_input, signal) {
      signal.addEventListener("abort", () => resolve());
      for (let id = 0; ; id++) {
        yield event(String(id));
        await Bun.sleep(1);
      }
    },
  });
  const child = Bun.spawn(cliCommand(["--socket", socket, "events", "-f"]), {
    env: cliEnvironment(),
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  expect(await textOf(child.stderr)).toBe("");
  expect(await child.exited).toBe(0);
  await closed;
});

test("a full disk behind stdout is an error, not silence", async () => {
  const child = Bun.spawn(cliCommand(["--version"]), {
    env: cliEnvironment(),
    stdin: "ignore",
    stdout: Bun.file("/dev/full"),
    stderr: "pipe",
  });
  expect(await textOf(child.stderr)).toContain("the disk that the output goes to is full");
  expect(await child.exited).toBe(1);
});

test("exec passes bytes, streams, standard input and the exit status through", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  const bytes = new Uint8Array(256).map((_, index) => index);
  await using daemon = fakeDaemon(socket, {
    async *"service.exec"(input) {
      yield { stream: "stdout", b64: input.stdin ?? "" };
      yield { stream: "stderr", b64: Buffer.from("warn\n").toString("base64") };
      return { exitCode: 42 };
    },
  });
  const child = Bun.spawn(cliCommand(["--socket", socket, "exec", "-i", "web", "--", "cat", "--json", "-"]), {
    env: cliEnvironment(),
    stdin: new Blob([bytes]),
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(new Uint8Array(await new Response(child.stdout).arrayBuffer())).toEqual(bytes);
  expect(await textOf(child.stderr)).toBe("warn\n");
  expect(await child.exited).toBe(42);
  expect(daemon.requests[0]?.input).toMatchObject({ name: "web", command: ["cat", "--json", "-"] });
});

test("exec refuses more standard input than it may send, and sends nothing", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, {});
  const stdin = new Uint8Array(1024 * 1024 + 1);
  const ran = await runCliProcess(["--socket", socket, "exec", "--stdin", "web", "cat"], { stdin });
  expect(ran.stderr).toContain("standard input holds more than 1 MiB");
  expect(ran.status).toBe(2);
  expect(daemon.requests).toEqual([]);
});

test("lists are arrays with --json and tables without", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  const own = { type: "hook", builtIn: false, folder: null };
  const worker = { reason: null, room: "js-worker", roomReason: "it is so" };
  const none = { reason: "changed", room: null, roomReason: null };
  const plugins = [
    { name: "a", version: "1.0.0", tier: 2, kind: "js", state: "enabled", ...own, ...worker },
    { name: "long-name", version: "10.0.0", tier: null, kind: "exec", state: "tampered", ...own, ...none },
  ];
  const builtIn = { ...own, type: "provider", builtIn: true, reason: null, room: null, roomReason: null };
  const all = [
    ...plugins,
    { name: "docker", version: "0.1.0", tier: null, kind: "built in", state: "enabled", ...builtIn },
  ];
  const service = {
    name: "web",
    state: "running",
    provider: "docker",
    server: "local",
    image: "nginx:1.27",
    version: 3,
    address: "127.0.0.1:40000",
    domains: [],
    usage: {
      at: "2026-01-01T00:00:00.000Z",
      cpuPercent: 12.34,
      cpuSeconds: 5,
      memoryBytes: 12.5 * 2 ** 20,
      memoryLimitBytes: 64 * 2 ** 20,
      networkRxBytes: null,
      networkTxBytes: null,
      blockReadBytes: null,
      blockWriteBytes: null,
      restarts: 0,
    },
  };
  await using _ = fakeDaemon(socket, {
    "plugin.list": () => ({ plugins: all, folders: [] }),
    "service.list": () => ({ services: [service] }),
    "env.list": () => ({ env: { B: "2", A: "1" } }),
  });
  const run = async (...args: readonly string[]) =>
    (await runCliProcess(["--socket", socket, ...args])).stdout;
  expect(JSON.parse(await run("plugin", "list", "--json"))).toEqual(plugins);
  expect(JSON.parse(await run("plugin", "list", "--json", "--all"))).toEqual(all);
  expect(await run("plugin", "list")).toBe(
    "NAME       VERSION  KIND                 TIER  STATE     ROOM\n" +
      "a          1.0.0    js                   2     enabled   js-worker\n" +
      "long-name  10.0.0   exec                 -     tampered  -\n" +
      "docker     0.1.0    provider (built in)  -     enabled   -\n" +
      "\nlong-name: changed\n",
  );
  expect(JSON.parse(await run("status", "--json"))).toEqual([service]);
  expect(await run("status")).toContain(
    "web   running  docker    nginx:1.27  3        127.0.0.1:40000  12.3 %  12.5 MiB of 64 MiB",
  );
  expect(JSON.parse(await run("env", "list", "web", "--json"))).toEqual([
    { key: "A", value: "1" },
    { key: "B", value: "2" },
  ]);
});

test("nothing that others wrote moves the cursor", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  const evil = "\u001B[2J\u202Eevil\r\n";
  await using _ = fakeDaemon(socket, {
    "plugin.list": () => ({
      plugins: [
        {
          name: evil,
          version: evil,
          tier: 2,
          kind: evil,
          state: evil,
          reason: evil,
          room: evil,
          roomReason: evil,
          type: evil,
          builtIn: false,
          folder: evil,
        },
      ],
      folders: [{ path: evil, problem: evil }],
    }),
    "event.list": () => ({
      events: [
        {
          id: evil,
          hook: evil,
          at: evil,
          data: { service: evil },
          deliveries: [{ plugin: evil, state: evil, attempts: 2, error: evil }],
        },
      ],
    }),
    async *"plugin.logs"() {
      yield { at: evil, level: evil, text: evil, fields: { [evil]: evil } };
      return {};
    },
  });
  for (const args of [["plugin", "list"], ["events"], ["plugin", "logs", "a"]]) {
    const { stdout, status } = await runCliProcess(["--socket", socket, ...args]);
    expect(status).toBe(0);
    expect(stdout).toContain("evil");
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});
