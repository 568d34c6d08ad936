/** The docker provider on a server: a real engine, over TLS, with certificates of both sides. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { systemClock } from "../../../../src/base/clock.ts";
import { makeDockerProvider, type DockerProvider } from "../../../../src/engine/providers/docker/provider.ts";
import type { DockerEndpoint } from "../../../../src/engine/providers/docker/endpoint.ts";
import type { InstanceSpec, WorkContext } from "../../../../src/engine/providers/provider.ts";
import { issueCertificate, makeCertificate } from "../../../certificate.ts";
import { TEST_IMAGE } from "../../../fixtures/docker-image.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { linesOf } from "../../../fixtures/log-lines.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { needs, tempDir, until } from "../../../harness.ts";
import { SECOND_HOST, startSecondEngine, type SecondEngine } from "../../../second-engine.ts";

const owner = `test-${crypto.randomUUID()}`;
const never = new AbortController().signal;
const context: WorkContext = { signal: never, progress: () => {} };

describe.skipIf(!needs("second engine"))("the docker provider on a server", () => {
  let engine: SecondEngine;
  let provider: DockerProvider;

  beforeAll(async () => {
    engine = await startSecondEngine();
    provider = providerOf();
  }, 60_000);
  afterEach(async () => {
    for (const id of await provider.list(owner).catch(() => [])) await provider.destroy(id);
  });
  afterAll(async () => {
    provider.close();
    await engine[Symbol.asyncDispose]();
  }, 60_000);

  function endpointOf(changes: object = {}): DockerEndpoint {
    const { port, files } = engine;
    return { protocol: "https", host: SECOND_HOST, port, files, tlsName: undefined, ...changes };
  }

  function providerOf(changes: { endpoint?: DockerEndpoint; server?: string; secrets?: object } = {}) {
    const settings = {
      endpoint: changes.endpoint ?? endpointOf(),
      address: SECOND_HOST,
      bind: undefined,
      ports: { first: 21_000, last: 21_999 },
    };
    return makeDockerProvider({
      endpoint: { server: changes.server ?? "second", settings: () => settings, resolve: async () => [] },
      secretsOf: () => ({ ...changes.secrets }),
      clock: systemClock,
    });
  }

  function spec(command: string, changes: Partial<InstanceSpec> = {}): InstanceSpec {
    return instanceSpec({ owner, image: TEST_IMAGE, command: ["sh", "-c", command], ...changes });
  }

  async function run(command: string, changes: Partial<InstanceSpec> = {}): Promise<InstanceSpec> {
    const wanted = spec(command, changes);
    await provider.create(wanted, context);
    await provider.start(wanted.id);
    return wanted;
  }

  test("an instance is made there, reached at the server's address, and found again by its owner", async () => {
    const instance = await run("mkdir /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www", {
      port: 80,
      hostPort: 21_456,
    });
    const upstream = await provider.reach?.(instance);
    expect(upstream).toEqual({ host: SECOND_HOST, port: 21_456 });
    const body = await until(() =>
      fetch(`http://${SECOND_HOST}:21456/`).then(
        (answer) => answer.text(),
        () => undefined,
      ),
    );
    expect(body).toBe("hello\n");
    expect(engine.docker("port", instance.id)).toBe(`80/tcp -> ${SECOND_HOST}:21456`);
    expect(await provider.status(instance.id)).toMatchObject({ state: "running" });
    expect(await provider.list(owner)).toEqual([instance.id]);
    await provider.stop(instance.id, 100);
    await provider.destroy(instance.id);
    expect(await provider.status(instance.id)).toEqual({ state: "missing" });
  });

  test("what one name of an engine made is not the other name's to sweep away", async () => {
    const instance = await run("sleep 60");
    const other = providerOf({ server: "alias" });
    expect(await other.list(owner)).toEqual([]);
    expect(await provider.list(owner)).toEqual([instance.id]);
    other.close();
  });

  test("logs are followed, also over a silence that is longer than an idle connection is kept", async () => {
    const { id } = await run("echo first; sleep 12; echo last; sleep 60");
    const seen: string[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const { text } of linesOf(provider.logs(id, { from: undefined, signal: stop.signal })))
        seen.push(text);
    })();
    await until(() => seen.includes("last"), { timeoutMs: 30_000, what: "the last line" });
    stop.abort();
    await reading;
    expect(seen).toEqual(["first", "last"]);
  }, 40_000);

  test("commands run with their input, their output and their exit code, however much that is", async () => {
    const { id } = await run("sleep 60");
    let bytes = 0;
    const stdin = Buffer.alloc(4 * 1024 * 1024, 97);
    const code = await provider.exec(id, {
      command: ["sh", "-c", "cat; exit 5"],
      stdin,
      signal: never,
      output: async (_, chunk) => void (bytes += chunk.length),
    });
    expect({ code, bytes }).toEqual({ code: 5, bytes: stdin.length });
    const stats = await provider.stats?.(id);
    expect(stats?.memoryBytes).toBeGreaterThan(0);
  });

  test("a port that is taken there is told as such, and the instance can be made again with another", async () => {
    const squatter = Bun.listen({ hostname: SECOND_HOST, port: 0, socket: { data() {} } });
    const wanted = spec("sleep 60", { port: 80, hostPort: squatter.port });
    await provider.create(wanted, context);
    expect(await codeOf(provider.start(wanted.id))).toBe("deploy.port_taken");
    const moved = { ...wanted, hostPort: 21_777 };
    await provider.create(moved, context);
    await provider.start(wanted.id);
    expect(engine.docker("port", wanted.id)).toBe(`80/tcp -> ${SECOND_HOST}:21777`);
    squatter.stop(true);
  });

  test("secrets reach the container", async () => {
    const secret = "s3cret-value-of-a-test";
    const proxy = providerOf({ secrets: { TOKEN: secret } });
    const wanted = spec("sleep 60");
    await proxy.create(wanted, context);
    expect(engine.docker("inspect", wanted.id)).toContain(`TOKEN=${secret}`);
    proxy.close();
  });

  test("without encryption there are no secrets and no passwords of registries", async () => {
    const plain: DockerEndpoint = { protocol: "http", host: "192.0.2.7", port: 2375 };
    const open = providerOf({ endpoint: plain, secrets: { TOKEN: "x" } });
    const wanted = spec("true");
    const error = (await rejection(open.create(wanted, context))) as Error;
    expect(error.message).toBe("the secret TOKEN would travel unencrypted to second");
    const auth = { host: "registry.example", username: "me", password: "pw" };
    const bare = providerOf({ endpoint: plain });
    expect(await codeOf(bare.prepare({ ...wanted, registryAuth: auth }, context))).toBe(
      "provider.unsupported",
    );
  });

  test("a hundred questions at once are all answered, and cost little more than one", async () => {
    const { id } = await run("sleep 60");
    const before = process.cpuUsage();
    const states = await Promise.all(Array.from({ length: 100 }, () => provider.status(id)));
    const { user } = process.cpuUsage(before);
    expect(new Set(states.map(({ state }) => state))).toEqual(new Set(["running"]));
    expect(user / 1000).toBeLessThan(2_000);
  });

  test("a socket of this machine leads to it too", async () => {
    const near = providerOf({ endpoint: { socketPath: engine.socket }, secrets: { TOKEN: "x" } });
    const wanted = spec("sleep 60");
    await near.create(wanted, context);
    expect(await near.list(owner)).toEqual([wanted.id]);
    near.close();
  });

  test("the engine says what it is", async () => {
    expect(await provider.facts(5_000)).toEqual({
      version: engine.docker("version", "--format", "{{.Server.Version}}"),
      apiVersion: engine.docker("version", "--format", "{{.Server.APIVersion}}"),
    });
  });

  test("a client certificate that the engine does not know is refused, and nothing is done", async () => {
    await using dir = tempDir();
    const stranger = issueCertificate({ names: ["me"], issuer: makeCertificate("somebody else") });
    const files = write(dir.path, { ...engine.files }, stranger);
    const refused = providerOf({ endpoint: endpointOf({ files }) });
    const wanted = spec("true");
    const error = (await rejection(refused.create(wanted, context))) as Error & { code: string };
    expect(error.code).toBe("server.refused");
    expect(error.message).toMatch(/refuses our certificate: (bad certificate|unknown ca)$/);
    expect(engine.docker("ps", "--all", "--quiet")).toBe("");
  });

  test("a new certificate counts with the next connection, without a word", async () => {
    await using dir = tempDir();
    const stranger = issueCertificate({ names: ["me"], issuer: makeCertificate("somebody else") });
    const files = write(dir.path, { ...engine.files }, stranger);
    const changing = providerOf({ endpoint: endpointOf({ files }) });
    expect(await codeOf(changing.list(owner))).toBe("server.refused");
    write(dir.path, { ...engine.files }, issueCertificate({ names: ["me"], issuer: engine.authority }));
    expect(await changing.list(owner)).toEqual([]);
    changing.close();
  });

  test("files that can't be used are named, before anybody is spoken to", async () => {
    await using dir = tempDir();
    const own = issueCertificate({ names: ["me"], issuer: engine.authority });
    const expired = issueCertificate({ names: ["me"], issuer: engine.authority, from: -3, to: -1 });
    const other = issueCertificate({ names: ["me"], issuer: engine.authority });
    const cases: readonly (readonly [() => object, RegExp])[] = [
      [
        () => ({ ...engine.files, cert: `${dir.path}/none` }),
        /cert: .*none can't be read: it does not exist/,
      ],
      [() => write(dir.path, engine.files, expired), /cert: .* was valid until/],
      [
        () => write(dir.path, engine.files, { ...own, key: other.key }),
        /key: .* is not the key of the certificate/,
      ],
      [() => write(dir.path, engine.files, { ...own, cert: "junk" }), /cert: .* holds no certificate/],
      [() => write(dir.path, engine.files, { ...own, key: "junk" }), /key: .* holds no private key/],
      [() => ({ ...engine.files, ca: dir.path }), /ca: .* is no plain file/],
      [() => open(write(dir.path, engine.files, own)), /key: .* has mode 644 and others may read it/],
    ];
    for (const [make, message] of cases) {
      const files = make();
      const broken = providerOf({ endpoint: endpointOf({ files }) });
      const error = (await rejection(broken.list(owner))) as Error & { code: string };
      expect(error.code).toBe("server.files_invalid");
      expect(error.message).toMatch(message);
    }
  });

  test("the certificate's own name may be another than the host's", async () => {
    const named = providerOf({ endpoint: endpointOf({ tlsName: "localhost" }) });
    expect(await named.list(owner)).toEqual([]);
    named.close();
    const wrong = providerOf({ endpoint: endpointOf({ tlsName: "other.example" }) });
    expect(await codeOf(wrong.list(owner))).toBe("server.untrusted");
  });

  test("an engine that goes down and comes back is found again", async () => {
    const { id } = await run("sleep 600", { restart: "always" });
    await engine.down();
    const error = (await rejection(provider.status(id))) as Error & { code: string };
    expect(error.code).toBe("provider.unavailable");
    await engine.up();
    await until(async () => (await provider.status(id)).state === "running", { timeoutMs: 20_000 });
  }, 60_000);
});

function write(folder: string, files: object, { cert, key }: { cert: string; key: string }) {
  const paths = { ...files, cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
  writeFileSync(paths.cert, cert);
  writeFileSync(paths.key, key);
  chmodSync(paths.key, 0o600);
  return paths;
}

function open<T extends { key: string }>(paths: T): T {
  chmodSync(paths.key, 0o644);
  return paths;
}
