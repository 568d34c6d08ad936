/** A daemon that is killed at any step, and the next one. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, until } from "../../../harness.ts";
import { makeWorld, type World, type WorldOptions } from "./workspace-world.ts";

type Method = "prepare" | "create" | "start" | "stop" | "destroy" | "status";
type Moment = "before" | "after";

/** The daemon is stuck for ever where its provider is asked for this, before it did it or after: as good as killed. */
function freeze(world: World, method: Method, moment: Moment): Promise<void> {
  const reached = Promise.withResolvers<void>();
  const original = world.provider[method] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(world.provider, {
    async [method](...args: unknown[]) {
      if (moment === "after") await original(...args);
      reached.resolve();
      return new Promise<never>(() => {});
    },
  });
  return reached.promise;
}

const ACTIONS = {
  create: { methods: ["prepare", "create"], begin: (world: World) => world.create(), state: "created" },
  start: { methods: ["start"], begin: (world: World) => world.start(), state: "running" },
  stop: { methods: ["stop"], begin: (world: World) => world.workspaces.stop("shop"), state: "exited" },
  destroy: {
    methods: ["stop", "destroy"],
    begin: (world: World) => world.workspaces.destroy("shop", false),
    state: "missing",
  },
} as const;
type Action = keyof typeof ACTIONS;

/** Brings a world to where the action makes sense. */
async function ready(action: Action, options: WorldOptions = {}): Promise<World> {
  const world = makeWorld(options);
  if (action !== "create") await world.create({ start: action !== "start" });
  return world;
}

async function recovered(world: World): Promise<World> {
  const next = world.reborn();
  next.workspaces.recover();
  await next.workspaces.idle();
  return next;
}

const CASES = (Object.keys(ACTIONS) as Action[]).flatMap((action) =>
  ACTIONS[action].methods.flatMap((method) =>
    (["before", "after"] as const).map((moment) => ({ action, method, moment })),
  ),
);

describe("a daemon that is killed", () => {
  test.each(CASES)(
    "in a $action, $moment its provider's $method, is followed by one that brings it to its end",
    async ({ action, method, moment }) => {
      const world = await ready(action);
      const before = world.events();
      const frozen = freeze(world, method, moment);
      void ACTIONS[action].begin(world).catch(() => {});
      await frozen;
      expect(world.events()).toEqual([...before, `pre_${action} shop`]);
      expect(world.row()?.phase).toBe(action);
      const instance = world.row()?.instance;
      const next = await recovered(world);
      expect(next.events()).toEqual([...before, `pre_${action} shop`, `post_${action} shop`]);
      expect(next.state()).toBe(ACTIONS[action].state);
      expect(next.row()?.phase ?? null).toBeNull();
      // Nothing beside it, and nothing twice.
      expect([...next.provider.cluster.keys()]).toEqual(action === "destroy" ? [] : [instance ?? ""]);
      const again = await recovered(next);
      expect(again.events()).toEqual(next.events());
    },
  );

  test.each(Object.keys(ACTIONS) as Action[])(
    "while the gate of a %s is asked: nothing has happened",
    async (action) => {
      const asked = Promise.withResolvers<void>();
      const world = await ready(action);
      const stuck = world.reborn({
        gate: async () => {
          asked.resolve();
          await new Promise(() => {});
        },
      });
      const [row, state] = [stuck.row(), stuck.state()];
      void ACTIONS[action].begin(stuck).catch(() => {});
      await asked.promise;
      const next = await recovered(stuck);
      expect(next.row()).toEqual(row);
      expect(next.state()).toBe(state);
      expect(next.events().at(-1)).toBe(`pre_${action} shop`);
    },
  );

  test("between the halves of a create with start: the start follows, with its gate", async () => {
    for (const refuses of [false, true]) {
      const world = makeWorld();
      const frozen = freeze(world, "create", "after");
      void world.create({ start: true }).catch(() => {});
      await frozen;
      const next = world.reborn({
        async gate(event) {
          if (refuses && event.hook === "pre_start") throw fail("gate.refused", "not now");
        },
      });
      next.workspaces.recover();
      await next.workspaces.idle();
      expect(next.events()).toEqual([
        "pre_create shop",
        "post_create shop",
        "pre_start shop",
        ...(refuses ? [] : ["post_start shop"]),
      ]);
      expect(next.state()).toBe(refuses ? "created" : "running");
      expect(next.row()).toMatchObject({ next: null, error: refuses ? "not now" : null });
    }
  });

  test("is as one that is asked to stop: whoever waits is told, and the next one goes on", async () => {
    const world = makeWorld();
    const frozen = freeze(world, "prepare", "before");
    const creating = rejection(world.create());
    await frozen;
    await world.workspaces.close();
    expect(await creating).toMatchObject({ code: "workspace.interrupted" });
    expect(world.row()?.phase).toBe("create");
    expect(await rejection(world.create({ name: "other" }))).toMatchObject({ code: "workspace.interrupted" });
    const next = await recovered(world);
    expect(next.events()).toEqual(["pre_create shop", "post_create shop"]);
  });
});

