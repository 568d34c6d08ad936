import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../../../src/base/clock.ts";
import { makeDockerProvider } from "../../../../src/engine/providers/docker/provider.ts";
import type { InstanceSpec, LogPart, WorkContext } from "../../../../src/engine/providers/provider.ts";
import { ensureTestImage, TEST_IMAGE } from "../../../fixtures/docker-image.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { linesOf, linesOfParts } from "../../../fixtures/log-lines.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { freePort, needs, tempDir, until } from "../../../harness.ts";

const docker = makeDockerProvider({
  endpoint: { socketPath: "/var/run/docker.sock" },
  clock: systemClock,
});

const never = new AbortController().signal;
const context: WorkContext = { signal: never, progress: () => {} };
const owner = `test-${crypto.randomUUID()}`;

function spec(command: string, changes: Partial<InstanceSpec> = {}): InstanceSpec {
  return instanceSpec({ owner, image: TEST_IMAGE, command: ["sh", "-c", command], ...changes });
}

async function run(command: string, changes: Partial<InstanceSpec> = {}): Promise<string> {
  const wanted = spec(command, changes);
  await docker.create(wanted, context);
  await docker.start(wanted.id);
  return wanted.id;
}

/** Until the instance has ended. */
function allLines(id: string): Promise<LogPart[]> {
  return Array.fromAsync(linesOf(docker.logs(id, { from: undefined, signal: never })));
}

async function exec(id: string, command: string, stdin?: string) {
  const said = { stdout: "", stderr: "" };
  const code = await docker.exec(id, {
    command: ["sh", "-c", command],
    stdin: stdin === undefined ? undefined : Buffer.from(stdin),
    signal: never,
    output: async (stream, bytes) => void (said[stream] += Buffer.from(bytes).toString()),
  });
  return { code, ...said };
}

