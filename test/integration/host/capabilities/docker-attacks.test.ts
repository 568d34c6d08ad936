/**
 * What a hostile plugin asks of ctx.docker.create, in every spelling: each is refused, and the engine has neither a container nor
 * a volume of it afterwards. The controls show that the same works where the operator opens it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerRules } from "../../../../src/engine/providers/docker/containers/rules.ts";
import { ensureTestImage, TEST_IMAGE } from "../../../fixtures/docker-image.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { needs, tempDir } from "../../../harness.ts";
import { docker, dockerRig, IDLE, inspected } from "./docker-rig.ts";
import { forbidden, foreignKeys, openPorts, socketPaths } from "./docker-spellings.ts";

const rig = dockerRig({ own: ["/var/lib/voxeltron", "/run/voxeltron/voxeltron.sock"] });
const mallory = rig.plugin("mallory");
const SPEC = { image: TEST_IMAGE, command: IDLE };
const REFUSALS = [
  "capability.invalid_params",
  "capability.out_of_scope",
  "container.invalid",
  "container.exists",
  "container.image_not_found",
];

/** Everything that an attack could have left, also without our labels. */
async function traces(): Promise<unknown[]> {
  const containers = await engineSays<Left[]>("/containers/json?all=1");
  const { Volumes: volumes } = await engineSays<{ Volumes: Left[] | null }>("/volumes");
  return [...containers, ...(volumes ?? [])].filter((left) => {
    const text = JSON.stringify([left.Names, left.Name, left.Labels]);
    return text.includes("vxp.mallory") || text.includes(rig.owner);
  });
}

