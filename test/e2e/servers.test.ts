/** A service on another machine, from one end to the other: the compiled daemon, and a second engine that it reaches over TLS. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { freePort, needs, until } from "../harness.ts";
import { SECOND_HOST, startSecondEngine, type SecondEngine } from "../second-engine.ts";
import { EXECUTABLE, makeMachine, type Machine } from "./machine.ts";

const SERVE = `sh -c "mkdir -p /www && echo $TEXT > /www/index.html && echo ready && exec httpd -f -p 80 -h /www"`;

interface Server {
  readonly name: string;
  readonly reachable: boolean;
  readonly version: string | null;
  readonly error: string | null;
}

interface Service {
  readonly state: string;
  readonly server: string;
  readonly address: string | null;
  readonly instance: string;
  readonly problem: string | null;
  readonly usage: unknown;
}

describe.skipIf(!needs("compiled") || !needs("docker") || !needs("second engine"))("a server", () => {
  let engine: SecondEngine;
  beforeAll(async () => {
    engine = await startSecondEngine();
    await ensureTestImage();
  }, 60_000);
  // Also of a test that failed.
  afterEach(() => {
    const left = engine.docker("ps", "--all", "--quiet").split("\n").filter(Boolean);
    if (left.length > 0) engine.docker("rm", "--force", ...left);
  });
  afterAll(async () => engine[Symbol.asyncDispose](), 60_000);

  function configuration(names: readonly string[] = ["second"]): string {
    const { ca, cert, key } = engine.files;
    return names
      .map(
        (name) =>
          `[servers.${name}]\ndocker = "tcp://${SECOND_HOST}:${engine.port}"\nca = "${ca}"\ncert = "${cert}"\nkey = "${key}"\n`,
      )
      .join("\n");
  }

  async function reload(machine: Machine, toml: string): Promise<void> {
    const before = machine.log().split("configuration reloaded").length;
    machine.configure(toml);
    process.kill(machine.pid(), "SIGHUP");
    await until(() => machine.log().split("configuration reloaded").length > before, { what: "the reload" });
  }

  const body = (port: number): Promise<string | undefined> =>
    fetch(`http://127.0.0.1:${port}/`, { keepalive: false }).then(
      (answer) => answer.text(),
      () => undefined,
    );

  const info = (machine: Machine): Promise<Service> => machine.json<Service>("status", "web");

  async function removeAll(machine: Machine): Promise<void> {
    await machine.cli("remove", "web", "--yes", "--abandon");
  }

  test("runs services behind this machine's addresses, with logs, commands, secrets and measurements, and lets them move", async () => {
    await using machine = makeMachine(configuration());
    const port = freePort();
    await machine.start();
    const secret = join(machine.write("secrets", { token: "a-secret-value" }), "token");
    await machine.json("secret", "set", "web", "TOKEN", "--file", secret);
    expect(await machine.json<Server[]>("server", "list")).toMatchObject([
      { name: "local", reachable: true },
      {
        name: "second",
        reachable: true,
        version: engine.docker("version", "--format", "{{.Server.Version}}"),
      },
    ]);
    const deploy = (...words: string[]) => machine.json("deploy", "web", "--env", "TEXT=hello", ...words);
    await deploy(
      "--server",
      "second",
      "--image",
      TEST_IMAGE,
      "--command",
      SERVE,
      "--port",
      "80",
      "--publish",
      `127.0.0.1:${port}`,
      "--health",
      "/",
      "--volume",
      "data:/data",
    );
    expect(await body(port)).toBe("hello\n");
    const there = await info(machine);
    expect(there).toMatchObject({ state: "running", server: "second", problem: null });
    expect(engine.docker("ps", "--format", "{{.Names}}")).toBe(there.instance);
    expect(engine.docker("port", there.instance)).toStartWith(`80/tcp -> ${SECOND_HOST}:`);
    expect(run(machine, "sh", "-c", "echo $TOKEN").stdout).toBe("a-secret-value\n");
    const [event] = (await machine.cli("events", "--json")).stdout.trim().split("\n");
    expect(JSON.parse(event ?? "")).toMatchObject({ data: { service: "web", server: SECOND_HOST } });
    await until(async () => (await machine.cli("logs", "web")).stdout.includes("ready"), { what: "its log" });
    expect(run(machine, "sh", "-c", "echo in; exit 3")).toEqual({ status: 3, stdout: "in\n" });
    await until(async () => (await info(machine)).usage !== null, { timeoutMs: 20_000, what: "its usage" });

    await deploy("--image", TEST_IMAGE);
    expect((await info(machine)).server).toBe("second");
    const refused = await machine.cli("deploy", "web", "--path", machine.write("app", { "a.txt": "a" }));
    expect(refused.stderr).toContain("a folder runs on the daemon's own machine only");

    const built = machine.write("built", { Dockerfile: `FROM ${TEST_IMAGE}\nENV BUILT=there\n` });
    await deploy("--path", built, "--command", SERVE);
    expect(run(machine, "sh", "-c", "echo $BUILT").stdout).toBe("there\n");
    expect((await info(machine)).server).toBe("second");
    await deploy("--image", TEST_IMAGE, "--command", SERVE);

    // Nobody who asks meanwhile is turned away.
    let failures = 0;
    let answers = 0;
    const stop = new AbortController();
    const asking = (async () => {
      while (!stop.signal.aborted) {
        if ((await body(port)) === "hello\n") answers++;
        else failures++;
      }
    })();
    await deploy("--server", "local");
    stop.abort();
    await asking;
    expect(failures).toBe(0);
    expect(answers).toBeGreaterThan(0);
    expect(engine.docker("ps", "--all", "--quiet")).toBe("");
    expect(await info(machine)).toMatchObject({ state: "running", server: "local" });
    await removeAll(machine);
  }, 120_000);

  test("that is down costs its own services only, and is found again", async () => {
    await using machine = makeMachine(configuration());
    const port = freePort();
    await machine.start();
    await machine.json(
      "deploy",
      "web",
      "--server",
      "second",
      "--image",
      TEST_IMAGE,
      "--env",
      "TEXT=far",
      "--command",
      SERVE,
      "--port",
      "80",
      "--publish",
      `127.0.0.1:${port}`,
    );
    await engine.down();
    try {
      const began = performance.now();
      expect(await machine.end("SIGTERM")).toBe(0);
      await machine.start();
      expect(performance.now() - began).toBeLessThan(15_000);
      const down = await info(machine);
      expect(down.state).toBe("unknown");
      expect(down.problem).toContain(`no docker engine of second answers at tcp://${SECOND_HOST}`);
      const [, second] = await machine.json<Server[]>("server", "list");
      expect(second).toMatchObject({ reachable: false, error: expect.stringContaining("no docker engine") });
      const stopped = await machine.cli("stop", "web", "--json");
      expect(stopped).toMatchObject({ status: 9 });
      expect((await machine.cli("doctor")).stdout).toContain("servers.second");
      await machine.json("deploy", "here", "--image", TEST_IMAGE, "--command", "sleep 600");
      await machine.json("remove", "here", "--yes");
    } finally {
      await engine.up();
    }
    // The engine brings it back by itself too, and both at once is too much for it.
    await until(async () => (await machine.cli("start", "web")).status === 0, { timeoutMs: 20_000 });
    await until(async () => (await body(port)) === "far\n", { timeoutMs: 20_000, what: "the service" });
    await removeAll(machine);
    expect(engine.docker("ps", "--all", "--quiet")).toBe("");
  }, 120_000);

  test("that hangs holds up nobody: not its neighbours, and not the daemon's end or start", async () => {
    await using machine = makeMachine(configuration());
    await machine.start();
    const words = ["--image", TEST_IMAGE, "--command", "sleep 600"];
    await machine.json("deploy", "web", "--server", "second", ...words);
    process.kill(engine.pid(), "SIGSTOP");
    try {
      for (const round of ["with old connections", "with new ones"]) {
        let began = performance.now();
        expect(await info(machine), round).toMatchObject({ state: "unknown" });
        await machine.json("deploy", "here", ...words);
        await machine.json("remove", "here", "--yes");
        const [local, second] = await machine.json<Server[]>("server", "list");
        expect(local?.reachable, round).toBe(true);
        expect(second?.error, round).toMatch(/did not answer within 6 s|does not begin to encrypt/);
        expect(performance.now() - began).toBeLessThan(25_000);
        began = performance.now();
        expect(await machine.end("SIGTERM")).toBe(0);
        expect(performance.now() - began, round).toBeLessThan(5_000);
        await machine.start();
      }
    } finally {
      process.kill(engine.pid(), "SIGCONT");
    }
    await until(async () => (await info(machine)).state === "running", {
      timeoutMs: 20_000,
      what: "the service",
    });
    await removeAll(machine);
  }, 120_000);

  test("comes and goes with a reload; what runs on it stays", async () => {
    await using machine = makeMachine("");
    await machine.start();
    expect(
      (await machine.cli("deploy", "web", "--image", TEST_IMAGE, "--server", "second")).stderr,
    ).toContain('no server is called "second"');
    await reload(machine, configuration());
    await machine.json(
      "deploy",
      "web",
      "--image",
      TEST_IMAGE,
      "--server",
      "second",
      "--command",
      "sleep 600",
    );
    await reload(machine, "");
    const gone = await info(machine);
    expect(gone).toMatchObject({ state: "unknown", server: "second" });
    expect(gone.problem).toContain('no server is called "second"');
    expect(engine.docker("ps", "--format", "{{.Names}}")).toBe(gone.instance);
    expect((await machine.cli("remove", "web", "--yes", "--json")).stderr).toContain("server.unknown");
    await reload(machine, configuration());
    await until(async () => (await info(machine)).state === "running", { what: "the service" });
    await machine.json("remove", "web", "--yes");
    expect(engine.docker("ps", "--all", "--quiet")).toBe("");
  }, 60_000);

  test("has workspaces too, reached at its address", async () => {
    await using machine = makeMachine(configuration());
    await machine.start();
    const words = ["--image", TEST_IMAGE, "--command", SERVE, "--env", "TEXT=dev", "--port", "80=28765"];
    await machine.json("workspace", "create", "dev", "--server", "second", ...words, "--start");
    expect(engine.docker("ps", "--format", "{{.Ports}}")).toBe(`${SECOND_HOST}:28765->80/tcp`);
    const page = (): Promise<string | undefined> =>
      fetch(`http://${SECOND_HOST}:28765/`).then(
        (answer) => answer.text(),
        () => undefined,
      );
    await until(async () => (await page()) === "dev\n", { what: "the workspace" });
    expect((await machine.cli("workspace", "status", "dev")).stdout).toContain(`${SECOND_HOST}:28765`);
    const events = (await machine.cli("events", "--json")).stdout;
    expect(events).toContain(`"server":"${SECOND_HOST}"`);
    await machine.json("workspace", "destroy", "dev", "--yes");
    expect(engine.docker("ps", "--all", "--quiet")).toBe("");
  }, 60_000);

  test("a daemon that is killed leaves nothing there that nobody wants", async () => {
    await using machine = makeMachine(configuration(["second", "alias"]));
    await machine.start();
    await machine.json("deploy", "web", "--image", TEST_IMAGE, "--server", "alias", "--command", "sleep 600");
    const old = (await info(machine)).instance;
    const deploying = machine.cli(
      "deploy",
      "web",
      "--image",
      TEST_IMAGE,
      "--server",
      "second",
      "--command",
      "sleep 600",
      "--port",
      "80",
      "--health-timeout",
      "60s",
    );
    await until(() => engine.docker("ps", "--quiet").split("\n").length === 2, { what: "the new instance" });
    await machine.end("SIGKILL");
    await deploying;
    await machine.start();
    await until(() => engine.docker("ps", "--all", "--format", "{{.Names}}") === old, {
      timeoutMs: 20_000,
      what: "the new instance to be removed",
    });
    expect(await info(machine)).toMatchObject({ server: "alias", state: "running" });
    await removeAll(machine);
  }, 90_000);
});

/** A command inside, whose words come behind all flags. */
function run(
  machine: Machine,
  ...command: readonly string[]
): { readonly status: number; readonly stdout: string } {
  const words = ["exec", "web", "--data-dir", machine.dataDir, "--", ...command];
  const { exitCode, stdout } = Bun.spawnSync([EXECUTABLE, ...words], { env: { HOME: machine.folder } });
  return { status: exitCode, stdout: stdout.toString() };
}
