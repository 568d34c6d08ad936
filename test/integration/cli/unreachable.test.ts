/** No daemon, a dead one's socket, one that may not be opened, and something else that listens there. */
import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fail, isVoxError } from "../../../src/base/errors.ts";
import { makeClient } from "../../../src/api/client.ts";
import { tempDir } from "../../harness.ts";
import { fakeDaemon } from "./fake-daemon.ts";
import { cliCommand, cliEnvironment, runCliProcess, textOf } from "./run-cli.ts";

/** A peer that is told what to answer, byte for byte. */
async function rawServer(
  socket: string,
  answer: (connection: Socket) => void | Promise<void>,
): Promise<{ [Symbol.asyncDispose](): Promise<void> }> {
  const open = new Set<Socket>();
  const server: Server = createServer((connection) => {
    open.add(connection);
    connection.on("error", () => {});
    connection.once("data", () => void answer(connection));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const OK = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

async function code(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return isVoxError(error) ? error.code : `not ours: ${String(error)}`;
}

describe("the command line", () => {
  test("names the socket and the command that starts the daemon when there is none", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "none.sock");
    const ran = await runCliProcess(["--socket", socket, "status"]);
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toBe(
      `error: no daemon listens at "${socket}": there is no such socket\n` +
        `hint: start it with: voxeltron daemon --socket ${socket}\n`,
    );
    expect(ran.status).toBe(3);
  });

  test("with --json the error is a document on stderr and nothing is on stdout", async () => {
    const ran = await runCliProcess(["--socket", "/nonexistent/s", "status", "--json"]);
    expect(ran.stdout).toBe("");
    expect(JSON.parse(ran.stderr)).toMatchObject({
      error: { code: "daemon.not_reachable", hint: expect.stringContaining("voxeltron daemon") },
    });
    expect(ran.status).toBe(3);
  });

  test("tells a socket that a stopped daemon left behind from one that is not there", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "stale.sock");
    const maker = Bun.spawn(
      [
        process.execPath,
        "-e",
        `Bun.listen({unix:${JSON.stringify(socket)},socket:{data(){}}});console.log(1);await new Promise(()=>{});setInterval(()=>{},1e6)`,
      ],
      { stdout: "pipe", env: cliEnvironment() },
    );
    for await (const _ of maker.stdout) break;
    maker.kill("SIGKILL");
    await maker.exited;
    const ran = await runCliProcess(["--socket", socket, "daemon", "info"]);
    expect(ran.stderr).toContain("it is left over from one that has stopped");
    expect(ran.status).toBe(3);
  });

  // Only root can become someone who may not.
  test.skipIf(process.getuid?.() !== 0 || Bun.which("setpriv") === null).each([
    ["the group", 12_345, "usermod -aG voxeltron"],
    ["the daemon's user, where no group was given it", 0, "such as root with sudo"],
  ])("names %s when the socket may not be opened", async (_who, group, hint) => {
    await using dir = tempDir();
    chmodSync(dir.path, 0o755);
    const socket = join(dir.path, "s");
    await using daemon = fakeDaemon(socket, {});
    chmodSync(socket, 0o660);
    chownSync(socket, 0, group);
    // What runs as another user must be readable to that user.
    const source = join(dir.path, "source");
    mkdirSync(source);
    for (const part of ["src", "package.json", "test/fixtures/cli-entry.ts"])
      cpSync(part, join(source, part), { recursive: true });
    cpSync("node_modules/smol-toml", join(source, "node_modules/smol-toml"), { recursive: true });
    const [, , ...args] = cliCommand(["--socket", socket, "daemon", "info"]);
    const child = Bun.spawn(
      [
        "setpriv",
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
        process.execPath,
        join(source, "test/fixtures/cli-entry.ts"),
        ...args,
      ],
      { env: cliEnvironment(), stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    const [stderr, status] = await Promise.all([textOf(child.stderr), child.exited]);
    expect(stderr).toContain(`you may not open the daemon's socket "${socket}"`);
    expect(stderr).toContain(hint);
    expect(status).toBe(3);
    expect(daemon.requests).toEqual([]);
  });

  test("a broken configuration that has to be asked for the socket is named", async () => {
    await using dir = tempDir();
    const file = join(dir.path, "config.toml");
    writeFileSync(file, "socket = ");
    const ran = await runCliProcess(["--config", file, "status"]);
    expect(ran.stderr).toContain(file);
    expect(ran.status).toBe(7);
    const missing = await runCliProcess(["--config", join(dir.path, "none.toml"), "status"]);
    expect(missing.stderr).toContain("can't be read");
    expect(missing.status).toBe(7);
  });

  test("the socket comes from the configuration file, the environment over it, the flag over both", async () => {
    await using dir = tempDir();
    const file = join(dir.path, "config.toml");
    writeFileSync(file, `socket = "${dir.path}/file.sock"\n`);
    const at = async (args: readonly string[], environment: Record<string, string> = {}) =>
      (await runCliProcess([...args, "status"], { environment })).stderr;
    expect(await at(["--config", file])).toContain("/file.sock");
    const environment = { VOXELTRON_SOCKET: `${dir.path}/env.sock` };
    expect(await at(["--config", file], environment)).toContain("/env.sock");
    expect(await at(["--socket", `${dir.path}/flag.sock`], environment)).toContain("/flag.sock");
    expect(await at(["--data-dir", dir.path], environment)).toContain(`${dir.path}/voxeltron.sock`);
  });
});

describe("the client", () => {
  const peers = {
    "a server of another protocol": "SSH-2.0-OpenSSH_9.2\r\n",
    "a web server's page": "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>",
    "a web server's 404": "HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nnot found",
    "a JSON list": "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
    "an error without a code": 'HTTP/1.1 500 X\r\ncontent-length: 12\r\n\r\n{"error":{}}',
    "a redirect": "HTTP/1.1 302 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
  };
  for (const [what, bytes] of Object.entries(peers))
    test(`${what} is not taken for a daemon`, async () => {
      await using dir = tempDir();
      const socket = join(dir.path, "s");
      await using _ = await rawServer(socket, (connection) => void connection.end(bytes));
      expect(await code(makeClient(socket).call("daemon.info", {}))).toBe("daemon.not_reachable");
    });

  test("an answer that breaks off is lost, not short", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    await using _ = await rawServer(socket, (connection) => {
      connection.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}");
      connection.end();
    });
    expect(await code(makeClient(socket).call("daemon.info", {}))).toBe("connection.lost");
  });

  for (const [what, tail] of [
    ["cut between two lines", ""],
    ["cut inside a line", chunk('{"item":{"at":"x"')],
    ["ended without its end line", "0\r\n\r\n"],
  ] as const)
    test(`a stream ${what} is lost after the items that came whole`, async () => {
      await using dir = tempDir();
      const socket = join(dir.path, "s");
      const item = { at: "t", level: "info", text: "one" };
      const { promise: shown, resolve } = Promise.withResolvers<void>();
      await using _ = await rawServer(socket, async (connection) => {
        connection.write(OK + chunk(`${JSON.stringify({ item })}\n`));
        await shown;
        connection.end(tail);
      });
      const seen: unknown[] = [];
      const stream = makeClient(socket).stream("plugin.logs", { name: "a", follow: true, limit: 1 });
      const ended = (async () => {
        for await (const entry of stream) {
          seen.push(entry);
          resolve();
        }
      })();
      expect(await code(ended)).toBe("connection.lost");
      expect(seen).toEqual([item]);
    });

  test("a line without an end is refused at its bound instead of filling the memory", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    const piece = "x".repeat(1024 * 1024);
    await using _ = await rawServer(socket, (connection) => {
      connection.write(OK);
      const more = () => {
        while (!connection.destroyed && connection.write(chunk(piece)));
        connection.once("drain", more);
      };
      more();
    });
    const stream = makeClient(socket).stream("event.follow", {});
    expect(await code(stream.next())).toBe("connection.lost");
  });

  test("the daemon's own errors arrive with code, message, hint and details", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    await using _ = fakeDaemon(socket, {
      "plugin.info": () => {
        throw fail("plugin.not_found", "no plugin is called a", { hint: "look", details: { name: "a" } });
      },
      async *"event.follow"() {
        yield { id: "1", hook: "on_alert", at: "t", data: {}, deliveries: [] };
        throw fail("daemon.stopping", "the daemon stops");
      },
    });
    const client = makeClient(socket);
    const error = await client.call("plugin.info", { name: "a" }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "plugin.not_found",
      message: "no plugin is called a",
      hint: "look",
      details: { name: "a" },
    });
    const stream = client.stream("event.follow", {});
    expect((await stream.next()).done).toBe(false);
    expect(await code(stream.next())).toBe("daemon.stopping");
  });

  test("an aborted stream ends with the signal's reason and closes the connection", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await using _ = fakeDaemon(socket, {
      async *"event.follow"(_input, signal) {
        signal.addEventListener("abort", () => resolve());
        yield { id: "1", hook: "on_alert", at: "t", data: {}, deliveries: [] };
        await new Promise(() => {});
        return {};
      },
    });
    const controller = new AbortController();
    const stream = makeClient(socket).stream("event.follow", {}, { signal: controller.signal });
    await stream.next();
    const next = stream.next();
    controller.abort(fail("operation.interrupted", "interrupted"));
    expect(await code(next)).toBe("operation.interrupted");
    await closed;
  });

  test("a proxy in the environment is not asked the way to a socket", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    await using _ = fakeDaemon(socket, {
      "daemon.info": () => ({
        version: "1",
        pid: 1,
        dataDir: "/d",
        startedAt: "t",
        confinement: { state: "confined", missing: [] },
      }),
    });
    const ran = await runCliProcess(["--socket", socket, "daemon", "info", "--json"], {
      environment: {
        HTTP_PROXY: "http://127.0.0.1:1",
        http_proxy: "http://127.0.0.1:1",
        ALL_PROXY: "http://127.0.0.1:1",
      },
    });
    expect(JSON.parse(ran.stdout)).toMatchObject({ pid: 1 });
  });
});
