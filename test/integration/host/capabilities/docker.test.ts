/** ctx.docker before the real engine: each method, whose containers it reaches, and what its answers never hold. */
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { ContainerEvent, ContainerUsage } from "../../../../src/sdk/index.ts";
import { ensureTestImage, TEST_IMAGE } from "../../../fixtures/docker-image.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { needs, tempDir, until } from "../../../harness.ts";
import { docker, dockerRig, IDLE, inspected } from "./docker-rig.ts";

const SPEC = { image: TEST_IMAGE, command: IDLE };
const rigs: ReturnType<typeof dockerRig>[] = [];

function rig(options?: Parameters<typeof dockerRig>[0]) {
  const made = dockerRig(options);
  rigs.push(made);
  return made;
}

function exists(id: string): boolean {
  return docker("ps", "-aq", "--no-trunc", "--filter", `id=${id}`) === id;
}

describe.skipIf(!needs("docker"))("ctx.docker", () => {
  beforeAll(async () => {
    await ensureTestImage();
  });

  afterEach(async () => {
    for (const made of rigs.splice(0)) await made.clean();
  });

  test("makes a container, starts, measures, stops, restarts and removes it", async () => {
    const { plugin, volumes } = rig();
    const tidy = plugin("tidy");
    const { id, name } = await tidy.create({
      ...SPEC,
      name: "cache",
      env: { MODE: "warm" },
      labels: { "com.example.role": "cache" },
      memory: "64m",
      cpus: 0.5,
      restart: "on-failure",
      volumes: [{ name: "data", target: "/data" }],
    });
    expect(name).toBe("vxp.tidy.cache");
    expect(await tidy.inspect("vxp.tidy.cache")).toMatchObject({
      id,
      state: "created",
      origin: "plugin",
      plugin: "tidy",
      image: TEST_IMAGE,
      program: "sleep",
      restart: "on-failure",
      networks: ["none"],
      limits: { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, processes: 512 },
      mounts: [{ type: "volume", name: "vxp.tidy.data", target: "/data", readOnly: false }],
    });
    expect(volumes()).toEqual(["vxp.tidy.data"]);
    expect(await codeOf(tidy.call("docker.stats", { id }))).toBe("container.not_running");
    await tidy.start(id);
    await tidy.start(id);
    const usage = await tidy.call<ContainerUsage>("docker.stats", { id: id.slice(0, 12) });
    expect(usage.memoryBytes).toBeGreaterThan(0);
    expect(usage.memoryLimitBytes).toBe(64 * 1024 ** 2);
    expect(usage.processes).toBeGreaterThan(0);
    const { startedAt } = await tidy.inspect(id);
    await tidy.restart(id);
    expect((await tidy.inspect(id)).startedAt).not.toBe(startedAt);
    await tidy.stop(id);
    await tidy.stop(id);
    expect((await tidy.inspect(id)).state).toBe("exited");
    await tidy.remove(id);
    expect(exists(id)).toBe(false);
    expect(await codeOf(tidy.inspect(id))).toBe("container.not_found");
  }, 60_000);

  test("what it makes has few capabilities, no new privileges, no network and its own namespaces", async () => {
    const { plugin } = rig();
    const { id } = await plugin("tidy").create(SPEC);
    await plugin("tidy").start(id);
    const { HostConfig: host } = inspected(id);
    expect(host).toMatchObject({
      Privileged: false,
      NetworkMode: "none",
      IpcMode: "private",
      PidMode: "",
      UTSMode: "",
      UsernsMode: "",
      CgroupnsMode: "private",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      PidsLimit: 512,
      Memory: 512 * 1024 ** 2,
      Binds: null,
      Devices: [],
      LogConfig: { Type: "json-file", Config: { "max-file": "2" } },
    });
    const status = docker("exec", id, "cat", "/proc/self/status");
    // CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE.
    expect(status).toContain("CapBnd:\t00000000000004eb");
    expect(status).toContain("NoNewPrivs:\t1");
    expect(docker("exec", id, "ls", "/sys/class/net")).toBe("lo");
  });

  test("events come as they happen, of what it may see, and end when it stops reading", async () => {
    const { plugin, foreign } = rig();
    const tidy = plugin("tidy");
    const { stream } = await tidy.call<{ stream: string }>("docker.events");
    foreign();
    const { id } = await tidy.create(SPEC);
    await tidy.start(id);
    docker("exec", id, "sh", "-c", "echo canary-command");
    docker("kill", "-s", "KILL", id);
    const events: ContainerEvent[] = [];
    await until(async () => {
      const { items } = await tidy.call<{ items: ContainerEvent[] }>("stream.next", { stream });
      events.push(...items);
      return events.some(({ action }) => action === "die");
    });
    await tidy.call("stream.close", { stream });
    expect(events.map((event) => [event.action, event.id])).toEqual([
      ["create", id],
      ["start", id],
      ["kill", id],
      ["die", id],
    ]);
    expect(events.at(-1)).toMatchObject({
      exitCode: 137,
      origin: "plugin",
      plugin: "tidy",
      image: TEST_IMAGE,
    });
    expect(JSON.stringify(events)).not.toContain("canary");
  });

  test("events end when the right to them is gone, and show less when it is less", async () => {
    const { plugin, foreign, rightsChanged } = rig();
    const tidy = plugin("tidy", { docker_read: ["all"], docker_write: null });
    const { stream } = await tidy.call<{ stream: string }>("docker.events");
    rightsChanged("tidy", { docker_read: null, docker_write: null });
    const other = foreign();
    const { id } = await tidy.create(SPEC);
    const { items } = await tidy.call<{ items: ContainerEvent[] }>("stream.next", { stream });
    expect(items.map((event) => event.id)).toEqual([id]);
    expect(JSON.stringify(items)).not.toContain(other.id);
    rightsChanged("tidy", { docker_write: null });
    expect(await codeOf(tidy.call("stream.next", { stream }))).toBe("capability.denied");
  });

  test("docker_read sees this installation's containers; with all every one, with a service its instances", async () => {
    const { plugin, foreign, instance } = rig();
    const web = instance("web");
    const api = instance("api");
    const other = foreign();
    const { id } = await plugin("tidy").create(SPEC);
    const seen = async (name: string, scope: readonly string[] | null) =>
      (await plugin(name, { docker_read: scope }).list()).map((container) => container.id);
    expect((await seen("a", null)).toSorted()).toEqual([web.id, api.id, id].toSorted());
    expect(await seen("b", ["web"])).toEqual([web.id]);
    expect(await seen("c", [])).toEqual([]);
    expect(await seen("d", ["nothing"])).toEqual([]);
    const all = await seen("e", ["all"]);
    expect(all).toEqual(expect.arrayContaining([web.id, api.id, id, other.id]));
    const [row] = await plugin("b", { docker_read: ["web"] }).list();
    expect(row).toMatchObject({
      name: web.name,
      origin: "service",
      service: "web",
      version: 1,
      state: "running",
    });
  });

  test("what is out of sight is answered exactly as what does not exist, by every method and every name", async () => {
    const { plugin, foreign, instance } = rig();
    const web = instance("web");
    const others = [
      foreign(),
      foreign(["--label", "voxeltron.owner=another-installation", "--label", "voxeltron.service=web"]),
      foreign(["--label", "voxeltron.owner=another-installation", "--label", "voxeltron.plugin=tidy"]),
      instance("api"),
    ];
    const tidy = plugin("tidy", { docker_read: ["web"], docker_write: ["web"] });
    const methods = ["inspect", "stats", "start", "stop", "restart", "remove"];
    const strip = (error: unknown, text: string) =>
      JSON.stringify({ ...(error as object), message: (error as Error).message }).replaceAll(text, "X");
    for (const method of methods) {
      for (const { id, name } of others) {
        for (const text of [id, id.slice(0, 12), name]) {
          const none = text === name ? "test-none" : text.replaceAll(/./g, "f");
          const found = strip(await rejection(tidy.call(`docker.${method}`, { id: text })), text);
          const missing = strip(await rejection(tidy.call(`docker.${method}`, { id: none })), none);
          expect(found).toBe(missing);
          expect(found).toContain("container.not_found");
        }
      }
    }
    for (const { id } of [...others, web]) expect(inspected(id).State.Running).toBe(true);
  }, 60_000);

  test("a container is named by its id, twelve digits of it or its exact name, and by nothing shorter", async () => {
    const { plugin } = rig();
    const tidy = plugin("tidy");
    const { id, name } = await tidy.create(SPEC);
    for (const text of [id, id.slice(0, 12), id.slice(0, 40), name])
      expect((await tidy.inspect(text)).id).toBe(id);
    for (const text of [
      id.slice(0, 11),
      name.slice(0, -1),
      `/${name}`,
      id.toUpperCase(),
      `${id}0`,
      "",
      "%",
      `${id}/json`,
      "../version",
    ])
      expect(["container.not_found", "capability.invalid_params"]).toContain(
        await codeOf(tidy.inspect(text)),
      );
  });

  test("a name that is another one's id is no way to it", async () => {
    const { plugin } = rig();
    const tidy = plugin("tidy");
    const { id } = await tidy.create(SPEC);
    const twin = docker("create", "--name", id.slice(0, 12), "--label", "test.mark=twin", TEST_IMAGE);
    try {
      const everything = plugin("all", { docker_read: ["all"] });
      expect(await codeOf(everything.inspect(id.slice(0, 12)))).toBe("container.invalid");
      expect((await everything.inspect(id)).id).toBe(id);
      await tidy.remove(id.slice(0, 12));
      expect([exists(id), exists(twin)]).toEqual([false, true]);
    } finally {
      docker("rm", "-f", twin);
    }
  });

  test("instances are stopped and started as services, removed by no plugin, and left alone by scope", async () => {
    const { plugin, instance, asked } = rig();
    const web = instance("web");
    const api = instance("api");
    const tidy = plugin("tidy", { docker_read: null, docker_write: ["web"] });
    await tidy.stop(web.name);
    await tidy.start(web.id);
    await tidy.restart(web.id);
    expect(asked).toEqual(["stop web", "start web", "stop web", "start web"]);
    expect(await rejection(tidy.stop(api.id))).toMatchObject({
      code: "capability.out_of_scope",
      hint: "to allow only that: voxeltron plugin grant tidy docker_write=web,api",
    });
    expect(await codeOf(tidy.remove(web.id))).toBe("capability.out_of_scope");
    expect(await codeOf(tidy.create(SPEC))).toBe("capability.out_of_scope");
    expect(asked).toHaveLength(4);
    expect([exists(web.id), exists(api.id)]).toEqual([true, true]);
  });

  test("an instance that is not the live one is the daemon's business", async () => {
    const { plugin, instance, asked } = rig();
    const older = instance("web");
    instance("web");
    expect(await codeOf(plugin("tidy").stop(older.id))).toBe("service.busy");
    expect(asked).toEqual([]);
    expect(inspected(older.id).State.Running).toBe(true);
  });

  test("one plugin's containers and volumes are no other's, though it may see them", async () => {
    const { plugin, ids } = rig();
    const first = await plugin("first").create({
      ...SPEC,
      name: "x",
      volumes: [{ name: "data", target: "/data" }],
    });
    await plugin("first").start(first.id);
    const second = plugin("second");
    expect((await second.inspect(first.id)).plugin).toBe("first");
    for (const method of ["start", "stop", "restart", "remove"])
      expect(await codeOf(second.call(`docker.${method}`, { id: first.id }))).toBe("capability.out_of_scope");
    const unseeing = plugin("second", { docker_write: null });
    for (const method of ["start", "stop", "restart", "remove"])
      expect(await codeOf(unseeing.call(`docker.${method}`, { id: first.id }))).toBe("container.not_found");
    expect(inspected(first.id).State.Running).toBe(true);
    const own = await second.create({ ...SPEC, name: "x", volumes: [{ name: "data", target: "/data" }] });
    expect((await plugin("third").inspect(own.id)).mounts[0]?.name).toBe("vxp.second.data");
    expect(ids()).toHaveLength(2);
  });

  test("who may read may not write, who may write may not read, and who may neither learns nothing", async () => {
    const { plugin, instance } = rig();
    const web = instance("web");
    const reader = plugin("reader", { docker_read: null });
    const writer = plugin("writer", { docker_write: null });
    const nobody = plugin("nobody", {});
    for (const method of ["create", "start", "stop", "restart", "remove"]) {
      const params = method === "create" ? SPEC : { id: web.id };
      expect(await codeOf(reader.call(`docker.${method}`, params))).toBe("capability.denied");
      expect(await codeOf(nobody.call(`docker.${method}`, params))).toBe("capability.denied");
    }
    for (const method of ["list", "inspect", "stats", "events"]) {
      const params = method === "list" || method === "events" ? {} : { id: web.id };
      expect(await codeOf(writer.call(`docker.${method}`, params))).toBe("capability.denied");
      expect(await codeOf(nobody.call(`docker.${method}`, params))).toBe("capability.denied");
    }
    expect(inspected(web.id).State.Running).toBe(true);
  });

  test("no answer holds a secret of a container: environment, labels, arguments, health checks, paths, logs", async () => {
    await using dir = tempDir();
    const { plugin, instance, foreign } = rig();
    const secrets = [
      "-e",
      "TOKEN=canary-env",
      "--label",
      "app.token=canary-label",
      "--label",
      "canary-key=1",
      "--label",
      "org.opencontainers.image.source=https://me:canary-user@example.com/x",
      "--label",
      "org.opencontainers.image.description=canary-description",
      "--hostname",
      "canary-host",
      "--health-cmd",
      "echo canary-health",
      "--health-interval",
      "1s",
      "-v",
      `${dir.path}:/canary-free:ro`,
      "--add-host",
      "canary-extra:10.0.0.1",
      "--log-opt",
      "tag=canary-tag",
      "--tmpfs",
      "/t",
      "-w",
      "/tmp",
    ];
    const command = ["sh", "-c", "sleep 1000; echo canary-argument"];
    const { id } = instance("web", secrets, command);
    foreign(secrets, command);
    const all = plugin("all", { docker_read: ["all"], docker_write: null });
    const { stream } = await all.call<{ stream: string }>("docker.events");
    docker("exec", "-e", "X=canary-exec-env", id, "sh", "-c", "echo canary-exec");
    docker("pause", id);
    docker("unpause", id);
    const answers: unknown[] = [await all.list(), await all.call("docker.stats", { id })];
    for (const container of await all.list()) answers.push(await all.inspect(container.id));
    answers.push(await all.call("stream.next", { stream }));
    answers.push(await rejection(all.remove(id)), await rejection(all.call("docker.stats", { id: "none" })));
    const text = JSON.stringify(answers);
    expect(text).toContain("/canary-free");
    expect(text.replaceAll("/canary-free", "")).not.toContain("canary");
    expect(text).not.toContain(dir.path);
    expect(text).not.toContain(rigs[0]?.owner ?? "?");
  });

  test("texts of containers come in one bounded line", async () => {
    const { plugin, instance } = rig();
    const evil = `a\u001B[2J\u202Eb\nc${"x".repeat(1000)}`;
    const { id } = instance("web", ["--label", `org.opencontainers.image.version=${evil}`]);
    const { labels } = await plugin("tidy").inspect(id);
    const version = labels["org.opencontainers.image.version"] ?? "";
    expect(version.startsWith("a[2Jb c")).toBe(true);
    expect(version.length).toBe(256);
  });

  test("the number of containers is bounded, also when they are asked for at once", async () => {
    const { plugin, ids } = rig();
    const tidy = plugin("tidy");
    const codes = await Promise.all(Array.from({ length: 25 }, () => codeOf(tidy.create(SPEC))));
    expect(codes.filter((code) => code === "ok")).toHaveLength(20);
    expect(codes.filter((code) => code === "capability.limit")).toHaveLength(5);
    expect(ids()).toHaveLength(20);
    await tidy.remove(ids()[0] ?? "");
    expect(await codeOf(tidy.create(SPEC))).toBe("ok");
  }, 60_000);

  test("a plugin that is removed leaves nothing behind, and takes nothing of others with it", async () => {
    const { plugin, instance, foreign, power, ids, volumes } = rig();
    const web = instance("web", ["-v", "vxp.tidy.of-web:/data", "--label", "voxeltron.plugin=tidy"]);
    const other = foreign(["--label", "voxeltron.owner=another", "--label", "voxeltron.plugin=tidy"]);
    const spec = { ...SPEC, volumes: [{ name: "data", target: "/data" }] };
    const kept = await plugin("tidy-too").create(spec);
    const { id } = await plugin("tidy").create(spec);
    await plugin("tidy").create(SPEC);
    await plugin("tidy").start(id);
    await power.clear("tidy");
    expect(ids().toSorted()).toEqual([web.id, kept.id].toSorted());
    expect(volumes()).toEqual(["vxp.tidy-too.data"]);
    for (const one of [web, other]) expect(inspected(one.id).State.Running).toBe(true);
    await power.clear("tidy");
    expect(docker("volume", "ls", "-q", "--filter", "name=vxp.tidy.of-web")).toBe("vxp.tidy.of-web");
    docker("rm", "-f", web.id);
    docker("volume", "rm", "vxp.tidy.of-web");
  });

  test("a name that is taken, an image that is not there, a command that is not in it", async () => {
    const { plugin, rules } = rig();
    const tidy = plugin("tidy");
    await tidy.create({ ...SPEC, name: "one" });
    expect(await codeOf(tidy.create({ ...SPEC, name: "one" }))).toBe("container.exists");
    expect(await rejection(tidy.create({ image: "voxeltron-test/none:1" }))).toMatchObject({
      code: "container.image_not_found",
      hint: expect.stringContaining('[docker] allow_pull = ["docker.io"]'),
    });
    rules({ allow_pull: ["localhost:1"] });
    expect(await codeOf(tidy.create({ image: "localhost:1/none:1" }))).toBe("container.image_not_found");
    expect(await codeOf(tidy.create({ image: "localhost:2/none:1" }))).toBe("container.image_not_found");
    const { id } = await tidy.create({ image: TEST_IMAGE, command: ["no-such-command"] });
    await tidy.start(id);
    expect(await until(async () => (await tidy.inspect(id)).exitCode)).toBe(127);
  });

  test("a port is published on the loopback address, in reach of nobody else", async () => {
    const { plugin, rules } = rig();
    const tidy = plugin("tidy");
    const spec = {
      image: TEST_IMAGE,
      command: ["sh", "-c", "mkdir /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www"],
      network: "default",
      ports: [{ container: 80 }],
    };
    expect(await codeOf(tidy.create(spec))).toBe("capability.out_of_scope");
    rules({ allow_network: true });
    const { id } = await tidy.create(spec);
    await tidy.start(id);
    const [port] = (await tidy.inspect(id)).ports;
    expect(port).toMatchObject({ container: 80, protocol: "tcp", address: "127.0.0.1" });
    const body = await until(async () =>
      (await fetch(`http://127.0.0.1:${port?.host}/`).catch(() => undefined))?.text(),
    );
    expect(body).toBe("hello\n");
  });

  test("what the operator closes again keeps a container from being started", async () => {
    const { plugin, rules } = rig();
    const tidy = plugin("tidy");
    rules({ allow_host_network: true });
    const { id } = await tidy.create({ ...SPEC, network: "host" });
    rules({});
    expect(await codeOf(tidy.start(id))).toBe("capability.out_of_scope");
    expect(await codeOf(tidy.restart(id))).toBe("capability.out_of_scope");
    expect(inspected(id).State.Running).toBe(false);
    rules({ allow_host_network: true });
    await tidy.start(id);
    expect(inspected(id).State.Running).toBe(true);
  });

  test("an engine that takes every question and answers none holds nobody up", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "engine.sock");
    const server = Bun.listen({ unix: socket, socket: { data() {} } });
    const { power } = rig({ socket });
    try {
      const gone = AbortSignal.timeout(200);
      const wanted = {
        plugin: "tidy",
        image: TEST_IMAGE,
        env: {},
        labels: {},
        restart: "no",
        volumes: [],
        ports: [],
      } as const;
      const spec = {
        ...wanted,
        network: "none",
        privileged: false,
        binds: [],
        devices: [],
        capabilities: [],
      } as const;
      const waiting = [
        power.list("own", gone),
        power.inspect("f".repeat(64), gone),
        power.stats("f".repeat(64), gone),
        power.create(spec, gone),
        power.stop("f".repeat(64), "tidy", gone),
        power.remove("f".repeat(64), "tidy", gone),
      ];
      for (const answer of waiting) expect(await rejection(answer)).toHaveProperty("name", "TimeoutError");
      const began = performance.now();
      expect(await rejection(power.list("own", new AbortController().signal))).toMatchObject({
        code: "provider.unavailable",
        message: "the docker engine did not answer within 10 s",
      });
      expect(performance.now() - began).toBeLessThan(15_000);
    } finally {
      server.stop(true);
    }
  }, 30_000);
});
