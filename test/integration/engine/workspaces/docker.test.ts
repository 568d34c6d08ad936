/** Workspaces on the real engine: every option is looked for inside the container. */
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../../src/base/clock.ts";
import { newId } from "../../../../src/base/ids.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeEvents } from "../../../../src/engine/events/outbox.ts";
import { isFreeOnLoopback } from "../../../../src/engine/ports.ts";
import { originOf } from "../../../../src/engine/providers/docker/containers/origin.ts";
import { makeDockerProvider } from "../../../../src/engine/providers/docker/provider.ts";
import { makeProviders } from "../../../../src/engine/providers/providers.ts";
import type { WorkspaceInput } from "../../../../src/engine/workspaces/workspace-input.ts";
import { makeWorkspaces } from "../../../../src/engine/workspaces/workspaces.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makeEventRows } from "../../../../src/state/events.ts";
import { makeWorkspaceRows } from "../../../../src/state/workspaces.ts";
import { ensureTestImage, TEST_IMAGE } from "../../../fixtures/docker-image.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { freePort, needs, tempDir, until } from "../../../harness.ts";

const docker = makeDockerProvider({ endpoint: { socketPath: "/var/run/docker.sock" }, clock: systemClock });
const owner = `test-${crypto.randomUUID()}`;
const never = new AbortController().signal;
const db = openDatabase(":memory:");
const rows = makeWorkspaceRows(db);
const workspaces = makeWorkspaces({
  rows,
  events: makeEvents({
    events: makeEventRows(db),
    gates: async () => {},
    clock: systemClock,
    newId,
    log: silentLog,
  }),
  providers: makeProviders(() => [docker]),
  defaultProvider: "docker",
  owner,
  hostOf: (server) => server,
  registryAuth: () => undefined,
  redaction: { all: (text) => text },
  isPortFree: isFreeOnLoopback,
  serviceAt: () => undefined,
  clock: systemClock,
  log: silentLog,
});

function make(input: Partial<WorkspaceInput> = {}) {
  return workspaces.create({ name: "shop", image: TEST_IMAGE, start: true, ...input }, () => {});
}

async function inside(...command: string[]): Promise<string> {
  let text = "";
  await workspaces.exec("shop", {
    command,
    stdin: undefined,
    signal: never,
    output: async (_stream, bytes) => void (text += Buffer.from(bytes).toString()),
  });
  return text.trim();
}

function inspect(format: string): string {
  const id = rows.find("shop")?.instance ?? "";
  return Bun.spawnSync(["docker", "inspect", "-f", format, id]).stdout.toString().trim();
}

function outside(...words: string[]): void {
  const { exitCode } = Bun.spawnSync(["docker", ...words, rows.find("shop")?.instance ?? ""]);
  expect(exitCode).toBe(0);
}

async function logLines(query: { lines?: number; follow?: boolean } = {}): Promise<string[]> {
  const lines = workspaces.logs("shop", { follow: false, signal: never, ...query });
  return (await Array.fromAsync(lines)).map(({ text }) => text);
}

