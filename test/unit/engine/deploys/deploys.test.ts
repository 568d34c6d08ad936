import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../../../src/base/errors.ts";
import { systemClock } from "../../../../src/base/clock.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, tempDir, until } from "../../../harness.ts";
import { makeWorld, type World, type WorldOptions } from "../service-world.ts";
import { fakeProvider, type FakeProvider, type Method } from "../fake-provider.ts";

/** A world where version 1 of `web` is live already. */
async function livingWorld(options: WorldOptions = {}): Promise<World> {
  const first = makeWorld({
    ...(options.db === undefined ? {} : { db: options.db }),
    ...(options.folders === undefined ? {} : { folders: options.folders }),
  });
  await first.deploy({ image: "app:1", port: 3000 });
  first.db.run("DELETE FROM events");
  first.deps.edges.closeAll();
  return makeWorld({ ...options, db: first.db, cluster: first.provider.cluster });
}

function running(world: World): string[] {
  return [...world.provider.cluster.values()]
    .filter(({ status }) => status.state === "running")
    .map(({ spec }) => `${spec.service} ${spec.version}`);
}

describe("a deploy that succeeds", () => {
  test("takes its steps in order and tells both ends", async () => {
    const world = makeWorld();
    const end = await world.deploy({ image: "app:1", port: 3000, domains: ["app.example.com"] });
    const id = world.provider.cluster.keys().next().value as string;
    expect(world.provider.calls.filter((call) => !call.startsWith("status"))).toEqual([
      `prepare ${id}`,
      `create ${id}`,
      `start ${id}`,
    ]);
    expect(id).toMatch(/^vx-web-1-[0-9a-f]{8}$/);
    expect(end).toMatchObject({ service: "web", version: 1, image: "app:1", detached: false });
    expect(end.address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(world.events().map(({ hook }) => hook)).toEqual(["on_deploy_start", "on_deploy_success"]);
    expect(world.events("on_deploy_success")[0]?.data).toMatchObject({
      service: "web",
      domain: "app.example.com",
      domains: ["app.example.com"],
      image: "app:1",
      version: 1,
      provider: "fake",
      server: "local",
    });
    expect(world.deps.state.deploys.list("web", 5)).toMatchObject([{ state: "succeeded", step: "cleanup" }]);
    expect(world.deps.state.versions.find("web", 1)?.image).toBe("app:1@sha256:abc");
    expect(world.progress.map(({ step }) => step)).toEqual([
      "prepare",
      "prepare",
      "create",
      "start",
      "health",
      "switch",
    ]);
    await world.close();
  });

  test("replaces the old version, and only after the switch", async () => {
    const world = await livingWorld();
    let oldAtHealth: string[] = [];
    world.provider.onCall = (method) => {
      if (method === "status") oldAtHealth = running(world);
    };
    await world.deploy({ image: "app:2" });
    expect(oldAtHealth).toEqual(["web 1", "web 2"]);
    expect(running(world)).toEqual(["web 2"]);
    expect(world.provider.cluster.size).toBe(1);
    expect(world.deps.state.versions.list("web").map(({ version }) => version)).toEqual([2, 1]);
    await world.close();
  });

  test("inherits what the request leaves out, and adds to the environment", async () => {
    const world = makeWorld();
    await world.deploy({
      image: "app:1",
      port: 3000,
      command: "serve --fast",
      env: { A: "1" },
      memory: "512m",
      volumes: ["data:/data"],
      domains: ["a.example.com"],
    });
    world.deps.state.env.set("web", { B: "2" });
    await world.deploy({ env: { C: "3" }, cpus: 1.5, memory: "none" });
    const spec = [...world.provider.cluster.values()][0]?.spec;
    expect(spec).toMatchObject({
      version: 2,
      image: "app:1@sha256:abc",
      port: 3000,
      command: ["serve", "--fast"],
      env: { A: "1", B: "2", C: "3" },
      memoryBytes: undefined,
      cpus: 1.5,
      volumes: [{ source: "data", target: "/data", readOnly: false }],
    });
    expect(world.deps.state.env.all("web")).toEqual({ A: "1", B: "2", C: "3" });
    await world.close();
  });

  test("without a port counts as healthy once it has been running for a while", async () => {
    const clock = fakeClock();
    const world = makeWorld({ clock });
    const done = world.deploy({ image: "worker:1" });
    await until(() => world.progress.some(({ step }) => step === "health"));
    await clock.advance(2500);
    expect(await Promise.race([done, Promise.resolve("waiting")])).toBe("waiting");
    await clock.advance(1000);
    expect((await done).address).toBeNull();
    expect(world.events("on_deploy_success")[0]?.data["domain"]).toBe("web");
    await world.close();
  });

  test("detached answers at once and goes on", async () => {
    let open = (): void => {};
    const world = makeWorld({ gate: () => new Promise((resolve) => (open = resolve)) });
    const end = await world.deploy({ image: "app:1", port: 3000, detach: true });
    expect(end).toMatchObject({ detached: true, version: 1 });
    expect(world.deps.state.deploys.list("web", 1)[0]?.id).toBe(end.deploy);
    expect((await world.services.info("web")).state).toBe("deploying");
    open();
    await until(() => world.events("on_deploy_success")[0]);
    await world.close();
  });

  test("brings a stopped service back to running", async () => {
    const world = await livingWorld();
    await world.services.stop("web");
    await world.deploy({ image: "app:2" });
    expect(world.deps.state.services.find("web")?.desired).toBe("running");
    await world.close();
  });

  test("is a success even when the old version can't be removed, which is tried again", async () => {
    const clock = fakeClock();
    const world = await livingWorld({ clock });
    world.provider.script = { destroy: new Error("busy") };
    await world.deploy({ image: "app:2" });
    expect(world.events().map(({ hook }) => hook)).toEqual(["on_deploy_start", "on_deploy_success"]);
    expect(world.provider.cluster.size).toBe(2);
    world.provider.script = {};
    await clock.advance(1000);
    await world.deploys.idle();
    expect(running(world)).toEqual(["web 2"]);
    expect(world.provider.cluster.size).toBe(1);
    await world.close();
  });
});

describe("a deploy that fails", () => {
  const ways: readonly {
    readonly at: string;
    readonly code: string;
    readonly set: (world: World) => void;
    readonly options?: WorldOptions;
  }[] = [
    {
      at: "gate",
      code: "gate.refused",
      options: { gate: () => Promise.reject(fail("gate.refused", "not on fridays")) },
      set() {},
    },
    {
      at: "prepare",
      code: "deploy.image_not_found",
      set: (world) => (world.provider.script = { prepare: fail("deploy.image_not_found", "no such image") }),
    },
    {
      at: "create",
      code: "provider.failed",
      set: (world) => (world.provider.script = { create: fail("provider.failed", "no") }),
    },
    {
      at: "start",
      code: "provider.failed",
      set: (world) => (world.provider.script = { start: fail("provider.failed", "no") }),
    },
    {
      at: "health",
      code: "deploy.exited",
      set: (world) => (world.provider.becomes = () => ({ state: "exited", exitCode: 3 })),
    },
    {
      at: "health",
      code: "deploy.exited",
      set: (world) => (world.provider.becomes = () => ({ state: "running", restarts: 1 })),
    },
    {
      at: "health",
      code: "deploy.unhealthy",
      options: { probes: { tcp: async () => "nothing listens on the port" } },
      set() {},
    },
    {
      at: "switch",
      code: "a bug in the outbox",
      options: {
        emitting(hook) {
          if (hook === "on_deploy_success") throw new Error("a bug in the outbox");
        },
      },
      set() {},
    },
  ];

  for (const way of ways)
    test(`at ${way.at} with ${way.code} is undone, told once, and leaves the old version running`, async () => {
      const world = await livingWorld(way.options);
      way.set(world);
      expect(await codeOf(world.deploy({ image: "app:2", healthTimeoutMs: 50, env: { NEW: "1" } }))).toBe(
        way.code,
      );
      expect(running(world)).toEqual(["web 1"]);
      expect(world.provider.cluster.size).toBe(1);
      expect(world.deps.state.services.find("web")).toMatchObject({ currentVersion: 1, desired: "running" });
      expect(world.deps.state.env.all("web")).toEqual({});
      expect(world.events().map(({ hook }) => hook)).toEqual(["on_deploy_start", "on_deploy_fail"]);
      expect(world.events("on_deploy_fail")[0]?.data).toMatchObject({
        step: way.at,
        rolledBack: true,
        version: 2,
      });
      expect(world.deps.state.deploys.list("web", 1)).toMatchObject([{ state: "failed", step: way.at }]);
      expect(world.deps.busy.isDeploying("web")).toBe(false);
      await world.close();
    });

  test("shows the last lines of an instance that ended early", async () => {
    const world = makeWorld();
    world.provider.becomes = () => ({ state: "exited", exitCode: 3, detail: "out of memory" });
    world.provider.lines = Array.from({ length: 50 }, (_, i) => `line ${i}\u001b[31m`);
    const error = await world.deploy({ image: "app:1", port: 80 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "deploy.exited",
      message: "web ended with code 3 before it was healthy: out of memory",
    });
    const { logs } = (error as { details: { logs: string[] } }).details;
    expect(logs).toHaveLength(20);
    expect(logs.at(-1)).toBe("line 49[31m");
    await world.close();
  });

  test("does not tell a plugin what a bug said", async () => {
    const world = makeWorld();
    world.provider.script = { create: new TypeError("password=hunter2") };
    expect(await codeOf(world.deploy({ image: "app:1", port: 80 }))).toBe("password=hunter2");
    expect(JSON.stringify(world.events())).not.toContain("hunter2");
    await world.close();
  });

  test("the first time leaves a failed service, whose next deploy is version 2, and which can be removed", async () => {
    const world = makeWorld();
    world.provider.script = { start: fail("provider.failed", "no") };
    await codeOf(world.deploy({ image: "app:1", port: 80 }));
    expect(await world.services.list()).toMatchObject([
      { name: "web", state: "failed", version: null, image: null },
    ]);
    expect(world.events("on_deploy_fail")[0]?.data["rolledBack"]).toBe(false);
    world.provider.script = {};
    expect((await world.deploy({ image: "app:1", port: 80 })).version).toBe(2);
    await world.services.remove("web");
    expect(await world.services.list()).toEqual([]);
    expect(world.provider.cluster.size).toBe(0);
    await world.close();
  });

  test("whose undo fails too is cleaned up when the provider answers again", async () => {
    const clock = fakeClock();
    const world = await livingWorld({ clock });
    world.provider.script = {
      start: fail("provider.failed", "no"),
      destroy: fail("provider.unavailable", "gone"),
    };
    expect(await codeOf(world.deploy({ image: "app:2" }))).toBe("provider.failed");
    expect(world.events("on_deploy_fail")).toHaveLength(1);
    expect(world.provider.cluster.size).toBe(2);
    world.provider.script = {};
    await clock.advance(1000);
    await world.deploys.idle();
    expect(running(world)).toEqual(["web 1"]);
    expect(world.provider.cluster.size).toBe(1);
    await world.close();
  });

  test("while the disk is full is told as soon as there is room, and blocks no later deploy", async () => {
    let full = true;
    const world = await livingWorld({
      emitting(hook) {
        if (full && hook === "on_deploy_fail") throw new Error("database or disk is full");
      },
    });
    world.provider.script = { start: fail("provider.failed", "no") };
    expect(await codeOf(world.deploy({ image: "app:2" }))).toBe("provider.failed");
    expect(world.events("on_deploy_fail")).toHaveLength(0);
    full = false;
    world.provider.script = {};
    await world.deploy({ image: "app:3" });
    expect(world.events().map(({ hook, data }) => `${hook} ${String(data["version"])}`)).toEqual([
      "on_deploy_start 2",
      "on_deploy_fail 2",
      "on_deploy_start 3",
      "on_deploy_success 3",
    ]);
    expect(world.events("on_deploy_fail")[0]?.data["error"]).toBe("no");
    await world.close();
  });
});

describe("a full disk", () => {
  test("in the database refuses the deploy by its name, and nothing has begun", async () => {
    const world = await livingWorld();
    const pages = world.db.query<{ page_count: number }, []>("PRAGMA page_count").get()?.page_count ?? 0;
    world.db.run(`PRAGMA max_page_count = ${pages}`);
    const env = { BIG: "x".repeat(100_000) };
    // What is in the journal has no environment, so the row of the live version is what finds no room.
    expect(await codeOf(world.deploy({ image: "app:2", env }))).toBe("disk.full");
    world.db.run("PRAGMA max_page_count = 1000000");
    expect(running(world)).toEqual(["web 1"]);
    expect(world.deps.state.services.find("web")?.currentVersion).toBe(1);
    expect((await world.deploy({ image: "app:3" })).version).toBeGreaterThan(1);
    expect(world.events("on_deploy_start")).toHaveLength(world.events().length / 2);
    await world.close();
  });

  test("under an instance is told by its name", async () => {
    const world = makeWorld();
    world.provider.script = { create: Object.assign(new Error("no space left"), { code: "ENOSPC" }) };
    expect(await codeOf(world.deploy({ image: "app:1", port: 80 }))).toBe("disk.full");
    expect(world.events("on_deploy_fail")[0]?.data["error"]).toContain("full");
    await world.close();
  });
});

describe("a folder", () => {
  async function folderWorld(path: string): Promise<{ world: World; other: FakeProvider }> {
    const upload = join(path, "upload");
    mkdirSync(upload);
    const other = fakeProvider("folders");
    const world = makeWorld({
      folders: join(path, "apps"),
      uploads: new Map([["u", { directory: upload, digest: "sha256:f00" }]]),
      providers: [other],
    });
    world.provider.check = (spec) => {
      if (spec.image === undefined) throw fail("provider.unsupported", "runs images, found a folder");
    };
    return { world, other };
  }

  test("goes to the provider that runs folders, under its digest, and stays until the service is removed", async () => {
    await using dir = tempDir();
    const { world, other } = await folderWorld(dir.path);
    const end = await world.deploy({ upload: "u", port: 80 });
    expect(end.image).toBe("sha256:f00");
    const spec = [...other.cluster.values()][0]?.spec;
    expect(spec).toMatchObject({ image: undefined, directory: join(dir.path, "apps", "web", end.deploy) });
    expect(existsSync(spec?.directory as string)).toBe(true);
    await world.deploy({ env: { A: "1" } });
    expect([...other.cluster.values()][0]?.spec.directory).toBe(spec?.directory as string);
    await world.services.remove("web");
    expect(readdirSync(join(dir.path, "apps"))).toEqual([]);
    await world.close();
  });

  test("whose deploy fails, or is refused, is removed", async () => {
    for (const input of [{}, { publish: "80" }]) {
      await using dir = tempDir();
      const { world, other } = await folderWorld(dir.path);
      other.script = { start: fail("provider.failed", "no") };
      await codeOf(world.deploy({ upload: "u", ...input }));
      expect(existsSync(join(dir.path, "upload"))).toBe(false);
      expect(readdirSync(dir.path, { recursive: true }).filter((name) => name !== "apps")).toEqual(
        input.publish === undefined ? [join("apps", "web")] : [],
      );
      await world.close();
    }
  });

  test("that no provider runs is refused by the last one asked", async () => {
    await using dir = tempDir();
    const { world, other } = await folderWorld(dir.path);
    other.script = { check: fail("provider.unsupported", "can't limit memory") };
    const error = await world
      .deploy({ upload: "u", port: 80, memory: "64m" })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "provider.unsupported", message: "can't limit memory" });
    await world.close();
  });
});

