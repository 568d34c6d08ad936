import { expect, test } from "bun:test";
import { makeServiceEnvironment } from "../../../../src/engine/services/service-environment.ts";
import { isFreeOnLoopback } from "../../../../src/engine/ports.ts";
import { makeProviders } from "../../../../src/engine/providers/providers.ts";
import { codeOf } from "../../../fixtures/rejection.ts";
import { fakeClock, freePort, until } from "../../../harness.ts";
import { makeWorld, type World } from "../service-world.ts";

async function deployed(): Promise<World> {
  const world = makeWorld();
  await world.deploy({
    image: "app:1",
    port: 3000,
    publish: `127.0.0.1:${freePort()}`,
    memory: "64m",
    volumes: ["data:/d:ro"],
  });
  return world;
}

test("details show what was deployed and how it went", async () => {
  const world = await deployed();
  const info = await world.services.info("web");
  expect(info).toMatchObject({
    name: "web",
    state: "running",
    provider: "fake",
    image: "app:1",
    version: 1,
    port: 3000,
    memoryBytes: 64 * 2 ** 20,
    cpus: null,
    volumes: ["data:/d:ro"],
    restarts: 0,
    deploys: [{ version: 1, state: "succeeded", error: null }],
  });
  expect(info.address).toBe(info.publish);
  await world.close();
});

test("stop closes the address and stays stopped, start brings both back, twice is fine", async () => {
  const world = await deployed();
  const port = Number((await world.services.info("web")).publish?.split(":")[1]);
  expect(isFreeOnLoopback(port)).toBe(false);
  for (let i = 0; i < 2; i++) expect((await world.services.stop("web")).state).toBe("stopped");
  expect(isFreeOnLoopback(port)).toBe(true);
  const signal = new AbortController().signal;
  for (let i = 0; i < 2; i++) expect((await world.services.start("web", signal)).state).toBe("running");
  expect(isFreeOnLoopback(port)).toBe(false);
  await world.close();
});

test("start makes an instance again that is gone, and leaves the address closed when it can't", async () => {
  const world = await deployed();
  const { publish, instance } = await world.services.info("web");
  await world.services.stop("web");
  world.provider.cluster.clear();
  world.provider.script = { create: new Error("no room") };
  const signal = new AbortController().signal;
  expect(await codeOf(world.services.start("web", signal))).toBe("no room");
  expect(isFreeOnLoopback(Number(publish?.split(":")[1]))).toBe(true);
  expect(world.deps.state.services.find("web")?.desired).toBe("stopped");
  world.provider.script = {};
  expect((await world.services.start("web", signal)).state).toBe("running");
  expect(world.provider.cluster.get(instance as string)?.spec).toMatchObject({ memoryBytes: 64 * 2 ** 20 });
  await world.close();
});

test("start makes one again that its provider can't start any more", async () => {
  const world = await deployed();
  await world.services.stop("web");
  const [id = ""] = world.provider.cluster.keys();
  const instance = world.provider.cluster.get(id);
  if (instance !== undefined) instance.status = { state: "dead" };
  world.provider.calls.length = 0;
  expect(await world.services.start("web", new AbortController().signal)).toMatchObject({ state: "running" });
  const changes = world.provider.calls.filter((call) => !call.startsWith("status"));
  expect(changes).toEqual([`destroy ${id}`, `prepare ${id}`, `create ${id}`, `start ${id}`]);
  await world.close();
});

test("remove forgets everything, and the next deploy begins at 1", async () => {
  const world = await deployed();
  makeServiceEnvironment(world.deps.state).set("web", { A: "1" });
  await world.services.remove("web");
  expect(world.provider.cluster.size).toBe(0);
  expect(await codeOf(world.services.info("web"))).toBe("service.not_found");
  for (const rows of ["versions", "deploys", "service_env"])
    expect(world.db.query(`SELECT * FROM ${rows}`).all()).toEqual([]);
  expect((await world.deploy({ image: "app:9", port: 1 })).version).toBe(1);
  expect(world.deps.state.env.all("web")).toEqual({});
  await world.close();
});

test("a removal that fails half-way leaves a stopped service that can be removed again", async () => {
  const world = await deployed();
  world.provider.script = { destroy: new Error("busy") };
  expect(await codeOf(world.services.remove("web"))).toBe("busy");
  expect((await world.services.info("web")).state).toBe("stopped");
  world.provider.script = {};
  await world.services.remove("web");
  expect(await world.services.list()).toEqual([]);
  await world.close();
});

test("a provider that hangs or is gone makes the state unknown, and only for its services", async () => {
  const clock = fakeClock();
  const world = await deployed();
  const next = makeWorld({ db: world.db, cluster: world.provider.cluster, clock });
  next.provider.script = { status: "hang" };
  const list = next.services.list();
  await clock.advance(2000);
  expect(await list).toMatchObject([{ name: "web", state: "unknown", version: 1 }]);
  const without = makeWorld({ db: world.db, deps: { providers: makeProviders(() => []) } });
  expect(await without.services.list()).toMatchObject([{ name: "web", state: "unknown" }]);
  await world.close();
});

test("logs are those of all its versions, exec reaches the live instance; exec in a stopped one is refused", async () => {
  const world = await deployed();
  const signal = new AbortController().signal;
  const written = async () =>
    (await Array.fromAsync(world.services.logs("web", { follow: false, lines: 2, signal }))).map(
      ({ text, version }) => `${version} ${text}`,
    );
  await until(async () => (await written()).length === 2);
  expect(await written()).toEqual(["1 first", "1 last"]);
  let out = "";
  const options = {
    command: ["echo", "hi"],
    stdin: undefined,
    signal,
    output: async (_: string, bytes: Uint8Array) => void (out += Buffer.from(bytes).toString()),
  };
  expect(await world.services.exec("web", options)).toBe(7);
  expect(out).toBe("echo hi");
  await world.services.stop("web");
  expect(await codeOf(world.services.exec("web", options))).toBe("service.stopped");
  await world.close();
});

test("what does not exist is not found, and a service that never went live has no instance", async () => {
  const world = makeWorld();
  const signal = new AbortController().signal;
  for (const work of [
    world.services.info("x"),
    world.services.stop("x"),
    world.services.start("x", signal),
    world.services.remove("x"),
  ])
    expect(await codeOf(work)).toBe("service.not_found");
  world.provider.script = { prepare: new Error("no") };
  await codeOf(world.deploy({ image: "app:1", port: 1 }));
  expect(await codeOf(world.services.start("web", signal))).toBe("instance.not_found");
  await world.close();
});

test("a stop during another stop is refused", async () => {
  const world = await deployed();
  world.provider.script = { stop: "hang" };
  void world.services.stop("web").catch(() => {});
  await until(() => world.provider.calls.some((call) => call.startsWith("stop")));
  expect(await codeOf(world.services.remove("web"))).toBe("service.busy");
  await world.close();
});

test("the environment is kept by key, and a variable that is not set can't be taken away", () => {
  const world = makeWorld();
  world.deps.state.services.takeVersion(
    "web",
    { provider: "fake", server: "local" },
    "2026-01-01T00:00:00.000Z",
  );
  const env = makeServiceEnvironment(world.deps.state);
  env.set("web", { A: "1", B: "2" });
  env.set("web", { A: "3" });
  expect(env.list("web")).toEqual({ A: "3", B: "2" });
  expect(() => env.unset("web", ["A", "C"])).toThrow('web has no variable "C"');
  env.unset("web", ["A"]);
  expect(env.list("web")).toEqual({ B: "2" });
  expect(() => env.list("other")).toThrow(expect.objectContaining({ code: "service.not_found" }));
});