describe("going on", () => {
  test("waits for a provider that does not answer, as long as that takes", async () => {
    const world = makeWorld();
    const frozen = freeze(world, "create", "before");
    void world.create().catch(() => {});
    await frozen;
    const clock = fakeClock();
    const next = world.reborn({ clock });
    next.provider.script.create = fail("provider.unavailable", "no engine");
    next.workspaces.recover();
    await next.workspaces.idle();
    expect(next.row()?.phase).toBe("create");
    expect(await next.workspaces.list()).toMatchObject([{ state: "creating" }]);
    next.provider.script = {};
    await clock.advance(LIMITS.reconcileBackoffMs[0]);
    await until(() => next.row()?.phase === null);
    expect(next.events()).toEqual(["pre_create shop", "post_create shop"]);
  });

  test("that fails for good stays to be seen: nobody was there to be told", async () => {
    const world = makeWorld();
    const frozen = freeze(world, "create", "before");
    void world.create().catch(() => {});
    await frozen;
    const next = world.reborn();
    next.provider.script.create = fail("provider.failed", "no such thing");
    next.workspaces.recover();
    await next.workspaces.idle();
    expect(await next.workspaces.info("shop")).toMatchObject({ state: "failed", error: "no such thing" });
    next.provider.script = {};
    await next.workspaces.destroy("shop", false);
    expect(next.provider.cluster.size).toBe(0);
  });

  test("gives way to whoever wants something, who then goes on with it first", async () => {
    const world = makeWorld();
    const frozen = freeze(world, "create", "before");
    void world.create().catch(() => {});
    await frozen;
    const next = world.reborn();
    next.provider.script.prepare = "hang";
    next.workspaces.recover();
    await until(() => next.provider.calls.some((call) => call.startsWith("prepare")));
    next.provider.script = {};
    expect(await next.start()).toMatchObject({ state: "running" });
    expect(next.events()).toEqual([
      "pre_create shop",
      "post_create shop",
      "pre_start shop",
      "post_start shop",
    ]);
  });

  test("comes back when whoever wanted something was refused, and left all as it was", async () => {
    const world = makeWorld();
    const frozen = freeze(world, "create", "before");
    void world.create().catch(() => {});
    await frozen;
    const clock = fakeClock();
    const next = world.reborn({ clock });
    next.provider.script.prepare = "hang";
    next.workspaces.recover();
    await until(() => next.provider.calls.some((call) => call.startsWith("prepare")));
    next.provider.script = {};
    expect(await rejection(next.create())).toMatchObject({ code: "workspace.exists" });
    await next.workspaces.idle();
    expect(next.row()?.phase).toBe("create");
    await clock.advance(LIMITS.reconcileBackoffMs[0]);
    await until(() => next.row()?.phase === null);
    expect(next.events()).toEqual(["pre_create shop", "post_create shop"]);
  });

  test("is not needed for a destroy", async () => {
    const world = makeWorld();
    const frozen = freeze(world, "create", "after");
    void world.create().catch(() => {});
    await frozen;
    const next = world.reborn();
    await next.workspaces.destroy("shop", false);
    expect(next.events()).toEqual(["pre_create shop", "pre_destroy shop", "post_destroy shop"]);
    expect(next.provider.cluster.size).toBe(0);
  });
});