describe.skipIf(!needs("docker"))("the docker provider", () => {
  beforeAll(async () => {
    await ensureTestImage();
  });

  afterEach(async () => {
    for (const id of await docker.list(owner)) await docker.destroy(id);
  });

  test("an instance answers on its loopback port, and is found by its owner until it is destroyed", async () => {
    const hostPort = freePort();
    const id = await run("mkdir /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www", {
      port: 80,
      hostPort,
    });
    const body = await until(async () => {
      const response = await fetch(`http://127.0.0.1:${hostPort}/`).catch(() => undefined);
      return response?.text();
    });
    expect(body).toBe("hello\n");
    expect(await docker.status(id)).toMatchObject({ state: "running", restarts: 0 });
    expect(await docker.list(owner)).toEqual([id]);
    expect(await docker.list("someone-else")).toEqual([]);
    await docker.destroy(id);
    await docker.destroy(id);
    expect(await docker.status(id)).toEqual({ state: "missing" });
    expect(await docker.list(owner)).toEqual([]);
  });

  test("two who destroy one instance at once are both content", async () => {
    const id = await run("sleep 60");
    await Promise.all([docker.destroy(id), docker.destroy(id), docker.destroy(id)]);
    expect(await docker.status(id)).toEqual({ state: "missing" });
  });

  test("start and stop may be said twice, and the exit code is told", async () => {
    const id = await run("trap 'exit 7' TERM; while :; do sleep 0.05; done");
    await docker.start(id);
    await until(async () => (await exec(id, "true")).code === 0);
    await docker.stop(id, 5000);
    await docker.stop(id, 5000);
    expect(await docker.status(id)).toMatchObject({ state: "exited", exitCode: 7 });
    await docker.start(id);
    expect(await docker.status(id)).toMatchObject({ state: "running" });
  });

  test("what does not end when asked is made to end", async () => {
    const id = await run("trap '' TERM; while :; do sleep 0.05; done");
    await docker.stop(id, 100);
    expect(await docker.status(id)).toMatchObject({ state: "exited", exitCode: 137 });
  });

  test("a missing instance: stop and destroy are content, start and logs are not", async () => {
    await docker.stop("vx-none-1-00000000", 0);
    await docker.destroy("vx-none-1-00000000");
    const missing = expect.objectContaining({ code: "instance.not_found" });
    expect(await rejection(docker.start("vx-none-1-00000000"))).toEqual(missing);
    expect(await rejection(allLines("vx-none-1-00000000"))).toEqual(missing);
  });

  test("create again after a crash replaces what the first try left behind", async () => {
    const first = spec("echo first");
    await docker.create(first, context);
    await docker.create({ ...first, command: ["echo", "second"] }, context);
    await docker.start(first.id);
    await until(async () => (await docker.status(first.id)).state === "exited");
    expect((await allLines(first.id)).map((line) => line.text)).toEqual(["second"]);
  });

  test("a container of somebody else with the same name is neither replaced nor removed", async () => {
    const wanted = spec("sleep 60");
    const foreign = Bun.spawnSync(["docker", "run", "-d", "--name", wanted.id, TEST_IMAGE, "sleep", "60"]);
    const containerId = foreign.stdout.toString().trim();
    try {
      expect(await rejection(docker.create(wanted, context))).toMatchObject({ code: "provider.failed" });
      await docker.destroy(wanted.id);
      expect(await docker.status(wanted.id)).toMatchObject({ state: "running" });
    } finally {
      Bun.spawnSync(["docker", "rm", "-f", containerId], { stdout: "ignore" });
    }
  });

  test("a port that is taken is named", async () => {
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const wanted = spec("sleep 60", { port: 80, hostPort: taken.port });
    await docker.create(wanted, context);
    expect(await rejection(docker.start(wanted.id))).toMatchObject({
      code: "deploy.port_taken",
      message: expect.stringContaining(`127.0.0.1:${taken.port}`),
    });
    taken.stop(true);
    await docker.start(wanted.id);
    expect(await docker.status(wanted.id)).toMatchObject({ state: "running" });
  });

  test("a command that the image does not have ends at once, and the log names it", async () => {
    const id = await run("", { command: ["no-such-command"] });
    await until(async () => (await docker.status(id)).state === "exited");
    expect(await docker.status(id)).toMatchObject({ exitCode: 127 });
    expect((await allLines(id))[0]?.text).toContain("no-such-command");
  });

  test("limits hold, and what eats too much memory is told so", async () => {
    const id = await run("sleep 0.2; exec tail /dev/zero", { memoryBytes: 16 * 1024 * 1024, cpus: 0.5 });
    await until(async () => (await docker.status(id)).state === "exited", { timeoutMs: 10_000 });
    expect(await docker.status(id)).toMatchObject({ detail: "out of memory", exitCode: 137 });
  });

  test("a crash is restarted by the engine and counted", async () => {
    const id = await run("exit 3", { restart: "always" });
    const status = await until(async () => {
      const now = await docker.status(id);
      return (now.restarts ?? 0) >= 2 ? now : undefined;
    });
    expect(["restarting", "running"]).toContain(status.state);
  });

  test("a volume with a name outlives the instance, one without does not", async () => {
    const source = `vx-test-${crypto.randomUUID()}`;
    const volumes = [{ source, target: "/data", readOnly: false }];
    try {
      const writer = await run("echo kept > /data/file", { volumes });
      await until(async () => (await docker.status(writer)).state === "exited");
      await docker.destroy(writer);
      const reader = await run("cat /data/file", { volumes });
      expect((await allLines(reader)).map((line) => line.text)).toEqual(["kept"]);
    } finally {
      for (const id of await docker.list(owner)) await docker.destroy(id);
      Bun.spawnSync(["docker", "volume", "rm", source], { stdout: "ignore" });
    }
  });

  test("a folder of the host is mounted as it is, and one that is not there is named", async () => {
    await using dir = tempDir();
    await Bun.write(`${dir.path}/file`, "from the host");
    const volumes = [{ source: dir.path, target: "/data", readOnly: true }];
    const id = await run("cat /data/file; echo x > /data/new", { volumes });
    const lines = await allLines(id);
    expect(lines.map((line) => line.text)).toContain("from the host");
    expect(await Bun.file(`${dir.path}/new`).exists()).toBe(false);
    const missing = [{ source: `${dir.path}/none`, target: "/data", readOnly: true }];
    expect(await rejection(docker.create(spec("true", { volumes: missing }), context))).toMatchObject({
      code: "service.invalid",
      message: expect.stringContaining(`${dir.path}/none`),
    });
  });

  test("the log of an instance that ended: both streams, and the rest of it from each place", async () => {
    const id = await run("for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.05; done");
    await until(async () => (await docker.status(id)).state === "exited");
    const lines = await allLines(id);
    expect(lines.filter((line) => line.stream === "stdout").map((line) => line.text)).toEqual([
      "out 1",
      "out 2",
      "out 3",
    ]);
    expect(lines.filter((line) => line.stream === "stderr").map((line) => line.text)).toEqual([
      "err 1",
      "err 2",
      "err 3",
    ]);
    const written = lines.map(({ text }) => text);
    for await (const { parts, position } of docker.logs(id, { from: undefined, signal: never })) {
      const before = linesOfParts(parts).map(({ text }) => text);
      const rest = await Array.fromAsync(linesOf(docker.logs(id, { from: position, signal: never })));
      expect([...before, ...rest.map(({ text }) => text)]).toEqual(written);
      break;
    }
  });

  test("a long line comes in one piece", async () => {
    const id = await run("head -c 100000 /dev/zero | tr '\\0' x; echo; echo after");
    const lines = await allLines(id);
    expect(lines.map((line) => line.text.length)).toEqual([100_000, 5]);
  });

  test("a follower sees lines as they are written, over restarts, once each, until its signal", async () => {
    const id = await run(
      "n=$(cat /n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /n; echo run $n; sleep 0.1; exit 1",
      {
        restart: "always",
      },
    );
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const line of linesOf(docker.logs(id, { from: undefined, signal: controller.signal }))) {
      seen.push(line.text);
      if (seen.length === 3) controller.abort();
    }
    expect(seen).toEqual(["run 1", "run 2", "run 3"]);
  });

  test("a follower of a silent instance ends at its signal", async () => {
    const id = await run("exec sleep 60");
    const controller = new AbortController();
    const reading = Array.fromAsync(docker.logs(id, { from: undefined, signal: controller.signal }));
    queueMicrotask(() => controller.abort());
    expect(await reading).toEqual([]);
  });

  test("exec: exit code, both streams, stdin", async () => {
    const id = await run("exec sleep 60");
    expect(await exec(id, "echo out; echo err >&2; exit 5")).toEqual({
      code: 5,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(await exec(id, "wc -c", "x".repeat(300_000))).toEqual({ code: 0, stdout: "300000\n", stderr: "" });
    expect(await exec(id, "cat")).toEqual({ code: 0, stdout: "", stderr: "" });
    const command = ["no-such-command"];
    expect(await docker.exec(id, { command, stdin: undefined, signal: never, output: async () => {} })).toBe(
      126,
    );
  });

  test("exec in an instance that does not run says so", async () => {
    const wanted = spec("sleep 60");
    await docker.create(wanted, context);
    expect(await rejection(exec(wanted.id, "true"))).toMatchObject({ code: "service.stopped" });
  });

  test("a command whose caller went away is killed", async () => {
    const id = await run("exec sleep 60");
    const controller = new AbortController();
    const running = docker.exec(id, {
      command: ["sh", "-c", "echo begun; exec sleep 987"],
      stdin: undefined,
      signal: controller.signal,
      output: async () => controller.abort(new Error("gone")),
    });
    expect(await rejection(running)).toEqual(new Error("gone"));
    await until(async () => !(await exec(id, "ps")).stdout.includes("sleep 987"));
  });

  test("an image that nobody has is named", async () => {
    const image = "127.0.0.1:1/none/such:1";
    expect(await rejection(docker.create(spec("true", { image }), context))).toMatchObject({
      code: "deploy.image_not_found",
      message: expect.stringContaining(image),
    });
    expect(await rejection(docker.prepare(spec("true", { image }), context))).toMatchObject({
      code: "deploy.pull_failed",
    });
    expect(await rejection(docker.prepare(spec("true", { image: "Not An Image" }), context))).toMatchObject({
      code: "service.invalid",
    });
  });

  test("an image that is there is not pulled, and is named exactly", async () => {
    const said: string[] = [];
    const name = await docker.prepare(spec("true"), { signal: never, progress: (text) => said.push(text) });
    expect(name).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(said).toEqual([`using ${TEST_IMAGE} as the engine has it`]);
    await docker.create(spec("true", { image: name }), context);
  });

  test("an instance outlives the process that made it", async () => {
    const wanted = spec("exec sleep 60");
    const maker = `
      import { makeDockerProvider } from ${JSON.stringify(import.meta.resolve("../../../../src/engine/providers/docker/provider.ts"))};
      import { systemClock } from ${JSON.stringify(import.meta.resolve("../../../../src/base/clock.ts"))};
      const docker = makeDockerProvider({ endpoint: { socketPath: "/var/run/docker.sock" }, clock: systemClock });
      const spec = JSON.parse(process.argv[1]);
      await docker.create(spec, { signal: new AbortController().signal, progress() {} });
      await docker.start(spec.id);
      console.log("started");
      await Bun.sleep(60_000);
    `;
    await using dir = tempDir();
    await Bun.write(`${dir.path}/maker.ts`, maker.replace("process.argv[1]", "process.argv[2]"));
    const child = Bun.spawn([process.execPath, `${dir.path}/maker.ts`, JSON.stringify(wanted)], {
      stderr: "inherit",
    });
    for await (const chunk of child.stdout) if (Buffer.from(chunk).includes("started")) break;
    child.kill("SIGKILL");
    await child.exited;
    expect(await docker.list(owner)).toEqual([wanted.id]);
    expect(await docker.status(wanted.id)).toMatchObject({ state: "running" });
  });
});

test("an engine that is not there is told by its address", async () => {
  const nowhere = makeDockerProvider({
    endpoint: { socketPath: "/nonexistent/docker.sock" },
    clock: systemClock,
  });
  expect(await rejection(nowhere.status("vx-1"))).toMatchObject({
    code: "provider.unavailable",
    message: expect.stringContaining("/nonexistent/docker.sock"),
  });
  expect(await rejection(nowhere.prepare(spec("true"), context))).toMatchObject({
    code: "provider.unavailable",
  });
});

test("an engine that hangs is given up", async () => {
  await using dir = tempDir();
  const hanging = Bun.listen({ unix: `${dir.path}/docker.sock`, socket: { data() {} } });
  const hasty = { ...systemClock, after: (_ms: number, task: () => void) => systemClock.after(50, task) };
  const docker = makeDockerProvider({ endpoint: { socketPath: `${dir.path}/docker.sock` }, clock: hasty });
  expect(await rejection(docker.status("vx-1"))).toMatchObject({ code: "provider.unavailable" });
  hanging.stop(true);
});
