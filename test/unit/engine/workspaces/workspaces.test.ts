import { describe, expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, until } from "../../../harness.ts";
import { makeWorld, type World } from "./workspace-world.ts";

const ALL = ["create", "start", "stop", "destroy"].flatMap((each) => [
  `pre_${each} shop`,
  `post_${each} shop`,
]);

describe("a workspace's life", () => {
  test("has eight events, in order, around what its provider does", async () => {
    const world = makeWorld();
    const seen: string[] = [];
    world.provider.onCall = (method) =>
      void (method === "status" || seen.push(`${method} after ${world.events().at(-1)}`));
    expect(await world.create()).toMatchObject({
      name: "shop",
      state: "created",
      desired: "stopped",
      drift: null,
    });
    expect(await world.start()).toMatchObject({ state: "running", desired: "running", drift: null });
    expect(await world.workspaces.stop("shop")).toMatchObject({
      state: "stopped",
      desired: "stopped",
      drift: null,
    });
    expect(await world.workspaces.destroy("shop", false)).toEqual({ isLeft: false });
    expect(world.events()).toEqual(ALL);
    expect(seen).toEqual([
      "prepare after pre_create shop",
      "create after pre_create shop",
      "start after pre_start shop",
      "stop after pre_stop shop",
      "stop after pre_destroy shop",
      "destroy after pre_destroy shop",
    ]);
    expect(await world.workspaces.list()).toEqual([]);
    expect(world.provider.cluster.size).toBe(0);
  });

  test("is told with all fields that a plugin knows it by", async () => {
    const world = makeWorld({ deps: { hostOf: () => "build-2.example.com" } });
    await world.create({ env: { A: "1" } });
    expect(world.event("post_create")).toEqual({
      workspace: "shop",
      event: "post_create",
      server: "build-2.example.com",
      env: { A: "1" },
      provider: "fake",
      image: "node:22",
    });
  });

  test("gives its provider everything that was asked for", async () => {
    const world = makeWorld({ deps: { registryAuth: () => ({ host: "h", username: "u", password: "p" }) } });
    await world.create({
      ports: { app: 8080, "3000": 9000 },
      env: { A: "1" },
      cpus: 2,
      memory: "4g",
      volumes: ["data:/data", "/srv:/srv:ro"],
      command: "sh -c 'sleep 1'",
    });
    const [{ spec } = { spec: undefined }] = [...world.provider.cluster.values()];
    expect(spec).toMatchObject({
      id: expect.stringMatching(/^vx-ws-shop-[0-9a-f]{8}$/),
      owner: "owner",
      service: undefined,
      workspace: "shop",
      image: "node:22@sha256:abc",
      ports: [
        { key: "3000", inside: 3000, outside: 9000 },
        { key: "app", inside: 8080, outside: 8080 },
      ],
      env: { A: "1" },
      cpus: 2,
      memoryBytes: 4 * 1024 ** 3,
      volumes: [
        { source: "data", target: "/data", readOnly: false },
        { source: "/srv", target: "/srv", readOnly: true },
      ],
      command: ["sh", "-c", "sleep 1"],
      restart: "always",
      registryAuth: { host: "h" },
    });
  });

  test("create with start is both, with the events of both", async () => {
    const world = makeWorld();
    expect(await world.create({ start: true })).toMatchObject({ state: "running" });
    expect(world.events()).toEqual(ALL.slice(0, 4));
    expect(world.progress).toContain("layer 1 of 1");
  });

  test("where its provider uses plain names, its instance has its own", async () => {
    const world = makeWorld({ plain: true });
    await world.create();
    expect([...world.provider.cluster.keys()]).toEqual(["shop"]);
  });

  test("what is as it should be is left alone, and nobody is told", async () => {
    const world = makeWorld();
    await world.create({ start: true });
    const before = world.events();
    await world.start();
    await world.workspaces.stop("shop");
    await world.workspaces.stop("shop");
    expect(world.events()).toEqual([...before, "pre_stop shop", "post_stop shop"]);
  });
});

