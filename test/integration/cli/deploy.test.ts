/** A deploy as its operator sees it: what is sent, what is shown, and what Ctrl-C does. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extract } from "tar-stream";
import { fail } from "../../../src/base/errors.ts";
import { tempDir } from "../../harness.ts";
import { fakeDaemon, type Answers } from "./fake-daemon.ts";
import { cliCommand, cliEnvironment, runCliProcess, runOnTerminal, textOf } from "./run-cli.ts";

const end = {
  deploy: "d-1",
  service: "web",
  version: 3,
  image: "nginx@sha256:aa",
  address: "127.0.0.1:8080",
  durationMs: 2400,
  detached: false,
};

test("every option reaches the daemon, and what is not given stays away", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, {
    async *"deploy.run"(input) {
      yield { step: "pull", text: "nginx", percent: 50 };
      yield { step: "pull", text: "nginx", percent: 70 };
      yield { step: "start", text: "vx-web-3" };
      return { ...end, detached: input.detach === true };
    },
  });
  const options =
    "--image nginx:1.27 --port 80 --publish 8080 --domain a.test --domain b.test --env A=1 --env B=x=y --volume data:/data --memory 512m --cpus 1.5 --restart always --provider docker --health /up --health-timeout 90s --command run";
  const ran = await runCliProcess(["--socket", socket, "deploy", "web", ...options.split(" ")]);
  expect(ran.stderr).toBe("pull: nginx\nstart: vx-web-3\n");
  expect(ran.stdout).toBe("✓ web version 3 runs at 127.0.0.1:8080 (2.4 s)\n");
  expect(ran.status).toBe(0);
  expect(daemon.requests[0]?.input).toEqual({
    service: "web",
    image: "nginx:1.27",
    command: "run",
    port: 80,
    publish: "8080",
    domains: ["a.test", "b.test"],
    env: { A: "1", B: "x=y" },
    volumes: ["data:/data"],
    memory: "512m",
    cpus: 1.5,
    restart: "always",
    provider: "docker",
    health: "/up",
    healthTimeoutMs: 90_000,
  });
  const detached = await runCliProcess(["--socket", socket, "deploy", "web", "--detach"]);
  expect(detached.stdout).toBe("d-1\n");
  expect(daemon.requests[1]?.input).toEqual({ service: "web", detach: true });
  const json = await runCliProcess(["--socket", socket, "deploy", "web", "--json"]);
  expect(json.stderr).toBe("");
  expect(JSON.parse(json.stdout)).toEqual(end);
});

test("--path sends the folder as a tar stream, ignored files left out", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  const app = join(dir.path, "app");
  mkdirSync(join(app, "node_modules"), { recursive: true });
  writeFileSync(join(app, "index.ts"), "serve()");
  writeFileSync(join(app, "big.bin"), new Uint8Array(3_000_000).fill(7));
  writeFileSync(join(app, "node_modules/x.js"), "");
  writeFileSync(join(app, ".voxeltronignore"), "node_modules/\n");
  let tar: Uint8Array = new Uint8Array();
  await using daemon = fakeDaemon(socket, {
    upload(_kind, bytes) {
      tar = bytes;
      return "u-7";
    },
    async *"deploy.run"() {
      yield { step: "start", text: "vx-web-3" };
      return end;
    },
  });
  const ran = await runCliProcess(["--socket", socket, "deploy", "web", "--path", app]);
  expect(ran.status).toBe(0);
  expect(daemon.requests).toEqual([
    { operation: "upload", input: "app" },
    { operation: "deploy.run", input: { service: "web", upload: "u-7" } },
  ]);
  const names: string[] = [];
  const reader = extract();
  reader.end(Buffer.from(tar));
  for await (const entry of reader) {
    names.push(`${entry.header.name} ${entry.header.size}`);
    entry.resume();
  }
  expect(names).toEqual([".voxeltronignore 14", "big.bin 3000000", "index.ts 7"]);
});

/** A deploy that goes on until it is cancelled; what `cancelled` resolves with is how it ends. */
function slowDeploy(how: "undone" | "too late" | "never"): Answers {
  const cancelled = Promise.withResolvers<void>();
  return {
    async *"deploy.run"() {
      yield { step: "pull", text: "nginx" };
      await cancelled.promise;
      yield { step: "undo", text: "removing the new version" };
      if (how === "never") await new Promise(() => {});
      if (how === "undone") throw fail("deploy.cancelled", "the deploy of web was cancelled");
      return end;
    },
    "deploy.cancel": () => {
      cancelled.resolve();
      return {};
    },
  };
}