describe.skipIf(!needs("docker"))("a workspace on Docker", () => {
  beforeAll(async () => {
    await ensureTestImage();
  });

  afterEach(async () => {
    for (const { name } of rows.list()) await workspaces.destroy(name, true);
    expect(await docker.list(owner)).toEqual([]);
  });

  test("has its ports, environment, limits, volumes and command", async () => {
    await using dir = tempDir();
    writeFileSync(join(dir.path, "hello"), "from the host");
    const [named, numbered] = [freePort(), freePort()];
    const volume = `vx-test-${crypto.randomUUID().slice(0, 8)}`;
    const view = await make({
      ports: { app: named, "8081": numbered },
      env: { GREETING: "good day", QUOTED: `it's "so" $HOME` },
      cpus: 1.5,
      memory: "64m",
      volumes: [`${dir.path}:/host:ro`, `${volume}:/data`],
      command: `sh -c "echo started; httpd -p ${named} -h /host; httpd -f -p 8081 -h /host"`,
    });
    try {
      expect(view).toMatchObject({
        state: "running",
        memoryBytes: 64 * 1024 ** 2,
        cpus: 1.5,
        ports: [
          { key: "8081", inside: 8081, outside: numbered, address: `127.0.0.1:${numbered}` },
          { key: "app", inside: named, outside: named, address: `127.0.0.1:${named}` },
        ],
      });
      for (const port of [named, numbered])
        expect(
          await until(() =>
            fetch(`http://127.0.0.1:${port}/hello`).then(
              (answer) => answer.text(),
              () => undefined,
            ),
          ),
        ).toBe("from the host");
      expect(inspect("{{json .NetworkSettings.Ports}}")).not.toContain("0.0.0.0");
      expect(await inside("sh", "-c", "echo $GREETING")).toBe("good day");
      expect(await inside("sh", "-c", `echo "$QUOTED"`)).toBe(`it's "so" $HOME`);
      expect(inspect("{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}")).toBe(`${64 * 1024 ** 2} 1500000000`);
      expect(await inside("sh", "-c", "echo no > /host/hello 2>&1 || echo refused")).toContain("refused");
      expect(await inside("sh", "-c", "echo kept > /data/file; cat /data/file")).toBe("kept");
      expect(inspect("{{.HostConfig.RestartPolicy.Name}}")).toBe("unless-stopped");
      expect(inspect(`{{index .Config.Labels "voxeltron.workspace"}}`)).toBe("shop");
      expect(inspect(`{{index .Config.Labels "voxeltron.service"}}`)).toBe("");
      expect(await logLines({ lines: 1 })).toEqual(["started"]);
      // The volume outlives the workspace.
      await workspaces.destroy("shop", false);
      await make({ volumes: [`${volume}:/data`] });
      expect(await inside("cat", "/data/file")).toBe("kept");
    } finally {
      await workspaces.destroy("shop", true);
      Bun.spawnSync(["docker", "volume", "rm", volume]);
    }
  }, 60_000);

  test.each(["67108864", "64m", "64M", "64MiB", "0.0625g"])("takes memory as %s", async (memory) => {
    expect(await make({ memory, start: false })).toMatchObject({ memoryBytes: 64 * 1024 ** 2 });
  });

  test("of an image whose command is a shell stays up without a command", async () => {
    expect(await make()).toMatchObject({ state: "running", restarts: 0 });
    expect(await inside("cat", "/proc/1/comm")).not.toBe("");
    await Bun.sleep(1_000);
    expect(await workspaces.info("shop")).toMatchObject({ state: "running", restarts: 0 });
    const began = performance.now();
    await workspaces.stop("shop");
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(await workspaces.start("shop", () => {})).toMatchObject({ state: "running" });
  }, 30_000);

  test("whose command ends at once says so, with what it said, and does not loop", async () => {
    const error = await rejection(make({ command: `sh -c "echo no such file; exit 3"` }));
    expect(error).toMatchObject({
      code: "workspace.exited",
      details: { exitCode: 3, logs: expect.arrayContaining(["no such file"]) },
    });
    expect(await workspaces.info("shop")).toMatchObject({ state: "stopped", desired: "stopped" });
    expect(inspect("{{.State.Status}}")).toBe("exited");
  }, 30_000);

  test("whose port is taken does not start, and says by whom", async () => {
    const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    try {
      const error = await rejection(make({ ports: { app: server.port } }));
      expect(error).toMatchObject({ code: "workspace.port_taken" });
      expect(await workspaces.info("shop")).toMatchObject({ state: "created" });
    } finally {
      server.stop(true);
    }
    expect(await workspaces.start("shop", () => {})).toMatchObject({ state: "running" });
  });

  test("of an image that nobody has leaves nothing", async () => {
    const error = await rejection(make({ image: "127.0.0.1:1/no/such:image" }));
    expect((error as { code: string }).code).toMatch(/^deploy\.(pull_failed|image_not_found)$/);
    expect(rows.list()).toEqual([]);
  }, 30_000);

  test("that was stopped, removed or paused with docker shows it at once, and starts again", async () => {
    const first = await make();
    outside("stop", "-t", "0");
    expect(await workspaces.info("shop")).toMatchObject({ state: "exited", drift: "stopped outside" });
    await workspaces.start("shop", () => {});
    outside("rm", "-f");
    expect(await workspaces.info("shop")).toMatchObject({ state: "missing", drift: "removed outside" });
    expect(await workspaces.start("shop", () => {})).toMatchObject({
      state: "running",
      drift: null,
      instance: first.instance,
    });
    outside("pause");
    expect(await workspaces.info("shop")).toMatchObject({ state: "paused", drift: "paused outside" });
    expect(await workspaces.stop("shop")).toMatchObject({ state: "stopped", drift: null });
    outside("start");
    expect(await workspaces.info("shop")).toMatchObject({ state: "running", drift: "started outside" });
    outside("rm", "-f");
    await workspaces.destroy("shop", false);
    expect(rows.list()).toEqual([]);
  }, 60_000);

  test("does not pass for a service's instance, whatever labels its image brings", async () => {
    const image = `voxeltron-test/labelled:${crypto.randomUUID().slice(0, 8)}`;
    const dockerfile = `FROM ${TEST_IMAGE}\nLABEL voxeltron.service=web voxeltron.version=1\n`;
    expect(
      Bun.spawnSync(["docker", "build", "-q", "-t", image, "-"], { stdin: Buffer.from(dockerfile) }).exitCode,
    ).toBe(0);
    try {
      await make({ image });
      const labels = JSON.parse(inspect("{{json .Config.Labels}}")) as Record<string, string>;
      const name = rows.find("shop")?.instance ?? "";
      expect(originOf({ name, labels, owner })).toEqual({ origin: "other" });
      // The control: it would, with the image's own.
      expect(originOf({ name, labels: { ...labels, "voxeltron.service": "web" }, owner })).toMatchObject({
        origin: "service",
        service: "web",
      });
    } finally {
      await workspaces.destroy("shop", true);
      Bun.spawnSync(["docker", "rmi", image], { stdout: "ignore" });
    }
  }, 60_000);

  test("whose log is looked at, in part and as it grows", async () => {
    const loop = "while sleep 0.1; do test -f /tmp/go && rm /tmp/go && echo it came; done";
    await make({ command: `sh -c 'for i in 1 2 3; do echo line $i; done; echo bad >&2; ${loop}'` });
    await until(async () => (await logLines()).length === 4);
    expect((await logLines()).toSorted()).toEqual(["bad", "line 1", "line 2", "line 3"]);
    expect((await logLines({ lines: 2 })).length).toBe(2);
    expect(await logLines({ lines: 0 })).toEqual([]);
    // Looking took nothing away.
    expect((await logLines()).length).toBe(4);
    const following = new AbortController();
    const stream = workspaces.logs("shop", { follow: true, lines: 1, signal: following.signal });
    await stream.next();
    await inside("touch", "/tmp/go");
    expect((await stream.next()).value).toMatchObject({ text: "it came", stream: "stdout" });
    following.abort();
    await stream.return(undefined);
  }, 30_000);
});