describe("a folder with a Dockerfile", () => {
  async function buildWorld(path: string, files: readonly string[]): Promise<World> {
    const upload = join(path, "upload");
    mkdirSync(upload);
    for (const file of files) writeFileSync(join(upload, file), "");
    const plain = fakeProvider("plain");
    const world = makeWorld({
      folders: join(path, "apps"),
      uploads: new Map([["u", { directory: upload, digest: "sha256:f00" }]]),
      providers: [plain],
    });
    Object.assign(world.provider, { builds: { prune: async () => {} } });
    world.provider.prepare = async (spec) => spec.image ?? "sha256:built";
    world.provider.check = ({ directory, build }) => {
      if (directory !== undefined && build === undefined) throw fail("provider.unsupported", "no Dockerfile");
    };
    return world;
  }
  const only = ({ provider }: World) => [...provider.cluster.values()][0]?.spec;

  test("is built by the provider that builds; the image serves the next deploy of the same folder", async () => {
    await using dir = tempDir();
    const world = await buildWorld(dir.path, ["Dockerfile"]);
    await world.deploy({ upload: "u", port: 80, buildArgs: { STAGE: "live" } });
    const build = { dockerfile: "Dockerfile", args: { STAGE: "live" } };
    expect(only(world)).toMatchObject({ image: "sha256:built", build });
    world.provider.prepare = async (spec) => spec.image ?? "sha256:other";
    await world.deploy({ env: { A: "1" } });
    expect(only(world)).toMatchObject({ version: 2, image: "sha256:built", build });
    await world.close();
  });

  test("is run as it is where the operator names a provider that does so", async () => {
    await using dir = tempDir();
    const world = await buildWorld(dir.path, ["Dockerfile"]);
    await world.deploy({ upload: "u", port: 80, provider: "plain" });
    expect(world.provider.cluster.size).toBe(0);
    await world.close();
  });

  test.each([
    [
      { dockerfile: "Dockerfile", provider: "plain" },
      "provider.unsupported",
      "the provider plain builds no images",
    ],
    [{ dockerfile: "Other" }, "service.invalid", 'the folder has no file "Other" to build an image by'],
    [{ dockerfile: "../Dockerfile" }, "service.invalid", "a Dockerfile is a file in the folder"],
    [{ buildArgs: { "1": "x" } }, "service.invalid", ""],
  ] as const)("with %j is refused", async (input, code, message) => {
    await using dir = tempDir();
    const world = await buildWorld(dir.path, ["Dockerfile"]);
    const error = await world.deploy({ upload: "u", port: 80, ...input }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(world.events()).toEqual([]);
    await world.close();
  });
});

test("of a long history the newest versions are kept, and always the live one", async () => {
  const world = makeWorld();
  for (let i = 1; i <= 8; i++) await world.deploy({ image: `app:${i}`, port: 80 });
  expect(world.deps.state.versions.list("web").map(({ version }) => version)).toEqual([8, 7, 6, 5, 4]);
  await world.close();
});

describe("a cancelled deploy", () => {
  for (const method of ["prepare", "create", "start"] as const satisfies readonly Method[])
    test(`in ${method}, even when the provider hangs there, is undone and told`, async () => {
      const world = await livingWorld();
      world.provider.script = { [method]: "hang" };
      const done = codeOf(world.deploy({ image: "app:2" }));
      await until(() => world.provider.calls.some((call) => call.startsWith(method)));
      await world.deploys.cancel("web");
      expect(await done).toBe("deploy.cancelled");
      expect(world.events("on_deploy_fail").map(({ data }) => [data["error"], data["step"]])).toEqual([
        ["cancelled", method],
      ]);
      expect(running(world)).toEqual(["web 1"]);
      expect(world.provider.cluster.size).toBe(1);
      await world.close();
    });

  test("in health, while the service takes its time to answer, is undone and told", async () => {
    const world = await livingWorld({ probes: { tcp: () => new Promise(() => {}) } });
    const done = codeOf(world.deploy({ image: "app:2" }));
    await until(() => world.progress.some(({ step }) => step === "health"));
    await world.deploys.cancel("web");
    expect(await done).toBe("deploy.cancelled");
    expect(running(world)).toEqual(["web 1"]);
    await world.close();
  });

  test("by its signal while a gate thinks is undone without having made anything", async () => {
    const stop = new AbortController();
    const world = makeWorld({ gate: () => new Promise(() => {}) });
    const done = codeOf(world.deploy({ image: "app:1", port: 80 }, stop.signal));
    await until(() => world.events("on_deploy_start")[0]);
    stop.abort();
    expect(await done).toBe("deploy.cancelled");
    expect(world.provider.calls).toEqual([]);
    await world.close();
  });

  test("whose creation ends late leaves no instance", async () => {
    const world = makeWorld();
    let finish = (): void => {};
    const create = world.provider.create.bind(world.provider);
    world.provider.create = async (spec, context) => {
      await new Promise<void>((resolve) => (finish = resolve));
      await create(spec, context);
    };
    const done = codeOf(world.deploy({ image: "app:1", port: 80 }));
    await until(() => world.progress.some(({ step }) => step === "create"));
    await Bun.sleep(0);
    await world.deploys.cancel("web");
    expect(await done).toBe("deploy.cancelled");
    finish();
    await until(() => world.provider.calls.filter((call) => call.startsWith("destroy")).length === 2);
    await until(() => world.provider.cluster.size === 0);
    await world.close();
  });

  test("that nobody began is not found", async () => {
    const world = makeWorld();
    expect(await codeOf(world.deploys.cancel("web"))).toBe("deploy.not_found");
  });

  test("by the daemon's end says so", async () => {
    const world = await livingWorld();
    world.provider.script = { start: "hang" };
    const done = codeOf(world.deploy({ image: "app:2" }));
    await until(() => world.provider.calls.some((call) => call.startsWith("start")));
    await world.close();
    expect(await done).toBe("deploy.interrupted");
    expect(world.events("on_deploy_fail")[0]?.data["error"]).toBe("the daemon stopped during the deploy");
    expect(await codeOf(world.deploy({ image: "app:2" }))).toBe("daemon.stopping");
  });
});

test("a second deploy of the same service is refused while one is under way; another service's is not", async () => {
  const world = makeWorld();
  world.provider.script = { prepare: "hang" };
  const first = codeOf(world.deploy({ image: "app:1", port: 80 }));
  await until(() => world.provider.calls.length === 1);
  expect(await codeOf(world.deploy({ image: "app:2", port: 80 }))).toBe("deploy.in_progress");
  expect(await codeOf(world.services.remove("web"))).toBe("deploy.in_progress");
  world.provider.script = {};
  expect((await world.deploy({ service: "api", image: "app:1", port: 80 })).version).toBe(1);
  await world.close();
  expect(await first).toBe("deploy.interrupted");
});

test("a refused request makes no service, no version and no event", async () => {
  const world = makeWorld();
  const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  await world.deploy({ service: "api", image: "a:1", port: 80, domains: ["x.example.com"] });
  const before = world.events().length;
  const refused: readonly [Parameters<World["deploy"]>[0], string][] = [
    [{}, "service.invalid"],
    [{ image: "app:1", publish: "8080" }, "service.invalid"],
    [{ image: "app:1", health: "/up" }, "service.invalid"],
    [{ image: "app:1", provider: "dokcer" }, "provider.unknown"],
    [{ image: "app:1", domains: ["x.example.com"] }, "deploy.domain_taken"],
    [{ image: "app:1", port: 80, publish: `127.0.0.1:${other.port}` }, "deploy.port_taken"],
  ];
  for (const [input, code] of refused) expect(await codeOf(world.deploy(input))).toBe(code);
  world.provider.script = { check: fail("provider.unsupported", "no volumes here") };
  expect(await codeOf(world.deploy({ image: "app:1" }))).toBe("provider.unsupported");
  expect((await world.services.list()).map(({ name }) => name)).toEqual(["api"]);
  expect(world.events()).toHaveLength(before);
  other.stop(true);
  await world.close();
});

test("a first deploy can't take the word that stands for every container in a scope; a service that has it goes on", async () => {
  const world = makeWorld();
  expect(await rejection(world.deploy({ service: "all", image: "app:1", port: 80 }))).toMatchObject({
    code: "service.invalid",
    message: "a service can't be called \"all\": in a plugin's scope that stands for every container",
  });
  expect([world.provider.cluster.size, world.events().length]).toEqual([0, 0]);
  expect(world.deps.state.services.find("all")).toBeUndefined();
  world.deps.state.services.takeVersion("all", { provider: "fake", server: "local" }, "2026-01-01T00:00:00Z");
  expect((await world.deploy({ service: "all", image: "app:1", port: 80 })).version).toBe(2);
  await world.close();
});

describe("after a crash", () => {
  const early: readonly { readonly step: string; readonly world: () => Promise<World> }[] = [
    { step: "gate", world: () => livingWorld({ gate: () => new Promise(() => {}) }) },
    ...(["prepare", "create", "start"] as const).map((method) => ({
      step: method,
      async world() {
        const world = await livingWorld();
        world.provider.script = { [method]: "hang" };
        return world;
      },
    })),
    { step: "health", world: () => livingWorld({ probes: { tcp: () => new Promise(() => {}) } }) },
  ];
  for (const { step, world: make } of early)
    test(`in ${step} the deploy is told as failed once, nothing of it is left, and the old version is current`, async () => {
      const world = await make();
      void world.deploy({ image: "app:2" }).catch(() => {});
      await until(() => world.deps.state.deploys.list("web", 1)[0]?.step === step);
      await Bun.sleep(0);
      const next = world.reborn();
      next.deploys.recover();
      next.deploys.recover();
      await next.deploys.idle();
      expect(
        next.events("on_deploy_fail").map(({ data }) => [data["error"], data["step"], data["rolledBack"]]),
      ).toEqual([["the daemon stopped during the deploy", step, true]]);
      expect(next.deps.state.deploys.list("web", 1)[0]).toMatchObject({ state: "failed", step });
      expect(next.deps.state.services.find("web")?.currentVersion).toBe(1);
      expect(running(next)).toEqual(["web 1"]);
      expect(next.provider.cluster.size).toBe(1);
      expect((await next.deploy({ image: "app:3" })).version).toBe(3);
      await next.close();
    });

  for (const method of ["stop", "destroy"] as const)
    test(`in the ${method} of the old version the new one is live and the old one is swept away`, async () => {
      const world = await livingWorld();
      world.provider.script = { [method]: "hang" };
      void world.deploy({ image: "app:2" }).catch(() => {});
      await until(() => world.provider.calls.some((call) => call.startsWith(method)));
      const next = world.reborn();
      next.deploys.recover();
      await next.deploys.idle();
      expect(next.events().map(({ hook }) => hook)).toEqual(["on_deploy_start", "on_deploy_success"]);
      expect(running(next)).toEqual(["web 2"]);
      expect(next.provider.cluster.size).toBe(1);
      await next.close();
    });

  test("while a service moved to another provider nothing is left at the old one", async () => {
    const other = fakeProvider("other");
    const world = makeWorld({ providers: [other] });
    await world.deploy({ image: "app:1", port: 80 });
    world.provider.script = { stop: "hang" };
    void world.deploy({ provider: "other" }).catch(() => {});
    await until(() => world.provider.calls.some((call) => call.startsWith("stop")));
    const next = world.reborn();
    next.deploys.recover();
    await next.deploys.idle();
    expect(next.provider.cluster.size).toBe(0);
    expect(running({ ...next, provider: other })).toEqual(["web 2"]);
    await next.close();
  });

  test("a failure inside the switch's transaction leaves neither half of it", async () => {
    const world = await livingWorld({
      emitting(hook) {
        if (hook === "on_deploy_success") throw new Error("cut off");
      },
    });
    await codeOf(world.deploy({ image: "app:2" }));
    expect(world.deps.state.versions.find("web", 2)).toBeUndefined();
    expect(world.deps.state.services.find("web")?.currentVersion).toBe(1);
    await world.close();
  });
});

describe("at boot", () => {
  test("what should run is started again, what should not is stopped, what is gone is made again, strangers stay", async () => {
    const world = makeWorld();
    for (const service of ["exited", "gone", "halted", "once"])
      await world.deploy({
        service,
        image: "app:1",
        port: 80,
        ...(service === "once" ? { restart: "no" } : {}),
      });
    const instance = (service: string): string =>
      world.deps.state.versions.find(service, 1)?.instance as string;
    const entry = (service: string) => world.provider.cluster.get(instance(service));
    entry("exited")!.status = { state: "exited", exitCode: 137 };
    entry("once")!.status = { state: "exited", exitCode: 0 };
    world.provider.cluster.delete(instance("gone"));
    world.deps.state.services.setDesired("halted", "stopped");
    const stranger = { ...entry("once")!.spec, id: "vx-theirs-1-00000000", owner: "another daemon" };
    world.provider.cluster.set(stranger.id, { spec: stranger, status: { state: "running" } });
    const orphan = { ...entry("once")!.spec, id: "vx-web-9-00000000" };
    world.provider.cluster.set(orphan.id, { spec: orphan, status: { state: "running" } });

    const next = world.reborn();
    next.deploys.recover();
    await next.deploys.idle();
    const states = Object.fromEntries((await next.services.list()).map(({ name, state }) => [name, state]));
    expect(states).toEqual({ exited: "running", gone: "running", halted: "stopped", once: "exited" });
    expect(next.provider.cluster.get(instance("gone"))?.spec).toMatchObject({
      image: "app:1@sha256:abc",
      version: 1,
    });
    expect(next.provider.cluster.has(stranger.id)).toBe(true);
    expect(next.provider.cluster.has(orphan.id)).toBe(false);
    await next.close();
  });

  test("an orphan that can't be removed keeps none of the others", async () => {
    const world = makeWorld();
    await world.deploy({ image: "app:1", port: 80 });
    const [live] = [...world.provider.cluster.values()];
    for (const id of ["vx-web-8-00000000", "vx-web-9-00000000"])
      world.provider.cluster.set(id, { spec: { ...live!.spec, id }, status: { state: "running" } });
    const next = world.reborn();
    const destroy = next.provider.destroy.bind(next.provider);
    next.provider.destroy = async (id) => {
      if (id === "vx-web-8-00000000") throw fail("provider.failed", "it is in use");
      await destroy(id);
    };
    next.deploys.recover();
    await next.deploys.idle();
    expect([...next.provider.cluster.keys()]).toEqual([live!.spec.id, "vx-web-8-00000000"]);
    await next.close();
  });

  test("a provider that no service uses is not asked: it may not be installed", async () => {
    const idle = fakeProvider("idle");
    const world = makeWorld({ providers: [idle] });
    await world.deploy({ image: "app:1", port: 80 });
    world.deploys.recover();
    await world.deploys.idle();
    expect(world.provider.calls).toContain("list owner");
    expect(idle.calls).toEqual([]);
    await world.close();
  });

  test("a deploy does not wait for a repair that hangs: the repair gives way", async () => {
    const world = await livingWorld();
    const entry = [...world.provider.cluster.values()][0];
    entry!.status = { state: "exited", exitCode: 1 };
    world.provider.script = { start: "hang" };
    world.deploys.recover();
    await until(() => world.provider.calls.some((call) => call.startsWith("start")));
    world.provider.script = {};
    expect((await world.deploy({ image: "app:2" })).version).toBe(2);
    expect(running(world)).toEqual(["web 2"]);
    await world.close();
  });

  test("a provider that hangs delays nothing, and is asked again", async () => {
    const clock = fakeClock();
    const world = await livingWorld();
    const entry = [...world.provider.cluster.values()][0];
    entry!.status = { state: "exited", exitCode: 1 };
    const next = makeWorld({ db: world.db, cluster: world.provider.cluster, clock });
    next.provider.script = { list: "hang", status: "hang" };
    const before = performance.now();
    next.deploys.recover();
    expect(performance.now() - before).toBeLessThan(100);
    const listing = next.services.list();
    await clock.advance(2000);
    expect(await listing).toMatchObject([{ name: "web", state: "unknown", version: 1 }]);
    next.provider.script = {};
    await clock.advance(60_000);
    await until(() => running(next).length === 1);
    await next.close();
  });
});

test("the port that a live version has is never given to another", async () => {
  const world = makeWorld({ clock: systemClock });
  await Promise.all(["a", "b", "c"].map((service) => world.deploy({ service, image: "app:1", port: 80 })));
  const ports = world.deps.state.versions.listCurrent().map(({ hostPort }) => hostPort);
  expect(new Set(ports).size).toBe(3);
  await world.close();
});