/** Sends SIGINT each time that stderr shows the next text. */
async function interruptAt(args: readonly string[], texts: readonly string[]) {
  const child = Bun.spawn(cliCommand(args), {
    env: cliEnvironment(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const left = [...texts];
  let stderr = "";
  const reading = (async () => {
    for await (const chunk of child.stderr) {
      stderr += new TextDecoder().decode(chunk);
      if (left[0] !== undefined && stderr.includes(left[0])) {
        left.shift();
        child.kill("SIGINT");
      }
    }
  })();
  const [stdout, status] = await Promise.all([textOf(child.stdout), child.exited]);
  await reading;
  return { stdout, stderr, status };
}

test("the first Ctrl-C cancels and waits until the daemon has undone it", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, slowDeploy("undone"));
  const ran = await interruptAt(["--socket", socket, "deploy", "web", "--image", "x"], ["pull: nginx"]);
  expect(ran.stderr).toContain("undo: removing the new version");
  expect(ran.stderr).toContain("error: the deploy of web was cancelled");
  expect(ran.stdout).toBe("");
  expect(ran.status).toBe(130);
  expect(daemon.requests.at(-1)).toEqual({ operation: "deploy.cancel", input: { service: "web" } });
});

test("a Ctrl-C that comes too late shows the result and still says interrupted", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using _ = fakeDaemon(socket, slowDeploy("too late"));
  const ran = await interruptAt(["--socket", socket, "deploy", "web", "--image", "x"], ["pull: nginx"]);
  expect(ran.stdout).toContain("✓ web version 3");
  expect(ran.status).toBe(130);
});

test("the second Ctrl-C leaves at once", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using _ = fakeDaemon(socket, slowDeploy("never"));
  const ran = await interruptAt(
    ["--socket", socket, "deploy", "web", "--image", "x"],
    ["pull: nginx", "undo: removing"],
  );
  expect(ran.stderr).toEndWith("error: interrupted\n");
  expect(ran.status).toBe(130);
});

test("on a terminal the progress is one line that is gone in the end", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using _ = fakeDaemon(socket, {
    async *"deploy.run"() {
      yield { step: "pull", text: "nginx ".repeat(40), percent: 12.7 };
      yield { step: "start", text: "vx-web-3" };
      return end;
    },
  });
  const { screen } = await runOnTerminal(["--socket", socket, "deploy", "web", "--image", "x"], []);
  const [first = "", second = "", last = ""] = screen.split("\r\u001B[2K").slice(1);
  expect(first.length).toBeLessThan(80);
  expect(second).toBe("start: vx-web-3");
  expect(last).toBe("✓ web version 3 runs at 127.0.0.1:8080 (2.4 s)\n");
});

test("a registry's password is typed without echo, or piped, and never stands in argv", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, { "registry.login": () => ({}) });
  const login = ["--socket", socket, "registry", "login", "r.test"];
  const { screen, status } = await runOnTerminal(login, [
    { see: "Username: ", type: "007\n" },
    { see: "Password: ", type: "hunx\u007F2\r" },
  ]);
  expect(screen).toBe("Username: 007\nPassword: \nlogged in to r.test as 007\n");
  expect(status).toBe(0);
  await runCliProcess([...login, "-u", "me", "--password-stdin"], { stdin: "s3cret\n" });
  expect(daemon.requests.map(({ input }) => input)).toEqual([
    { host: "r.test", username: "007", password: "hun2" },
    { host: "r.test", username: "me", password: "s3cret" },
  ]);
  const none = await runCliProcess(login);
  expect(none.status).toBe(2);
  const interrupted = await runOnTerminal([...login, "-u", "me"], [{ see: "Password: ", type: "\u0003" }]);
  expect(interrupted.status).toBe(130);
});

test("removing asks on a terminal, and in a script wants --yes", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, { "service.remove": () => ({}) });
  const remove = ["--socket", socket, "remove", "web"];
  const refused = await runOnTerminal(remove, [{ see: "Remove service web? [y/N]: ", type: "\n" }]);
  expect(refused.status).toBe(5);
  expect(daemon.requests).toEqual([]);
  expect((await runOnTerminal(remove, [{ see: "[y/N]: ", type: "y\n" }])).status).toBe(0);
  const silent = await runCliProcess(remove);
  expect([silent.status, silent.stderr]).toEqual([5, expect.stringContaining("pass --yes")]);
  expect(daemon.requests).toHaveLength(1);
  expect((await runCliProcess([...remove, "--yes"])).stdout).toBe("removed web\n");
  expect(daemon.requests).toHaveLength(2);
});

test("a deploy that nobody watches can be cancelled", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, { "deploy.cancel": () => ({}) });
  expect((await runCliProcess(["--socket", socket, "cancel", "web"])).stdout).toBe(
    "cancelled the deploy of web\n",
  );
  expect(daemon.requests.map(({ input }) => input)).toEqual([{ service: "web" }]);
});