describe("what somebody else did", () => {
  const instanceOf = (world: World): string => world.row()?.instance ?? "";

  test.each([
    ["exited", "running", "stopped outside"],
    ["paused", "running", "paused outside"],
    ["missing", "running", "removed outside"],
    ["running", "stopped", "started outside"],
    ["missing", "stopped", "removed outside"],
    ["restarting", "running", null],
  ] as const)("%s, where it should be %s, is shown at once: %p", async (state, desired, drift) => {
    const world = makeWorld();
    await world.create({ start: desired === "running" });
    if (state === "missing") world.provider.cluster.delete(instanceOf(world));
    else Object.assign(world.provider.cluster.get(instanceOf(world)) ?? {}, { status: { state } });
    for (const view of [await world.workspaces.info("shop"), (await world.workspaces.list())[0]])
      expect(view).toMatchObject({ state, desired, drift });
  });

  test.each(["stopped", "removed", "dead"] as const)(
    "to one that should run, %s, is mended by a start, and when a daemon starts",
    async (deed) => {
      for (const by of ["start", "daemon"] as const) {
        const world = makeWorld();
        await world.create({ start: true });
        const before = world.events();
        const found = world.provider.cluster.get(instanceOf(world));
        if (deed === "removed") world.provider.cluster.delete(instanceOf(world));
        else if (found !== undefined) found.status = { state: deed === "dead" ? "dead" : "exited" };
        const next = by === "start" ? world : await recovered(world);
        if (by === "start") await world.start();
        expect(await next.workspaces.info("shop")).toMatchObject({ state: "running", drift: null });
        // Nobody asked the daemon: nobody is told.
        expect(next.events()).toEqual(
          by === "start" ? [...before, "pre_start shop", "post_start shop"] : before,
        );
      }
    },
  );

  test("what somebody started is his: a daemon's start leaves it, and a stop or a start takes it over", async () => {
    const world = makeWorld();
    await world.create();
    Object.assign(world.provider.cluster.get(instanceOf(world)) ?? {}, { status: { state: "running" } });
    const next = await recovered(world);
    expect(await next.workspaces.info("shop")).toMatchObject({ state: "running", drift: "started outside" });
    await next.workspaces.stop("shop");
    expect(next.state()).toBe("exited");
    Object.assign(world.provider.cluster.get(instanceOf(world)) ?? {}, { status: { state: "running" } });
    expect(await next.start()).toMatchObject({ state: "running", drift: null });
  });

  test("a paused one is not started: its provider has no word for that", async () => {
    const world = makeWorld();
    await world.create({ start: true });
    Object.assign(world.provider.cluster.get(instanceOf(world)) ?? {}, { status: { state: "paused" } });
    expect(await rejection(world.start())).toMatchObject({ code: "workspace.paused" });
    await world.workspaces.stop("shop");
    expect(world.state()).toBe("exited");
  });

  test("is made again from the very image that it was made from", async () => {
    const world = makeWorld();
    await world.create({ start: true });
    world.provider.cluster.clear();
    await world.start();
    const [{ spec } = { spec: undefined }] = [...world.provider.cluster.values()];
    expect(spec?.image).toContain("node:22@sha256:abc");
  });

  test("a provider that hangs makes the state unknown, and the others' stays known", async () => {
    const world = makeWorld();
    await world.create();
    world.provider.script.status = fail("provider.unavailable", "no engine");
    expect(await world.workspaces.list()).toMatchObject([{ name: "shop", state: "unknown", drift: null }]);
  });
});
