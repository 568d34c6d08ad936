import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { systemClock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeProcessTable } from "../../../../src/engine/providers/process/process-table.ts";
import {
  makeProcessProvider,
  type ProcessProvider,
} from "../../../../src/engine/providers/process/provider.ts";
import type { InstanceSpec, LogPart, WorkContext } from "../../../../src/engine/providers/provider.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { linesOf } from "../../../fixtures/log-lines.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { needs, tempDir, until } from "../../../harness.ts";

const never = new AbortController().signal;
const context: WorkContext = { signal: never, progress: () => {} };
const table = makeProcessTable();

describe.skipIf(!needs("linux"))("the process provider", () => {
  let dir: ReturnType<typeof tempDir>;
  let provider: ProcessProvider;

  beforeEach(() => {
    dir = tempDir();
    provider = open();
  });

  afterEach(async () => {
    for (const id of await provider.list("test-owner")) await provider.destroy(id);
    provider.close();
    await dir[Symbol.asyncDispose]();
  });

  function open(changes: Partial<Parameters<typeof makeProcessProvider>[0]> = {}): ProcessProvider {
    return makeProcessProvider({
      root: `${dir.path}/instances`,
      clock: systemClock,
      log: silentLog,
      ...changes,
    });
  }

  function spec(command: string | undefined, changes: Partial<InstanceSpec> = {}): InstanceSpec {
    const words = command === undefined ? undefined : ["sh", "-c", command];
    return instanceSpec({ directory: folder(), command: words, ...changes });
  }

  function folder(files: Record<string, string> = {}): string {
    const path = `${dir.path}/upload`;
    if (!existsSync(path)) Bun.spawnSync(["mkdir", path]);
    for (const [name, text] of Object.entries(files)) writeFileSync(`${path}/${name}`, text);
    return path;
  }

  async function run(command: string | undefined, changes: Partial<InstanceSpec> = {}): Promise<string> {
    const wanted = spec(command, changes);
    await provider.create(wanted, context);
    await provider.start(wanted.id);
    return wanted.id;
  }

  /** Until the instance has ended. */
  function lines(id: string): Promise<LogPart[]> {
    return Array.fromAsync(linesOf(provider.logs(id, { from: undefined, signal: never })));
  }

  const texts = async (id: string) => (await lines(id)).map((line) => line.text);
  const state = async (id: string) => (await provider.status(id)).state;
  const exited = (id: string) => until(async () => (await state(id)) === "exited");
  const members = (id: string) =>
    table.members({
      environment: `VOXELTRON_INSTANCE=${id}`,
      session: undefined,
      folder: `${dir.path}/instances/${id}/app`,
    });

  test("a folder with an index.ts needs no other runtime: it answers at its port until it is destroyed", async () => {
    const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { port: hostPort } = probe;
    probe.stop(true);
    const server =
      "Bun.serve({ port: Number(process.env.PORT), fetch: () => new Response(process.env.GREETING) });";
    const id = await run(undefined, {
      directory: folder({ "index.ts": `const x: number = 1; ${server}` }),
      env: { GREETING: "hello" },
      port: 80,
      hostPort,
    });
    const body = await until(() =>
      fetch(`http://127.0.0.1:${hostPort}/`).then(
        (answer) => answer.text(),
        () => undefined,
      ),
    );
    expect(body).toBe("hello");
    expect(await provider.status(id)).toMatchObject({ state: "running", restarts: 0 });
    expect(await provider.list("test-owner")).toEqual([id]);
    expect(await provider.list("someone-else")).toEqual([]);
    await provider.destroy(id);
    await provider.destroy(id);
    expect(await provider.status(id)).toEqual({ state: "missing" });
    expect(await members(id)).toEqual([]);
    expect(readdirSync(`${dir.path}/instances`)).toEqual([]);
  });

  test("a start script of a package is run", async () => {
    const files = {
      "package.json": '{"scripts":{"start":"bun hi.ts"}}',
      "hi.ts": "console.log('hi', process.argv0)",
    };
    const id = await run(undefined, { directory: folder(files) });
    await exited(id);
    expect((await texts(id)).some((text) => text.startsWith("hi"))).toBe(true);
  });

  test("the program is a copy with its modes and links, and its environment holds nothing of the daemon's", async () => {
    const directory = folder({ tool: "#!/bin/sh\npwd\nenv\n", data: "x" });
    chmodSync(`${directory}/tool`, 0o755);
    symlinkSync("data", `${directory}/link`);
    const id = await run(undefined, { directory, command: ["./tool"], env: { A: "1" } });
    const app = `${dir.path}/instances/${id}/app`;
    const found = await texts(id);
    expect(found[0]).toBe(app);
    const names = found.slice(1).map((line) => line.split("=")[0]);
    const shellsOwn = ["PWD", "OLDPWD", "SHLVL", "_"];
    const given = new Set(names.filter((name) => !shellsOwn.includes(name ?? "")));
    expect(given).toEqual(new Set(["A", "HOME", "PATH", "VOXELTRON_INSTANCE"]));
    expect(readFileSync(`${app}/link`, "utf8")).toBe("x");
    expect(existsSync(`${directory}/tool`)).toBe(true);
  });

  test("what is stored of an instance is closed to others", async () => {
    const id = await run("true", { env: { PASSWORD: "secret" } });
    expect(statSync(`${dir.path}/instances`).mode & 0o077).toBe(0);
    expect(statSync(`${dir.path}/instances/${id}/spec.json`).mode & 0o077).toBe(0);
  });

  test("descriptors of the daemon do not reach the process", async () => {
    const id = await run("exec ls -l /proc/self/fd");
    const fds = (await texts(id)).filter((line) => line.includes("->")).map((line) => line.split(" -> ")[1]);
    expect(
      fds.filter((target) => !/^\/dev\/null|\/logs\/std(out|err)\.0\.log$|\/fd$/.test(target ?? "")),
    ).toEqual([]);
  });

  test("exit code and both streams are kept", async () => {
    const id = await run("echo out; echo err >&2; exit 7");
    await exited(id);
    expect(await provider.status(id)).toMatchObject({ state: "exited", exitCode: 7 });
    const found = await lines(id);
    const said = new Set(found.map(({ stream, text }) => `${stream} ${text}`));
    expect(said).toEqual(new Set(["stderr err", "stdout out"]));
    expect(found[0]?.atMs).toBeGreaterThan(Date.now() - 60_000);
  });

  test("stop asks the whole group, start and stop may be said twice", async () => {
    const id = await run(
      "trap 'echo bye; exit 5' TERM; sh -c \"trap 'echo child; exit' TERM; echo up; while :; do sleep 0.02; done\" & while :; do sleep 0.02; done",
    );
    for await (const { text } of linesOf(provider.logs(id, { from: undefined, signal: never }))) {
      expect(text).toBe("up");
      break;
    }
    await provider.start(id);
    await provider.stop(id, 5000);
    await provider.stop(id, 5000);
    expect(await provider.status(id)).toMatchObject({ state: "exited", exitCode: 5 });
    const said = (await lines(id)).filter((line) => line.stream === "stdout").map((line) => line.text);
    expect(new Set(said)).toEqual(new Set(["up", "child", "bye"]));
    expect(await members(id)).toEqual([]);
    await provider.start(id);
    expect(await state(id)).toBe("running");
  });

  test("what ignores the request is made to end, and so are children that left the group or their environment", async () => {
    const id = await run(
      "trap '' TERM; setsid sleep 1000 & env -i setsid sleep 1001 & env -i sleep 1002 & echo up; while :; do sleep 0.02; done",
    );
    await until(async () => (await members(id)).length >= 4);
    const all = await members(id);
    await provider.stop(id, 50);
    expect(await provider.status(id)).toMatchObject({ state: "exited", exitCode: 137 });
    await until(() => all.every((pid) => table.identify(pid) === undefined));
  });

  test("children that outlive their parent are ended with it, even without the mark", async () => {
    const id = await run("env -i sleep 1003 & sleep 1004 & echo $!; exit 0");
    await exited(id);
    const sleeper = Number((await texts(id))[0]);
    expect(table.identify(sleeper)).toBeUndefined();
    expect(await members(id)).toEqual([]);
  });

  test("destroy ends everything without asking", async () => {
    const id = await run("trap '' TERM; setsid sleep 1000 & while :; do sleep 0.02; done");
    await until(async () => (await members(id)).length >= 2);
    await provider.destroy(id);
    expect(await members(id)).toEqual([]);
    expect(await state(id)).toBe("missing");
  });

  test("a missing instance: stop and destroy are content, start, logs and exec are not", async () => {
    const id = "vx-none-1-00000000";
    await provider.stop(id, 0);
    await provider.destroy(id);
    expect(await state(id)).toBe("missing");
    const exec = { command: ["true"], stdin: undefined, signal: never, output: async () => {} };
    for (const doing of [provider.start(id), lines(id), provider.exec(id, exec)]) {
      expect(await rejection(doing)).toMatchObject({ code: "instance.not_found" });
    }
    expect(await rejection(provider.destroy("../../etc"))).toMatchObject({ code: "instance.not_found" });
  });

  test("create again after a crash replaces what the first try left behind, running or half made", async () => {
    const first = spec("echo first; exec sleep 1000");
    await provider.create(first, context);
    await provider.start(first.id);
    await provider.create({ ...first, command: ["echo", "second"] }, context);
    expect(await members(first.id)).toEqual([]);
    expect(await state(first.id)).toBe("created");
    await provider.start(first.id);
    expect(await texts(first.id)).toEqual(["second"]);

    const half = `${dir.path}/instances/${first.id}`;
    Bun.spawnSync(["rm", `${half}/state.json`]);
    const next = open();
    expect((await next.status(first.id)).state).toBe("missing");
    expect(await next.list("test-owner")).toEqual([first.id]);
    await next.create({ ...first, command: ["echo", "third"] }, context);
    expect((await next.status(first.id)).state).toBe("created");
    next.close();
  });

  test("the exact name of a folder follows its content", async () => {
    const wanted = spec(undefined, { directory: folder({ "index.ts": "1" }) });
    const name = await provider.prepare(wanted, context);
    expect(name).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await provider.prepare(wanted, context)).toBe(name);
    folder({ "index.ts": "2" });
    expect(await provider.prepare(wanted, context)).not.toBe(name);
  });

  test("a folder that is not there or has nothing to run is refused before anything is made", async () => {
    const none = spec(undefined, { directory: `${dir.path}/none` });
    expect(await rejection(provider.prepare(none, context))).toMatchObject({ code: "service.invalid" });
    expect(await rejection(provider.prepare(spec(undefined), context))).toMatchObject({
      code: "service.invalid",
    });
    expect(existsSync(`${dir.path}/instances`)).toBe(false);
  });

  test("a program that can't be started says why and leaves nothing running", async () => {
    const directory = folder({ tool: "#!/no/such/interpreter\n" });
    chmodSync(`${directory}/tool`, 0o755);
    const wanted = spec(undefined, { directory, command: ["tool"], restart: "always" });
    await provider.create(wanted, context);
    expect(await rejection(provider.start(wanted.id))).toMatchObject({ code: "service.invalid" });
    expect(await state(wanted.id)).toBe("exited");
  });

  test("exec: exit code, both streams, stdin, the service's folder and environment", async () => {
    const id = await run("exec sleep 1000", { env: { A: "1" } });
    const said = { stdout: "", stderr: "" };
    const exec = (command: string, stdin?: string) =>
      provider.exec(id, {
        command: ["sh", "-c", command],
        stdin: stdin === undefined ? undefined : Buffer.from(stdin),
        signal: never,
        output: async (stream, bytes) => void (said[stream] += Buffer.from(bytes).toString()),
      });
    expect(await exec("cat; echo $A; pwd; echo err >&2; exit 4", "in ")).toBe(4);
    expect(said).toEqual({ stdout: `in 1\n${dir.path}/instances/${id}/app\n`, stderr: "err\n" });
    expect(await exec("cat")).toBe(0);
    const missing = { command: ["no-such"], stdin: undefined, signal: never, output: async () => {} };
    expect(await rejection(provider.exec(id, missing))).toMatchObject({ code: "service.invalid" });
    await provider.stop(id, 100);
    expect(await rejection(exec("true"))).toMatchObject({ code: "service.stopped" });
  });

  test("a command whose caller went away is killed", async () => {
    const id = await run("exec sleep 1000");
    const controller = new AbortController();
    const running = provider.exec(id, {
      command: ["sh", "-c", "sleep 1005 & echo begun; wait"],
      stdin: undefined,
      signal: controller.signal,
      output: async () => controller.abort(new Error("gone")),
    });
    expect(await rejection(running)).toEqual(new Error("gone"));
    await until(async () => (await members(id)).length === 1);
  });

  test("a follower sees lines as they are written, until its signal or the end", async () => {
    const id = await run("echo a; while [ ! -e go ]; do sleep 0.02; done; echo b; exec sleep 1000");
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const line of linesOf(provider.logs(id, { from: undefined, signal: controller.signal }))) {
      seen.push(line.text);
      if (line.text === "a") writeFileSync(`${dir.path}/instances/${id}/app/go`, "");
      else controller.abort();
    }
    expect(seen).toEqual(["a", "b"]);
    const rest = lines(id);
    await provider.destroy(id);
    expect((await rest).length).toBeLessThanOrEqual(2);
  });

  test("secrets are asked for at each start and by exec, and are in none of the instance's files", async () => {
    let password = "hunter22";
    provider.close();
    provider = open({ secretsOf: (service) => ({ PASSWORD: password, OF: service }) });
    const id = await run('[ "$PASSWORD" = hunter22 ] && echo "old of $OF" || echo new; exec sleep 1000');
    const said: string[] = [];
    const hear = async (count: number): Promise<void> => {
      said.length = 0;
      for await (const { text } of linesOf(provider.logs(id, { from: undefined, signal: never }))) {
        if (said.push(text) === count) break;
      }
    };
    await hear(1);
    password = "swordfish";
    await provider.stop(id, 100);
    await provider.start(id);
    await hear(2);
    expect(said).toEqual(["old of web", "new"]);
    let out = "";
    await provider.exec(id, {
      command: ["sh", "-c", "echo $PASSWORD"],
      stdin: undefined,
      signal: never,
      output: async (_, bytes) => void (out += Buffer.from(bytes).toString()),
    });
    expect(out).toBe("swordfish\n");
    const found = Bun.spawnSync(["grep", "-rlE", "hunter22|swordfish", `${dir.path}/instances/${id}`]);
    // The command itself holds the first one, which shows that the search finds it.
    expect(found.stdout.toString()).toBe(`${dir.path}/instances/${id}/spec.json\n`);
    expect(readFileSync(`${dir.path}/instances/${id}/spec.json`, "utf8")).not.toContain("swordfish");
  });

  test("an instance whose secrets can't be had is not started without them", async () => {
    provider.close();
    provider = open({
      secretsOf: () => {
        throw new Error("no key");
      },
    });
    const wanted = spec("exec sleep 1000");
    await provider.create(wanted, context);
    expect(await rejection(provider.start(wanted.id))).toEqual(new Error("no key"));
    expect(await members(wanted.id)).toEqual([]);
  });
});
