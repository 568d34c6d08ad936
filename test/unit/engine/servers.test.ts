/** Services on other machines: where they run, how they move, and that a machine that does not answer is nobody else's trouble. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { SERVER_LIMITS } from "../../../src/base/server-limits.ts";
import { makePorts, type PortRange } from "../../../src/engine/ports.ts";
import { checkContainerSpec } from "../../../src/engine/providers/docker/check.ts";
import type { InstanceSpec, Upstream } from "../../../src/engine/providers/provider.ts";
import { makeProviders } from "../../../src/engine/providers/providers.ts";
import { instanceSpec } from "../../fixtures/instance-spec.ts";
import { codeOf, rejection } from "../../fixtures/rejection.ts";
import { fakeClock, until } from "../../harness.ts";
import { fakeProvider, type FakeProvider } from "./fake-provider.ts";
import { makeWorld, type World } from "./service-world.ts";

interface Machines {
  readonly world: World;
  readonly far: FakeProvider;
  /** What probes were asked to knock at. */
  readonly knocked: Upstream[];
  /** False: the configuration has no such server. */
  has: boolean;
}

const RANGE: PortRange = { first: 25_000, last: 25_099 };

/** This machine and one other, `far`, which is reached at 127.0.0.9. */
function machines(options: { range?: PortRange; clock?: ReturnType<typeof fakeClock> } = {}): Machines {
  const far = fakeProvider("fake", new Map(), "far");
  far.reach = async ({ hostPort = 0 }: InstanceSpec) => ({ host: "127.0.0.9", port: hostPort });
  const knocked: Upstream[] = [];
  const local = fakeProvider("fake");
  const found: Machines = {
    world: makeWorld({
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      cluster: local.cluster,
      probes: { tcp: async (upstream) => void knocked.push(upstream) },
      deps: {
        providers: makeProviders(() => (found.has ? [local, far] : [local])),
        hostOf: (server) => (server === "far" ? "far.example" : server),
        ports: makePorts({ rangeOf: () => options.range ?? RANGE }),
      },
    }),
    far,
    knocked,
    has: true,
  };
  return Object.assign(found, { world: { ...found.world, provider: local } });
}

describe("a service on a server", () => {
  test("runs there, is reached there, and stays there with the next deploy", async () => {
    const { world, far, knocked } = machines();
    const end = await world.deploy({ image: "app:1", port: 80, server: "far" });
    const port = world.deps.state.versions.find("web", 1)?.port ?? 0;
    expect(port).toBeWithin(RANGE.first, RANGE.last + 1);
    expect(end.address).toBe(`127.0.0.9:${port}`);
    expect(knocked).toEqual([{ host: "127.0.0.9", port }]);
    expect(far.cluster.size).toBe(1);
    expect(world.provider.cluster.size).toBe(0);
    const told = world.events("on_deploy_success")[0]?.data;
    expect(told).toMatchObject({ server: "far.example", domain: `127.0.0.9:${port}` });
    // Where it will be reached is not known before it runs.
    expect(world.events("on_deploy_start")[0]?.data).toMatchObject({ server: "far.example", domain: "web" });
    expect(await world.services.info("web")).toMatchObject({
      server: "far",
      state: "running",
      problem: null,
    });
    await world.deploy({ image: "app:2" });
    expect(world.deps.state.services.find("web")?.server).toBe("far");
    expect([...far.cluster.values()].map(({ spec }) => spec.version)).toEqual([2]);
    await world.close();
  });

  test("that moves is drained and removed where it was", async () => {
    const { world, far } = machines();
    await world.deploy({ image: "app:1", port: 80, volumes: ["data:/data"] });
    const [old] = world.provider.cluster.keys();
    await world.deploy({ server: "far" });
    expect(world.provider.calls).toContain(`stop ${old}`);
    expect(world.provider.cluster.size).toBe(0);
    expect(far.cluster.size).toBe(1);
    expect(world.progress.map(({ text }) => text).join("\n")).toContain(
      "what its volumes hold stays on local",
    );
    await world.deploy({ server: "local" });
    expect(far.cluster.size).toBe(0);
    expect(world.provider.cluster.size).toBe(1);
    expect((await world.services.info("web")).address).toMatch(/^127\.0\.0\.1:/);
    await world.close();
  });

  test("takes another port where the first is taken there, and gives up after some", async () => {
    const { world, far } = machines();
    const ports: (number | undefined)[] = [];
    far.onCall = (method, id) => {
      if (method !== "start") return;
      ports.push(far.cluster.get(id)?.spec.hostPort);
      far.script = ports.length < 3 ? { start: fail("deploy.port_taken", "taken") } : {};
    };
    await world.deploy({ image: "app:1", port: 80, server: "far" });
    expect(new Set(ports).size).toBe(3);
    expect(world.deps.state.versions.find("web", 1)).toMatchObject({ hostPort: ports[2], port: ports[2] });
    ports.length = 0;
    far.onCall = (method, id) => void (method === "start" && ports.push(far.cluster.get(id)?.spec.hostPort));
    far.script = { start: fail("deploy.port_taken", "taken") };
    expect(await codeOf(world.deploy({ service: "api", image: "app:1", port: 80, server: "far" }))).toBe(
      "deploy.port_taken",
    );
    expect(new Set(ports).size).toBe(SERVER_LIMITS.portsTried);
    expect(far.cluster.size).toBe(1);
    await world.close();
  });

  test("never gets a port that another has there, and may have one that another has elsewhere", async () => {
    const { world } = machines({ range: { first: 25_000, last: 25_001 } });
    await world.deploy({ service: "a", image: "app:1", port: 80, server: "far" });
    await world.services.stop("a");
    await world.deploy({ service: "b", image: "app:1", port: 80, server: "far" });
    const ports = world.deps.state.versions.listCurrent().map(({ hostPort }) => hostPort ?? 0);
    expect(ports.toSorted((one, other) => one - other)).toEqual([25_000, 25_001]);
    const error = (await rejection(
      world.deploy({ service: "c", image: "app:1", port: 80, server: "far" }),
    )) as Error;
    expect(error.message).toBe("no port of far from 25000 to 25001 is free");
    await world.close();
  });

  test("is reached elsewhere when it was started again elsewhere", async () => {
    const { world, far } = machines();
    await world.deploy({ image: "app:1", port: 80, server: "far" });
    await world.services.stop("web");
    far.reach = async () => ({ host: "127.0.0.10", port: 7777 });
    expect((await world.services.start("web", new AbortController().signal)).address).toBe("127.0.0.10:7777");
    await world.close();
  });

  test("is refused where the server, or the provider on it, does not exist", async () => {
    const { world, far } = machines();
    expect(await codeOf(world.deploy({ image: "app:1", server: "fra" }))).toBe("server.unknown");
    expect(await codeOf(world.deploy({ image: "app:1", server: "far", provider: "process" }))).toBe(
      "provider.unknown",
    );
    expect(far.calls).toEqual([]);
    expect(world.events()).toEqual([]);
    await world.close();
  });

  test("is no folder, which is on this machine", () => {
    const folder = instanceSpec({ directory: "/srv/app" });
    expect(() => checkContainerSpec(folder, "far")).toThrow("runs images, found a folder");
  });
});