interface Left {
  readonly Names?: readonly string[];
  readonly Name?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

async function engineSays<T>(path: string): Promise<T> {
  const answer = await fetch(`http://engine${path}`, { unix: "/var/run/docker.sock" });
  return (await answer.json()) as T;
}

async function expectRefusal(spec: unknown): Promise<void> {
  const error = await rejection(mallory.create(spec as object));
  expect(REFUSALS).toContain((error as { code?: string }).code ?? String(error));
  expect(await traces()).toEqual([]);
}

describe.skipIf(!needs("docker"))("a hostile plugin and ctx.docker", () => {
  beforeAll(async () => {
    await ensureTestImage();
  });

  afterEach(async () => {
    rig.rules({});
    await rig.clean();
  });

  afterAll(async () => {
    rig.power.close();
  });

  test("the control: what it asks for without any of this is made", async () => {
    const { id } = await mallory.create(SPEC);
    expect(rig.ids()).toEqual([id]);
  });

  test.each(foreignKeys)("the key %s is refused, with every kind of value", async (key) => {
    for (const value of [true, "host", ["/:/host"], { Privileged: true, Binds: ["/:/host"] }])
      await expectRefusal(JSON.parse(`{"image":"${TEST_IMAGE}","${key}":${JSON.stringify(value)}}`));
  });

  test.each(forbidden)(
    "%s is refused in every spelling",
    async (key, values) => {
      for (const value of values) await expectRefusal({ ...SPEC, [key]: value });
    },
    30_000,
  );

  test("something that is no spec is refused", async () => {
    for (const spec of [null, [], [SPEC], { spec: SPEC }, { 0: SPEC }, "x", 1, true, {}, { image: null }])
      await expectRefusal(spec);
  });

  test("ports are the loopback's alone, and none that are the system's or services'", async () => {
    rig.rules({ allow_network: true });
    for (const changes of openPorts)
      await expectRefusal({
        ...SPEC,
        network: "default",
        ports: [{ container: 80, ...(changes as object) }],
      });
    await mallory.create({
      ...SPEC,
      network: "default",
      ports: [{ container: 80, host: 1024, address: "127.0.0.2" }],
    });
    expect(rig.ids()).toHaveLength(1);
  });

  test("what opens one thing opens no other", async () => {
    const wishes: readonly (readonly [keyof ContainerRules, object])[] = [
      ["allow_network", { network: "default" }],
      ["allow_host_network", { network: "host" }],
      ["allow_privileged", { privileged: true }],
      ["allow_host_pid", { pid: "host" }],
      ["allow_host_ipc", { ipc: "host" }],
      ["allow_devices", { devices: ["/dev/null"] }],
      ["allow_capabilities", { capabilities: ["NET_ADMIN"] }],
      ["allow_binds", { binds: [{ source: "/srv", target: "/x" }] }],
      ["allow_docker_socket", { binds: [{ source: "/var/run/docker.sock", target: "/x" }] }],
    ];
    const listed = { allow_devices: ["/dev/null"], allow_capabilities: ["NET_ADMIN"], allow_binds: ["/srv"] };
    for (const [key, wish] of wishes) {
      const all = { ...Object.fromEntries(wishes.map(([name]) => [name, true])), ...listed };
      const none = key in listed ? [] : false;
      rig.rules({ ...all, [key]: none });
      const error = await rejection(mallory.create({ ...SPEC, ...wish }));
      expect(error).toMatchObject({
        code: "capability.out_of_scope",
        hint: expect.stringContaining(`[docker] ${key}`),
      });
      expect(await traces()).toEqual([]);
      rig.rules({ [key]: key in listed ? listed[key as keyof typeof listed] : true });
      const { id } = await mallory.create({ ...SPEC, ...wish });
      expect(rig.ids()).toEqual([id]);
      // Not every machine that tests can give a container all privileges: the kernel must have left them to it.
      if (key !== "allow_privileged") {
        await mallory.start(id);
        expect(inspected(id).State.Running).toBe(true);
      } else expect(["ok", "container.invalid"]).toContain(await codeOf(mallory.start(id)));
      await mallory.remove(id);
    }
  }, 60_000);

  test("what the operator opens works, and no more of it than that", async () => {
    await using dir = tempDir();
    writeFileSync(join(dir.path, "file"), "from the host");
    rig.rules({
      allow_host_network: true,
      allow_binds: [dir.path],
      allow_devices: ["/dev/null"],
      allow_capabilities: ["NET_ADMIN"],
    });
    const { id } = await mallory.create({
      ...SPEC,
      network: "host",
      binds: [{ source: dir.path, target: "/host", readOnly: true }],
      devices: ["/dev/null"],
      capabilities: ["NET_ADMIN"],
    });
    await mallory.start(id);
    expect(docker("exec", id, "cat", "/host/file")).toBe("from the host");
    expect(docker("exec", id, "cat", "/proc/self/status")).toContain("CapBnd:\t00000000000014eb");
    expect(inspected(id).HostConfig).toMatchObject({
      NetworkMode: "host",
      Privileged: false,
      PidMode: "",
      IpcMode: "private",
    });
    for (const capabilities of [["SYS_ADMIN"], ["NET_ADMIN", "SYS_PTRACE"]])
      expect(await codeOf(mallory.create({ ...SPEC, capabilities }))).toBe("capability.out_of_scope");
    expect(await codeOf(mallory.create({ ...SPEC, devices: ["/dev/zero"] }))).toBe("capability.out_of_scope");
    for (const source of [join(dir.path, "file"), `${dir.path}/`, `${dir.path}/.`, join(dir.path, "..")])
      expect(["capability.out_of_scope", "container.invalid"]).toContain(
        await codeOf(mallory.create({ ...SPEC, binds: [{ source, target: "/x" }] })),
      );
    expect(rig.ids()).toEqual([id]);
  });

  test("the engine's socket is no folder of the operator's list, by whatever way it is named", async () => {
    await using dir = tempDir();
    const links = ["sock", "run", "root", "double"].map((name) => join(dir.path, name));
    symlinkSync("/var/run/docker.sock", links[0] ?? "");
    symlinkSync("/run", links[1] ?? "");
    symlinkSync("/", links[2] ?? "");
    symlinkSync(links[1] ?? "", links[3] ?? "");
    const paths = [
      ...socketPaths.slice(0, 23),
      ...links,
      "/run/containerd",
      "/var/lib/voxeltron",
      "/run/voxeltron",
    ];
    for (const source of paths) {
      rig.rules({ allow_binds: [source] });
      await expectRefusal({ ...SPEC, binds: [{ source, target: "/x", readOnly: true }] });
    }
    rig.rules({ allow_docker_socket: true });
    await mallory.create({ ...SPEC, binds: [{ source: "/var/run/docker.sock", target: "/x" }] });
    expect(rig.ids()).toHaveLength(1);
  }, 30_000);

  test("the daemon's own files are no folder of the operator's list either", async () => {
    await using dir = tempDir();
    const data = join(dir.path, "data");
    mkdirSync(join(data, "files"), { recursive: true });
    const other = dockerRig({ own: [data] });
    const plugin = other.plugin("mallory");
    try {
      for (const source of [dir.path, data, join(data, "files")]) {
        other.rules({ allow_binds: [source], allow_docker_socket: true });
        expect(await codeOf(plugin.create({ ...SPEC, binds: [{ source, target: "/x" }] }))).toBe(
          "capability.out_of_scope",
        );
      }
      expect(other.ids()).toEqual([]);
      mkdirSync(join(dir.path, "open"));
      other.rules({ allow_binds: [join(dir.path, "open")] });
      await plugin.create({ ...SPEC, binds: [{ source: join(dir.path, "open"), target: "/x" }] });
      expect(other.ids()).toHaveLength(1);
    } finally {
      await other.clean();
    }
  });

  test("a folder that becomes a link after the container was made is not mounted", async () => {
    await using dir = tempDir();
    const folder = join(dir.path, "open");
    mkdirSync(folder);
    rig.rules({ allow_binds: [folder] });
    const { id } = await mallory.create({ ...SPEC, binds: [{ source: folder, target: "/x" }] });
    for (const elsewhere of ["/etc", "/", "/run"]) {
      renameSync(folder, `${folder}.away`);
      symlinkSync(elsewhere, folder);
      for (const method of ["start", "restart"])
        expect(await codeOf(mallory.call(`docker.${method}`, { id }))).toBe("capability.out_of_scope");
      expect(inspected(id).State.Running).toBe(false);
      Bun.spawnSync(["rm", folder]);
      renameSync(`${folder}.away`, folder);
    }
    await mallory.start(id);
    expect(inspected(id).State.Running).toBe(true);
  });

  test("a volume that somebody else made, bound to a folder of the host or not, is not mounted", async () => {
    const options = ["--opt", "type=none", "--opt", "o=bind", "--opt", "device=/"];
    const ours = ["--label", `voxeltron.owner=${rig.owner}`, "--label", "voxeltron.plugin=mallory"];
    const volumes = [
      options,
      [],
      [...options, ...ours],
      ["--label", `voxeltron.owner=${rig.owner}`, "--label", "voxeltron.plugin=other"],
      ["--label", "voxeltron.owner=other", "--label", "voxeltron.plugin=mallory"],
    ];
    for (const args of volumes) {
      docker("volume", "create", ...args, "vxp.mallory.evil");
      const spec = { ...SPEC, volumes: [{ name: "evil", target: "/x" }] };
      expect(await codeOf(mallory.create(spec))).toBe("container.exists");
      docker("volume", "rm", "vxp.mallory.evil");
      expect(await traces()).toEqual([]);
    }
    docker("volume", "create", ...ours, "vxp.mallory.evil");
    await mallory.create({ ...SPEC, volumes: [{ name: "evil", target: "/x" }] });
    expect(rig.ids()).toHaveLength(1);
  });

  test("an image that brings labels of ours makes no container", async () => {
    const image = `voxeltron-test/forger:${rig.owner}`;
    for (const label of ["voxeltron.owner", "voxeltron.instance", "voxeltron.service", "Voxeltron.Plugin"]) {
      const context = `FROM ${TEST_IMAGE}\nLABEL ${label}="forged"\n`;
      const built = Bun.spawnSync(["docker", "build", "-q", "-t", image, "-"], {
        stdin: Buffer.from(context),
      });
      expect(built.exitCode).toBe(0);
      expect(await codeOf(mallory.create({ image }))).toBe("container.invalid");
      expect(await traces()).toEqual([]);
      docker("rmi", image);
    }
  }, 60_000);

  test("containers of others, forged or not, are not started, stopped, restarted or removed", async () => {
    const forged = [
      ["--label", "voxeltron.owner=another", "--label", "voxeltron.plugin=mallory"],
      ["--label", `voxeltron.owner=${rig.owner}`],
      [
        "--label",
        `voxeltron.owner=${rig.owner}`,
        "--label",
        "voxeltron.instance=vx-web-1-00000000",
        "--label",
        "voxeltron.service=web",
      ],
      ["--label", `voxeltron.owner= ${rig.owner}`, "--label", "voxeltron.plugin=mallory"],
      ["--label", `VOXELTRON.OWNER=${rig.owner}`, "--label", "voxeltron.plugin=mallory"],
      [],
    ];
    const all = rig.plugin("mallory", { docker_read: ["all"], docker_write: null });
    for (const args of forged) {
      const { id, name } = rig.foreign(args);
      const { StartedAt: began } = inspected(id).State;
      for (const method of ["start", "stop", "restart", "remove"])
        for (const text of [id, id.slice(0, 12), name])
          expect(await codeOf(all.call(`docker.${method}`, { id: text }))).toBe("capability.out_of_scope");
      for (const method of ["start", "stop", "restart", "remove"])
        expect(await codeOf(rig.power[method as "stop"](id, "mallory", new AbortController().signal))).toBe(
          "container.not_found",
        );
      expect(inspected(id).State).toMatchObject({ Running: true, StartedAt: began });
    }
    rig.plugin("mallory");
  }, 60_000);

  test("Portainer GHSA-rrmm-9v76-h3p4: what is not on the list of operations is unknown, never passed on to the engine", async () => {
    const everything = Object.fromEntries(
      Object.keys({
        allow_network: 0,
        allow_host_network: 0,
        allow_privileged: 0,
        allow_host_pid: 0,
        allow_docker_socket: 0,
      }).map((key) => [key, true]),
    );
    rig.rules(everything);
    const { id } = rig.foreign();
    const paths = [
      `/containers/${id}/exec`,
      `/containers/${id}/archive`,
      "/plugins",
      "/swarm",
      "/images/json",
      "/v1.41/info",
    ];
    const words = [
      ..."exec attach commit export archive copy logs top update rename pause kill wait prune build pull push images volumes".split(
        " ",
      ),
      ..."networks plugins swarm secrets info version system df session grpc raw request dial modem List LIST list/ constructor".split(
        " ",
      ),
      ...paths,
    ];
    for (const word of words) {
      for (const name of [`docker.${word}`, `docker.list/..${word}`, word])
        expect(await codeOf(mallory.call(name, { id, path: `/containers/${id}` }))).toBe(
          "capability.unknown_method",
        );
    }
    for (const extra of [
      { path: "/info" },
      { method: "DELETE" },
      { force: true },
      { v: true },
      { signal: "KILL" },
      { query: {} },
    ])
      expect(await codeOf(mallory.call("docker.inspect", { id, ...extra }))).toBe(
        "capability.invalid_params",
      );
    expect(inspected(id).State.Running).toBe(true);
  });
});
