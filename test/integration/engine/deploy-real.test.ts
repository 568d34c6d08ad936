/** Deploys real servers, in processes that a small provider starts, through the real edge, probes and folders. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { systemClock } from "../../../src/base/clock.ts";
import { makeProbes } from "../../../src/engine/deploys/probes.ts";
import type { InstanceSpec, Provider } from "../../../src/engine/providers/provider.ts";
import { tempDir, until } from "../../harness.ts";
import { makeWorld, type World } from "../../unit/engine/service-world.ts";
import { makeProviders } from "../../../src/engine/providers/providers.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const SERVER = `
  const text = process.env.TEXT;
  if (text === "crash") { console.log("I give up"); process.exit(3); }
  if (text === "deaf") setInterval(() => {}, 1000);
  else {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: Number(process.env.PORT),
      fetch: (request) => text === "sick" && request.url.endsWith("/up")
        ? new Response("no", { status: 503 }) : new Response(text),
    });
    process.on("SIGTERM", async () => { await server.stop(); process.exit(0); });
  }
`;

/** Runs `server.ts` of the spec's folder with this Bun. */
function processes(): Provider & { readonly count: () => number } {
  const children = new Map<
    string,
    {
      readonly spec: InstanceSpec;
      child: Subprocess | undefined;
      out: string;
      read: Promise<void> | undefined;
    }
  >();
  const end = async (id: string, signal: NodeJS.Signals): Promise<void> => {
    const child = children.get(id)?.child;
    child?.kill(signal);
    await child?.exited;
  };
  return {
    name: "fake",
    server: "local",
    count: () => children.size,
    check() {},
    prepare: async () => "folder",
    create: async (spec) => void children.set(spec.id, { spec, child: undefined, out: "", read: undefined }),
    async start(id) {
      const entry = children.get(id);
      if (entry === undefined) throw new Error("not created");
      const { directory, env, hostPort } = entry.spec;
      const child = Bun.spawn([process.execPath, join(directory as string, "server.ts")], {
        env: { ...env, PORT: String(hostPort) },
        stdout: "pipe",
        stderr: "ignore",
      });
      entry.child = child;
      entry.read = (async () => {
        for await (const chunk of child.stdout) entry.out += Buffer.from(chunk).toString();
      })();
    },
    stop: (id) => end(id, "SIGTERM"),
    async destroy(id) {
      await end(id, "SIGKILL");
      children.delete(id);
    },
    async status(id) {
      const child = children.get(id)?.child;
      if (child === undefined) return { state: children.has(id) ? "created" : "missing" };
      return child.exitCode === null ? { state: "running" } : { state: "exited", exitCode: child.exitCode };
    },
    list: async () => [...children.keys()],
    async *logs(id, { from }) {
      const { child, read } = children.get(id) ?? {};
      if (child !== undefined && child.exitCode !== null) await read;
      const text = (children.get(id)?.out ?? "").slice(Number(from ?? 0));
      const part = { stream: "stdout", atMs: 0, text: text.trimEnd() } as const;
      if (text !== "") yield { parts: [part], position: String(Number(from ?? 0) + text.length) };
    },
    exec: async () => 0,
  };
}

async function realWorld(): Promise<{
  world: World;
  count: () => number;
  url: string;
  publish: string;
  apps: string;
}> {
  const dir = tempDir();
  const uploads = new Map(
    ["one", "two"].map((id) => {
      const directory = join(dir.path, "uploads", id);
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, "server.ts"), SERVER);
      return [id, { directory, digest: `sha256:${id}` }];
    }),
  );
  const provider = processes();
  const apps = join(dir.path, "apps");
  const world = makeWorld({
    uploads,
    folders: apps,
    probes: makeProbes(systemClock),
    deps: { providers: makeProviders(() => [provider]) },
  });
  cleanups.push(
    () => dir[Symbol.asyncDispose](),
    async () => {
      for (const { name } of await world.services.list()) await world.services.remove(name);
      await world.close();
    },
  );
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const publish = `127.0.0.1:${listener.port}`;
  listener.stop(true);
  return { world, count: provider.count, url: `http://${publish}/`, publish, apps };
}

test("a folder is deployed, replaced under load without a failed request, and outlives a bad version", async () => {
  const { world, count, url, publish, apps } = await realWorld();
  await world.deploy({ upload: "one", port: 80, publish, env: { TEXT: "one" }, health: "/up" });
  expect(await (await fetch(url)).text()).toBe("one");

  const answers = new Map<string, number>();
  const stop = new AbortController();
  const clients = Array.from({ length: 4 }, async () => {
    while (!stop.signal.aborted) {
      const answer = await fetch(url, { keepalive: false }).then(
        (response) => response.text(),
        (error: Error) => `failed: ${error.message}`,
      );
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  });
  await until(() => (answers.get("one") ?? 0) > 20);
  const end = await world.deploy({ upload: "two", env: { TEXT: "two" } });
  expect(end).toMatchObject({ version: 2, image: "sha256:two", address: publish });
  await until(() => (answers.get("two") ?? 0) > 20);

  const bad = await world.deploy({ env: { TEXT: "crash" } }).catch((error: unknown) => error);
  expect(bad).toMatchObject({ code: "deploy.exited", details: { exitCode: 3, logs: ["I give up"] } });
  const sick = await world
    .deploy({ env: { TEXT: "sick" }, healthTimeoutMs: 700 })
    .catch((error: unknown) => error);
  expect(sick).toMatchObject({ code: "deploy.unhealthy", message: expect.stringContaining("status 503") });
  stop.abort();
  await Promise.all(clients);
  expect([...answers.keys()].toSorted()).toEqual(["one", "two"]);
  expect(await (await fetch(url)).text()).toBe("two");
  expect(count()).toBe(1);
  expect(readdirSync(join(apps, "web"))).toHaveLength(2);
  await world.services.remove("web");
  expect(readdirSync(apps)).toEqual([]);
  expect(count()).toBe(0);
}, 20_000);

test("a service that never listens is told from one that does", async () => {
  const { world, count } = await realWorld();
  const error = await world
    .deploy({ upload: "one", port: 80, env: { TEXT: "deaf" }, healthTimeoutMs: 500 })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: "deploy.unhealthy",
    message: "web was not healthy within 0.5 s: nothing listens on the port",
  });
  expect(count()).toBe(0);
});