describe("a gate that refuses", () => {
  const refusing = (hook: string) => ({
    async gate(event: { readonly hook: string }) {
      if (event.hook === hook) throw fail("gate.refused", "not now");
    },
  });

  test("a create: there is no workspace, and its provider was never asked", async () => {
    const world = makeWorld(refusing("pre_create"));
    expect(await rejection(world.create())).toMatchObject({ code: "gate.refused" });
    expect(world.row()).toBeUndefined();
    expect(world.provider.calls).toEqual([]);
    expect(world.events()).toEqual(["pre_create shop"]);
  });

  test("a start, a stop or a destroy: all stays as it was", async () => {
    for (const [hook, act, state] of [
      ["pre_start", (world: World) => world.start(), "created"],
      ["pre_stop", (world: World) => world.workspaces.stop("shop"), "running"],
      ["pre_destroy", (world: World) => world.workspaces.destroy("shop", false), "running"],
    ] as const) {
      const world = makeWorld(refusing(hook));
      await world.create({ start: hook !== "pre_start" });
      const before = world.row();
      const calls = world.provider.calls.filter((call) => !call.startsWith("status")).length;
      expect(await rejection(act(world))).toMatchObject({ code: "gate.refused" });
      expect(world.row()).toEqual(before);
      expect(world.state()).toBe(state);
      expect(world.provider.calls.filter((call) => !call.startsWith("status")).length).toBe(calls);
    }
  });

  test("the start of a create with start: it is made, and what went wrong is kept", async () => {
    const world = makeWorld(refusing("pre_start"));
    expect(await rejection(world.create({ start: true }))).toMatchObject({ code: "gate.refused" });
    expect(await world.workspaces.info("shop")).toMatchObject({ state: "created", error: "not now" });
    expect(world.row()).toMatchObject({ next: null, phase: null });
  });
});

