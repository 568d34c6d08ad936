import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import tar from "tar-stream";
import { systemClock } from "../../../../src/base/clock.ts";
import { makeDockerProvider } from "../../../../src/engine/providers/docker/provider.ts";
import type { InstanceSpec } from "../../../../src/engine/providers/provider.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { needs, tempDir, until } from "../../../harness.ts";

const docker = makeDockerProvider({ endpoint: { socketPath: "/var/run/docker.sock" }, clock: systemClock });

describe.skipIf(!needs("docker") || !needs("docker-registry"))("a private registry", () => {
  const dir = tempDir();
  let registry: Bun.Subprocess;
  let host: string;
  let image: string;

  beforeAll(async () => {
    const socket = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    host = `127.0.0.1:${socket.port}`;
    socket.stop(true);
    image = `${host}/team/app:1`;
    const password = await Bun.password.hash("right", { algorithm: "bcrypt", cost: 4 });
    await Bun.write(`${dir.path}/htpasswd`, `me:${password}\n`);
    await Bun.write(`${dir.path}/config.yml`, registryConfig(host, dir.path));
    registry = Bun.spawn(["docker-registry", "serve", `${dir.path}/config.yml`], {
      stdout: "ignore",
      stderr: "ignore",
    });
    await until(() =>
      fetch(`http://${host}/v2/`).then(
        (answer) => answer.status === 401,
        () => false,
      ),
    );
    const cli = ["docker", "--config", dir.path];
    await sh([...cli, "login", "-u", "me", "--password-stdin", host], "right");
    // Bytes that no other image has: the engine says nothing of layers that it knows already.
    const layer = tar.pack();
    layer.entry({ name: "random" }, Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))));
    layer.finalize();
    await sh(
      [...cli, "import", "-", image],
      Buffer.concat(await Array.fromAsync(layer as AsyncIterable<Buffer>)),
    );
    await sh([...cli, "push", image]);
    await sh([...cli, "rmi", image]);
  });

  afterAll(async () => {
    Bun.spawnSync(["docker", "rmi", image], { stdout: "ignore", stderr: "ignore" });
    registry.kill("SIGKILL");
    await registry.exited;
    await dir[Symbol.asyncDispose]();
  });

  function prepare(password: string | undefined, changes: Partial<InstanceSpec> = {}, said: string[] = []) {
    const registryAuth = password === undefined ? undefined : { host, username: "me", password };
    const signal = new AbortController().signal;
    return docker.prepare(instanceSpec({ image, registryAuth, ...changes }), {
      signal,
      progress: (text) => said.push(text),
    });
  }

  test("without a login or with a wrong one the pull is denied, and says how to log in", async () => {
    for (const password of [undefined, "wrong"]) {
      expect(await rejection(prepare(password))).toMatchObject({
        code: "registry.denied",
        hint: `voxeltron registry login ${host}`,
      });
    }
  });

  test("a tag that the registry does not have is named", async () => {
    expect(await rejection(prepare("right", { image: `${host}/team/app:2` }))).toMatchObject({
      code: "deploy.image_not_found",
    });
  });

  test("with the right login the image comes with progress and is named by its digest; nothing of the login is told", async () => {
    const said: string[] = [];
    const name = await prepare("right", {}, said);
    expect(name).toMatch(new RegExp(`^${host}/team/app@sha256:[0-9a-f]{64}$`));
    expect(said[0]).toBe(`pulling ${image}`);
    expect(said.some((text) => text.endsWith("1 of 1 layers"))).toBe(true);
    expect(said.join("\n")).not.toContain("right");
  });

  test("a pull that is cancelled rejects with the reason", async () => {
    Bun.spawnSync(["docker", "rmi", image], { stdout: "ignore", stderr: "ignore" });
    const controller = new AbortController();
    const registryAuth = { host, username: "me", password: "right" };
    const pulling = docker.prepare(instanceSpec({ image, registryAuth }), {
      signal: controller.signal,
      progress: () => controller.abort(new Error("never mind")),
    });
    expect(await rejection(pulling)).toEqual(new Error("never mind"));
  });
});

function registryConfig(host: string, root: string): string {
  return `version: 0.1
log: { level: error }
storage:
  filesystem: { rootdirectory: ${root}/data }
http: { addr: "${host}" }
auth:
  htpasswd: { realm: test, path: ${root}/htpasswd }
`;
}

async function sh(command: string[], stdin: string | Buffer = ""): Promise<void> {
  const child = Bun.spawn(command, { stdin: Buffer.from(stdin), stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) !== 0)
    throw new Error(`${command.join(" ")}: ${await new Response(child.stderr).text()}`);
}