describe("a server that does not answer", () => {
  test("costs its own services only: others are repaired, and states are told at once", async () => {
    const clock = fakeClock();
    const { world, far } = machines({ clock });
    await world.deploy({ service: "here", image: "app:1", port: 80 });
    await world.deploy({ service: "there", image: "app:1", port: 80, server: "far" });
    far.script = { status: "hang", list: "hang", destroy: "hang" };
    const [id = ""] = world.provider.cluster.keys();
    const instance = world.provider.cluster.get(id);
    if (instance !== undefined) instance.status = { state: "exited", exitCode: 1 };
    world.deploys.repair();
    await until(() => world.provider.cluster.get(id)?.status.state === "running");
    const asking = world.services.list();
    await clock.advance(LIMITS.providerStatusMs + 1);
    expect((await asking).map(({ name, state }) => [name, state])).toEqual([
      ["here", "running"],
      ["there", "unknown"],
    ]);
    const looking = world.services.info("there");
    await clock.advance(LIMITS.providerStatusMs + 1);
    expect((await looking).problem).toBe("fake on far did not answer within 2 s");
    // Again, while the pass over the other machine is still under way.
    if (instance !== undefined) instance.status = { state: "exited", exitCode: 1 };
    world.deploys.repair();
    await until(() => world.provider.cluster.get(id)?.status.state === "running");
    await clock.advance(LIMITS.providerDestroyMs + 1);
    await world.close();
  });

  test("leaves a service that moves away to be removed when it answers again", async () => {
    const clock = fakeClock();
    const { world, far } = machines({ clock });
    await world.deploy({ image: "app:1", port: 80, server: "far" });
    far.script = {
      stop: fail("provider.unavailable", "down"),
      destroy: fail("provider.unavailable", "down"),
    };
    await world.deploy({ server: "local" });
    expect((await world.services.info("web")).server).toBe("local");
    expect(far.cluster.size).toBe(1);
    far.script = {};
    await clock.advance(LIMITS.reconcileBackoffMs[0] + 1);
    await until(() => far.cluster.size === 0);
    await world.close();
  });
});

describe("a server that left the configuration", () => {
  test("keeps what it has: the state is unknown, changes are refused, and all is well when it is back", async () => {
    const found = machines();
    const { world, far } = found;
    await world.deploy({ image: "app:1", port: 80, server: "far" });
    const calls = far.calls.length;
    found.has = false;
    world.deploys.repair();
    await world.deploys.idle();
    const info = await world.services.info("web");
    expect(info).toMatchObject({ state: "unknown", server: "far" });
    expect(info.problem).toContain('no server is called "far"');
    for (const change of [
      () => world.services.stop("web"),
      () => world.services.start("web", new AbortController().signal),
      () => world.services.remove("web"),
      () => world.deploy({ image: "app:2" }),
    ])
      expect(await codeOf(change())).toBe("server.unknown");
    expect(far.calls.length).toBe(calls);
    expect(far.cluster.size).toBe(1);
    expect(world.deps.state.services.find("web")?.desired).toBe("running");
    found.has = true;
    await world.services.start("web", new AbortController().signal);
    expect(await world.services.info("web")).toMatchObject({ state: "running", problem: null });
    await world.close();
  });

  test("lets go of a service that is abandoned, and of one that is deployed elsewhere", async () => {
    const found = machines();
    const { world, far } = found;
    await world.deploy({ service: "a", image: "app:1", server: "far", port: 80 });
    await world.deploy({ service: "b", image: "app:1", server: "far", port: 80 });
    found.has = false;
    await world.services.remove("a", true);
    expect(world.services.has("a")).toBe(false);
    await world.deploy({ service: "b", server: "local" });
    expect((await world.services.info("b")).state).toBe("running");
    expect(far.cluster.size).toBe(2);
    await world.close();
  });
});