describe("a provider that fails", () => {
  const broken = fail("provider.failed", "no such thing, hunter2");

  test("at a create: nothing is left, of the workspace neither", async () => {
    for (const method of ["prepare", "create"] as const) {
      const world = makeWorld();
      world.provider.script[method] = broken;
      expect(await rejection(world.create())).toMatchObject({ code: "provider.failed" });
      expect(world.row()).toBeUndefined();
      expect(world.provider.cluster.size).toBe(0);
      expect(world.events()).toEqual(["pre_create shop"]);
      world.provider.script = {};
      await world.create();
    }
  });

  test("to answer a create in time: what it makes late is removed, unless it was asked for again", async () => {
    const clock = fakeClock();
    const world = makeWorld({ clock });
    const make = world.provider.create.bind(world.provider);
    const late = Promise.withResolvers<void>();
    world.provider.create = async (...args) => {
      await late.promise;
      await make(...args);
    };
    const creating = rejection(world.create());
    await until(() => world.row() !== undefined);
    await Bun.sleep(0);
    await clock.advance(LIMITS.providerWorkMs);
    expect(await creating).toMatchObject({ code: "provider.unavailable" });
    expect(world.row()).toBeUndefined();
    late.resolve();
    await until(() => world.provider.calls.filter((call) => call.startsWith("destroy")).length === 2);
    expect(world.provider.cluster.size).toBe(0);
  });

  test("at a create, and at its undoing too: it stays to be seen and to be destroyed", async () => {
    const world = makeWorld();
    world.provider.script = { create: broken, destroy: broken };
    expect(await rejection(world.create())).toMatchObject({
      code: "provider.failed",
      hint: expect.stringContaining("voxeltron workspace destroy shop"),
    });
    expect(await world.workspaces.info("shop")).toMatchObject({
      state: "failed",
      error: "no such thing, ***",
    });
    expect(await rejection(world.start())).toMatchObject({ code: "workspace.failed" });
    expect(await rejection(world.workspaces.stop("shop"))).toMatchObject({ code: "workspace.failed" });
    expect(await rejection(world.create())).toMatchObject({ code: "workspace.exists" });
    world.provider.script = {};
    await world.workspaces.destroy("shop", false);
    expect(world.provider.cluster.size).toBe(0);
  });

  test("at a start: it is stopped as before, and the error is kept until the next start", async () => {
    const world = makeWorld();
    await world.create();
    world.provider.script.start = broken;
    expect(await rejection(world.start())).toMatchObject({ code: "provider.failed" });
    expect(await world.workspaces.info("shop")).toMatchObject({
      state: "created",
      desired: "stopped",
      error: "no such thing, ***",
    });
    expect(world.events().at(-1)).toBe("pre_start shop");
    world.provider.script = {};
    expect(await world.start()).toMatchObject({ state: "running", error: null });
  });

  test("but did what it was asked for: that counts", async () => {
    const world = makeWorld();
    await world.create();
    world.provider.onCall = (method, id) => {
      const found = world.provider.cluster.get(id);
      if (method === "start" && found !== undefined) found.status = { state: "running" };
      if (method === "stop" && found !== undefined) found.status = { state: "exited" };
      if (method === "destroy") world.provider.cluster.delete(id);
    };
    world.provider.script = { start: broken, stop: broken, destroy: broken };
    expect(await world.start()).toMatchObject({ state: "running" });
    expect(await world.workspaces.stop("shop")).toMatchObject({ state: "stopped" });
    await world.workspaces.destroy("shop", false);
    expect(world.events()).toEqual(ALL);
  });

  test("at a stop or a destroy: it is still there, with the error; by force it is forgotten", async () => {
    const world = makeWorld();
    await world.create({ start: true });
    world.provider.script = { stop: broken, destroy: broken };
    expect(await rejection(world.workspaces.stop("shop"))).toMatchObject({ code: "provider.failed" });
    expect(await rejection(world.workspaces.destroy("shop", false))).toMatchObject({
      code: "provider.failed",
    });
    expect(await world.workspaces.info("shop")).toMatchObject({ state: "running", desired: "running" });
    expect(await world.workspaces.destroy("shop", true)).toEqual({ isLeft: true });
    expect(world.row()).toBeUndefined();
    expect(world.events().at(-1)).toBe("post_destroy shop");
  });

  test("a command that ends at once has not started, and is not left in a loop", async () => {
    for (const state of ["exited", "restarting"] as const) {
      const world = makeWorld();
      await world.create();
      world.provider.becomes = () => ({ state, exitCode: 3 });
      expect(await rejection(world.start())).toMatchObject({
        code: "workspace.exited",
        message: "shop ended at once, exit status 3",
        details: { exitCode: 3, logs: ["first", "last"] },
      });
      expect(world.row()?.desired).toBe("stopped");
      expect(world.state()).toBe("exited");
    }
  });
});

describe("a provider with plain names", () => {
  test("that says no made nothing: nobody destroys what may be somebody else's", async () => {
    const world = makeWorld({ plain: true });
    world.provider.script.create = fail("plugin.failed", "there is a container called shop");
    expect(await rejection(world.create())).toMatchObject({ code: "plugin.failed" });
    expect(world.row()).toBeUndefined();
    expect(world.provider.calls.some((call) => call.startsWith("destroy"))).toBe(false);
  });

  test("that breaks leaves open what it did: the workspace stays, as failed, to be destroyed", async () => {
    for (const code of ["plugin.timeout", "plugin.crashed", "plugin.protocol"] as const) {
      const world = makeWorld({ plain: true });
      world.provider.script.create = fail(code, "it broke");
      expect(await rejection(world.create())).toMatchObject({
        code,
        hint: expect.stringContaining("voxeltron workspace destroy shop"),
      });
      expect(world.provider.calls.some((call) => call.startsWith("destroy"))).toBe(false);
      expect(await world.workspaces.info("shop")).toMatchObject({ state: "failed", error: "it broke" });
      await world.workspaces.destroy("shop", false);
      expect(world.row()).toBeUndefined();
      expect(world.provider.cluster.size).toBe(0);
    }
  });

  test("that always says running is asked to start and to stop all the same", async () => {
    const world = makeWorld({ plain: true });
    world.provider.status = async () => ({ state: "running" });
    await world.create();
    await world.start();
    await world.workspaces.stop("shop");
    const { calls } = world.provider;
    expect(calls).toEqual(["prepare shop", "create shop", "start shop", "stop shop"]);
  });

  test("that is gone: only force forgets the workspace", async () => {
    const world = makeWorld();
    await world.create();
    const next = world.reborn({
      deps: {
        providers: {
          all: () => [],
          find: () => undefined,
          of: () => {
            throw fail("provider.unknown", "gone");
          },
        },
      },
    });
    expect(await next.workspaces.list()).toMatchObject([{ state: "unknown" }]);
    expect(await rejection(next.workspaces.destroy("shop", false))).toMatchObject({
      code: "provider.unknown",
      hint: expect.stringContaining("--force"),
    });
    expect(await next.workspaces.destroy("shop", true)).toEqual({ isLeft: true });
    expect(next.row()).toBeUndefined();
  });
});

