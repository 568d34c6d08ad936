/** ctx.docker through the compiled daemon: a plugin in its room, the broker, the real engine and a service that was deployed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { needs, until } from "../harness.ts";
import { alertEvent } from "./alert-event.ts";
import { makeMachine, type Machine } from "./machine.ts";

const NAME = `keeper-${crypto.randomUUID().slice(0, 8)}`;
const SERVICE = `web-${crypto.randomUUID().slice(0, 8)}`;

const MANIFEST = `[plugin]
name = "${NAME}"
version = "1.0.0"
tier = 2

[capabilities]
required = ["docker_read", "docker_write"]

[hooks]
on_alert = true

[runtime]
timeout = "60s"
`;

/** Does what the alert's message names; an error is an answer too. */
const CODE = `
const deeds = {
  list: (docker) => docker.list(),
  inspect: (docker, [id]) => docker.inspect(id),
  stats: (docker, [id]) => docker.stats(id),
  create: (docker, [spec]) => docker.create(spec),
  start: (docker, [id]) => docker.start(id),
  stop: (docker, [id]) => docker.stop(id),
  remove: (docker, [id]) => docker.remove(id),
  async watch(docker, [spec]) {
    const events = docker.events()[Symbol.asyncIterator]();
    const first = events.next();
    const { id } = await docker.create(spec);
    const { value } = await first;
    await events.return();
    await docker.remove(id);
    return value;
  },
};
export default {
  async on_alert({ message }, ctx) {
    const [deed, ...args] = JSON.parse(message);
    try {
      return { done: (await deeds[deed](ctx.docker, args)) ?? null };
    } catch ({ code, message, hint }) {
      return { code, message, hint };
    }
  },
};
`;

interface Got {
  readonly done?: unknown;
  readonly code?: string;
  readonly hint?: string;
}

let machine: Machine;

async function ask(...deed: readonly unknown[]): Promise<Got> {
  const folder = machine.write("events", { "alert.json": JSON.stringify(alertEvent(JSON.stringify(deed))) });
  const words = ["plugin", "call", NAME, "on_alert", "--event", `${folder}/alert.json`];
  return (await machine.json<{ result: Got }>(...words)).result;
}

function sweep(): void {
  for (const filter of [`name=vxp.${NAME}`, `label=voxeltron.service=${SERVICE}`]) {
    const ids = Bun.spawnSync(["docker", "ps", "-aq", "--filter", filter])
      .stdout.toString()
      .trim()
      .split("\n");
    for (const id of ids)
      if (id !== "") Bun.spawnSync(["docker", "rm", "-f", "-v", id], { stdout: "ignore" });
  }
}

describe.skipIf(!needs("compiled") || !needs("docker"))("ctx.docker in a running daemon", () => {
  beforeAll(async () => {
    await ensureTestImage();
    machine = makeMachine("");
    await machine.start();
    const words = ["--image", TEST_IMAGE, "--command", "sleep 1000", "--env", "TOKEN=canary-of-the-service"];
    expect((await machine.cli("deploy", SERVICE, ...words)).status).toBe(0);
    const folder = machine.write("keeper", { "plugin.toml": MANIFEST, "index.js": CODE });
    expect((await machine.cli("plugin", "install", folder, "--yes")).stderr).toContain(
      "docker_write (High risk)",
    );
  }, 60_000);

  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
    sweep();
  });

  test("a service's instance is seen without its secrets, and stopped and started as its service", async () => {
    const { done: list } = (await ask("list")) as { done: { id: string; name: string; service?: string }[] };
    expect(list).toHaveLength(1);
    // Without a registry the image has no name that would stay the same.
    const image = expect.stringMatching(/^sha256:/);
    expect(list[0]).toMatchObject({
      origin: "service",
      service: SERVICE,
      version: 1,
      state: "running",
      image,
    });
    const id = list[0]?.id ?? "";
    const { done: details } = await ask("inspect", id);
    expect(details).toMatchObject({ id, program: "sleep", origin: "service" });
    expect(JSON.stringify([list, details])).not.toContain("canary");
    expect((await ask("stats", id)).done).toMatchObject({ processes: expect.any(Number) });
    expect(await ask("remove", id)).toMatchObject({ code: "capability.out_of_scope" });
    expect(await ask("stop", id)).toEqual({ done: null });
    expect(await machine.json<unknown>("status")).toMatchObject([{ name: SERVICE, state: "stopped" }]);
    expect(await ask("start", id)).toEqual({ done: null });
    await until(async () => {
      const [service] = await machine.json<{ state: string }[]>("status");
      return service?.state === "running";
    });
  }, 60_000);

  test("what a plugin makes is its own, and what is closed opens with the configuration", async () => {
    const spec = { image: TEST_IMAGE, command: ["sleep", "1000"], name: "side" };
    const event = await ask("watch", spec);
    expect(event.done).toMatchObject({ action: "create", name: `vxp.${NAME}.side`, plugin: NAME });
    const closed = await ask("create", { ...spec, network: "host" });
    expect(closed).toMatchObject({
      code: "capability.out_of_scope",
      hint: expect.stringContaining("[docker] allow_host_network = true"),
    });
    expect(await ask("create", { ...spec, Privileged: true })).toMatchObject({
      code: "capability.invalid_params",
    });
    machine.configure("[docker]\nallow_host_network = true\n");
    process.kill(machine.pid(), "SIGHUP");
    const made = await until(async () => (await ask("create", { ...spec, network: "host" })).done);
    const { id } = made as { id: string };
    expect(await ask("start", id)).toEqual({ done: null });
    expect((await ask("inspect", id)).done).toMatchObject({
      state: "running",
      networks: ["host"],
      plugin: NAME,
    });
    expect(await ask("remove", `vxp.${NAME}.side`)).toEqual({ done: null });
    expect(await ask("inspect", id)).toMatchObject({ code: "container.not_found" });
  }, 60_000);

  test("what was revoked is closed at once, and what was not stays open", async () => {
    expect((await machine.cli("plugin", "revoke", NAME, "docker_write")).status).toBe(0);
    const refused = await ask("create", { image: TEST_IMAGE });
    expect(refused).toMatchObject({ code: "capability.denied" });
    expect(refused.hint).toContain(`voxeltron plugin grant ${NAME} docker_write`);
    expect((await ask("list")).done).toHaveLength(1);
  }, 60_000);

  test("what it made goes when it is removed", async () => {
    expect((await machine.cli("plugin", "grant", NAME, "docker_write")).status).toBe(0);
    const spec = {
      image: TEST_IMAGE,
      name: "left",
      restart: "always",
      volumes: [{ name: "data", target: "/d" }],
    };
    const { id } = (await ask("create", spec)).done as { id: string };
    expect(await ask("start", id)).toEqual({ done: null });
    const found = () =>
      ["ps -a", "volume ls"].map((words) => {
        const args = [...words.split(" "), "-q", "--filter", `name=vxp.${NAME}`];
        return Bun.spawnSync(["docker", ...args])
          .stdout.toString()
          .trim();
      });
    expect(found().every((text) => text !== "")).toBe(true);
    expect((await machine.cli("plugin", "remove", NAME, "--yes")).status).toBe(0);
    expect(found()).toEqual(["", ""]);
    expect(await machine.json<unknown>("status")).toMatchObject([{ name: SERVICE, state: "running" }]);
  }, 60_000);
});