describe("one change at a time", () => {
  test("whatever comes while something is done is told so, and nothing is done twice", async () => {
    const opened = Promise.withResolvers<void>();
    const world = makeWorld({ gate: () => opened.promise });
    const creating = world.create();
    await until(() => world.events().length === 1);
    for (const act of [() => world.create(), () => world.workspaces.cancel("other")])
      expect(["workspace.busy", "workspace.idle"]).toContain(
        ((await rejection(act())) as { code: string }).code,
      );
    opened.resolve();
    await creating;
    const all = await Promise.allSettled([
      world.start(),
      world.workspaces.stop("shop"),
      world.workspaces.destroy("shop", false),
    ]);
    expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    for (const each of all.slice(1)) expect(each).toMatchObject({ reason: { code: "workspace.busy" } });
    expect(world.state()).toBe("running");
  });

  test("many creates of one name make one", async () => {
    const world = makeWorld();
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => world.create()));
    expect(all.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect(world.provider.cluster.size).toBe(1);
  });
});

describe("cancel", () => {
  test("in a gate, or in a pull: nothing was ever there", async () => {
    for (const at of ["gate", "prepare"] as const) {
      const world = makeWorld(
        at === "gate"
          ? {
              gate: (_event, signal) =>
                new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
            }
          : {},
      );
      if (at === "prepare") world.provider.script.prepare = "hang";
      const creating = rejection(world.create());
      await until(() => (at === "gate" ? world.events().length : world.provider.calls.length) === 1);
      await world.workspaces.cancel("shop");
      expect(await creating).toMatchObject({ code: "workspace.cancelled", kind: "interrupted" });
      expect(world.row()).toBeUndefined();
      expect(world.provider.cluster.size).toBe(0);
    }
  });

  test("while its provider makes it: what came into being is removed again", async () => {
    const world = makeWorld();
    const made = Promise.withResolvers<void>();
    const create = world.provider.create.bind(world.provider);
    world.provider.create = async (...args) => {
      await made.promise;
      await create(...args);
    };
    const creating = rejection(world.create());
    await until(() => world.row() !== undefined);
    const cancelling = world.workspaces.cancel("shop");
    made.resolve();
    await cancelling;
    expect(await creating).toMatchObject({ code: "workspace.cancelled" });
    expect(world.row()).toBeUndefined();
    expect(world.provider.cluster.size).toBe(0);
  });

  test("of which nobody knows what it left says how to remove that", async () => {
    const world = makeWorld({ plain: true });
    world.provider.create = (_spec, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const creating = rejection(world.create());
    await until(() => world.progress.includes("creating shop"));
    await world.workspaces.cancel("shop");
    expect(await creating).toMatchObject({
      code: "workspace.cancelled",
      hint: expect.stringContaining("voxeltron workspace destroy shop"),
    });
    expect(await world.workspaces.info("shop")).toMatchObject({ state: "failed" });
    expect(world.provider.calls.some((call) => call.startsWith("destroy"))).toBe(false);
  });

  test("while it starts: it is stopped again", async () => {
    const world = makeWorld();
    await world.create();
    const started = Promise.withResolvers<void>();
    const start = world.provider.start.bind(world.provider);
    world.provider.start = async (id) => {
      await start(id);
      await started.promise;
    };
    const starting = rejection(world.start());
    await until(() => world.state() === "running");
    const cancelling = world.workspaces.cancel("shop");
    started.resolve();
    await cancelling;
    expect(await starting).toMatchObject({ code: "workspace.cancelled" });
    expect(world.state()).toBe("exited");
    expect(world.row()).toMatchObject({ desired: "stopped", phase: null });
    expect(world.events().at(-1)).toBe("pre_start shop");
  });
});

describe("ports", () => {
  test("that something listens on keep it from starting, and who has them is named", async () => {
    const world = makeWorld({ deps: { isPortFree: (port) => port !== 8080 } });
    await world.create({ ports: { app: 8080 } });
    expect(await rejection(world.start())).toMatchObject({
      code: "workspace.port_taken",
      message: "the port 127.0.0.1:8080 is taken by something else",
    });
    const other = makeWorld();
    await other.create({ name: "blog", ports: { web: 8080 }, start: true });
    await other.create({ ports: { app: 8080 } });
    const blocked = other.reborn({ deps: { isPortFree: () => false } });
    expect(await rejection(blocked.start())).toMatchObject({
      message: "the port 127.0.0.1:8080 is taken by the workspace blog",
    });
  });

  test("that a service has for itself are refused before anything happens", async () => {
    const world = makeWorld({ deps: { serviceAt: (port) => (port === 21_000 ? "web" : undefined) } });
    expect(await rejection(world.create({ ports: { app: 21_000 } }))).toMatchObject({
      code: "workspace.port_taken",
      message: expect.stringContaining("the service web"),
    });
    expect(world.events()).toEqual([]);
  });
});

describe("where it is reached", () => {
  test("is at the host's own port, unless its provider says otherwise or can't say", async () => {
    const world = makeWorld();
    const ports = { app: 8080, "3000": 9000 };
    const addresses = async (): Promise<(string | null)[]> =>
      (await world.workspaces.info("shop")).ports.map(({ address }) => address);
    await world.create({ ports });
    expect(await addresses()).toEqual(["127.0.0.1:9000", "127.0.0.1:8080"]);
    world.provider.reach = async ({ hostPort, port }) => {
      if (port === 3000) throw fail("provider.failed", "nobody knows");
      return { host: "fd00::7", port: hostPort ?? 0 };
    };
    expect(await addresses()).toEqual([null, "[fd00::7]:8080"]);
  });
});

describe("inside", () => {
  test("a command runs in one that runs, and only there", async () => {
    const world = makeWorld();
    await world.create();
    const run = () =>
      world.workspaces.exec("shop", {
        command: ["ls"],
        stdin: undefined,
        signal: new AbortController().signal,
        output: async () => {},
      });
    expect(await rejection(run())).toMatchObject({ code: "workspace.stopped" });
    await world.start();
    expect(await run()).toBe(7);
  });

  test("what it wrote comes from its provider, without secrets", async () => {
    const world = makeWorld();
    await world.create({ start: true });
    world.provider.lines = ["one", "error: hunter2"];
    const query = { follow: false, signal: new AbortController().signal };
    expect(await Array.fromAsync(world.workspaces.logs("shop", query))).toEqual([
      { at: "2026-01-01T00:00:00.000Z", level: "info", stream: "stdout", text: "one" },
      { at: "2026-01-01T00:00:00.000Z", level: "error", stream: "stdout", text: "error: ***" },
    ]);
  });

  test("of a workspace that there is not, nothing can be asked", async () => {
    const { workspaces } = makeWorld();
    const signal = new AbortController().signal;
    const asked = [
      workspaces.start("no", () => {}),
      workspaces.stop("no"),
      workspaces.destroy("no", true),
      workspaces.info("no"),
      workspaces.exec("no", { command: ["ls"], stdin: undefined, signal, output: async () => {} }),
      workspaces.logs("no", { follow: false, signal }).next(),
    ];
    for (const each of asked) expect(await rejection(each)).toMatchObject({ code: "workspace.not_found" });
  });
});
