import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { systemClock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { launchDetached } from "../../../../src/engine/providers/process/launch.ts";
import { makeProcessTable } from "../../../../src/engine/providers/process/process-table.ts";
import {
  makeProcessProvider,
  type ProcessProvider,
} from "../../../../src/engine/providers/process/provider.ts";
import type { InstanceSpec, WorkContext } from "../../../../src/engine/providers/provider.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { linesOf } from "../../../fixtures/log-lines.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, needs, tempDir, until } from "../../../harness.ts";

const never = new AbortController().signal;
const context: WorkContext = { signal: never, progress: () => {} };
const table = makeProcessTable();

interface Stored {
  desired: string;
  main: { pid: number; startTicks: number; bootId: string } | null;
  startedAt: string | null;
  exit: { code: number | null; at: string } | null;
  restarts: number;
  crashes: number;
}

describe.skipIf(!needs("linux"))("supervision of processes", () => {
  let dir: ReturnType<typeof tempDir>;
  const opened: ProcessProvider[] = [];

  beforeEach(() => {
    dir = tempDir();
    mkdirSync(`${dir.path}/upload`);
  });

  afterEach(async () => {
    for (const provider of opened.splice(0)) provider.close();
    const cleaner = open();
    for (const id of await cleaner.list("test-owner")) await cleaner.destroy(id);
    cleaner.close();
    await dir[Symbol.asyncDispose]();
  });

  function open(changes: Partial<Parameters<typeof makeProcessProvider>[0]> = {}): ProcessProvider {
    const provider = makeProcessProvider({
      root: `${dir.path}/instances`,
      clock: systemClock,
      log: silentLog,
      ...changes,
    });
    opened.push(provider);
    return provider;
  }

  function spec(command: string, changes: Partial<InstanceSpec> = {}): InstanceSpec {
    return instanceSpec({ directory: `${dir.path}/upload`, command: ["sh", "-c", command], ...changes });
  }

  async function run(provider: ProcessProvider, command: string, changes: Partial<InstanceSpec> = {}) {
    const wanted = spec(command, changes);
    await provider.create(wanted, context);
    await provider.start(wanted.id);
    return wanted.id;
  }

  const stateFile = (id: string) => `${dir.path}/instances/${id}/state.json`;
  const stored = (id: string) => JSON.parse(readFileSync(stateFile(id), "utf8")) as Stored;
  const store = (id: string, changes: Partial<Stored>) =>
    writeFileSync(stateFile(id), JSON.stringify({ ...stored(id), ...changes }));
  const members = (id: string) =>
    table.members({
      environment: `VOXELTRON_INSTANCE=${id}`,
      session: undefined,
      folder: `${dir.path}/instances/${id}/app`,
    });
  const inState = (provider: ProcessProvider, id: string, wanted: string) =>
    until(async () => (await provider.status(id)).state === wanted, { what: wanted });

  /** A daemon that starts one instance and is then killed as hard as can be. */
  async function startAndDie(wanted: InstanceSpec): Promise<void> {
    const script = `
      import { makeProcessProvider } from ${JSON.stringify(import.meta.resolve("../../../../src/engine/providers/process/provider.ts"))};
      import { systemClock } from ${JSON.stringify(import.meta.resolve("../../../../src/base/clock.ts"))};
      import { silentLog } from ${JSON.stringify(import.meta.resolve("../../../../src/base/log.ts"))};
      const provider = makeProcessProvider({ root: process.argv[2], clock: systemClock, log: silentLog });
      await provider.supervise();
      const spec = JSON.parse(process.argv[3]);
      await provider.create(spec, { signal: new AbortController().signal, progress() {} });
      await provider.start(spec.id);
      console.log("started");
      await Bun.sleep(60_000);
    `;
    await Bun.write(`${dir.path}/daemon.ts`, script);
    const child = Bun.spawn(
      [process.execPath, `${dir.path}/daemon.ts`, `${dir.path}/instances`, JSON.stringify(wanted)],
      { stderr: "inherit", detached: true },
    );
    for await (const chunk of child.stdout) if (Buffer.from(chunk).includes("started")) break;
    // First the whole group, as a service manager or a terminal would; then the certain way.
    process.kill(-child.pid, "SIGTERM");
    child.kill("SIGKILL");
    await child.exited;
  }

  test("an instance outlives a killed daemon; the next one finds it, its log goes on, and stop works", async () => {
    const wanted = spec("i=0; while :; do i=$((i+1)); echo line $i; sleep 0.005; done", {
      restart: "always",
    });
    await startAndDie(wanted);
    const [pid] = await members(wanted.id);
    expect(pid).toBeDefined();

    const next = open();
    await next.supervise();
    expect(await next.list("test-owner")).toEqual([wanted.id]);
    expect(await next.status(wanted.id)).toMatchObject({ state: "running", restarts: 0 });
    expect(stored(wanted.id).main?.pid).toBe(pid ?? 0);
    const seen: string[] = [];
    for await (const line of linesOf(next.logs(wanted.id, { from: undefined, signal: never }))) {
      seen.push(line.text);
      if (seen.length === 100) break;
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => `line ${index + 1}`));
    await next.start(wanted.id);
    expect((await members(wanted.id)).filter((member) => member === pid)).toHaveLength(1);
    await next.stop(wanted.id, 2000);
    expect(await members(wanted.id)).toEqual([]);
    expect(await next.status(wanted.id)).toMatchObject({ state: "exited" });
    expect(await next.status(wanted.id)).not.toHaveProperty("exitCode");
  });

  test("what ended while no daemon was there has no exit code, and is started again where the policy says so", async () => {
    const once = spec("while [ ! -e ../end ]; do sleep 0.02; done; exit 3");
    const always = spec("while [ ! -e ../end ]; do sleep 0.02; done; exec sleep 1000", { restart: "always" });
    for (const wanted of [once, always]) {
      await startAndDie(wanted);
      writeFileSync(`${dir.path}/instances/${wanted.id}/end`, "");
    }
    await until(async () => (await members(once.id)).length === 0);
    for (const pid of await members(always.id)) table.signal(pid, "SIGKILL");
    await until(async () => (await members(always.id)).length === 0);
    const next = open();
    await next.supervise();
    expect(await next.status(once.id)).toMatchObject({
      state: "exited",
      detail: expect.stringContaining("unknown"),
    });
    expect(await next.status(once.id)).not.toHaveProperty("exitCode");
    await inState(next, always.id, "running");
    expect(await next.status(always.id)).toMatchObject({ restarts: 1 });
  });

  test("an adopted instance that ends is noticed", async () => {
    const wanted = spec("while [ ! -e ../end ]; do sleep 0.02; done");
    await startAndDie(wanted);
    const next = open();
    await next.supervise();
    expect(await next.status(wanted.id)).toMatchObject({ state: "running" });
    writeFileSync(`${dir.path}/instances/${wanted.id}/end`, "");
    await inState(next, wanted.id, "exited");
    await until(() => stored(wanted.id).exit !== null);
    expect(stored(wanted.id)).toMatchObject({ main: null, exit: { code: null } });
  });

  test("a process that was started but never written down is ended, and started anew", async () => {
    const first = open();
    const id = await run(first, "echo up; exec sleep 1000", { restart: "always" });
    const [orphan] = await members(id);
    first.close();
    // As a kill between the start and the second writing leaves it.
    store(id, { main: null });
    const next = open();
    await next.supervise();
    const now = await members(id);
    expect(now).toHaveLength(1);
    expect(now[0]).not.toBe(orphan);
    expect(stored(id).main?.pid).toBe(now[0] ?? 0);
    store(id, { main: null });
    const third = open();
    await third.destroy(id);
    expect(await members(id)).toEqual([]);
  });

  test("a pid that somebody else has by now is neither taken for ours nor touched", async () => {
    const stranger = Bun.spawn(["sleep", "1000"], { env: {}, detached: true });
    try {
      const identity = table.identify(stranger.pid);
      const first = open();
      const id = await run(first, "true");
      await inState(first, id, "exited");
      first.close();
      const changed = [
        { ...identity, startTicks: (identity?.startTicks ?? 0) - 1 },
        { ...identity, bootId: "00000000-0000-0000-0000-000000000000" },
      ] as NonNullable<Stored["main"]>[];
      for (const main of changed) {
        store(id, { desired: "running", main, exit: null });
        const next = open();
        expect((await next.status(id)).state).toBe("exited");
        await next.supervise();
        expect((await next.status(id)).state).toBe("exited");
        store(id, { desired: "running", main, exit: null });
        const last = open();
        await last.stop(id, 50);
        expect(stranger.exitCode).toBeNull();
        expect(stranger.signalCode).toBeNull();
      }
      await open().destroy(id);
      expect(table.identify(stranger.pid)).toEqual(identity);
    } finally {
      stranger.kill("SIGKILL");
      await stranger.exited;
    }
  });

  test("after the machine was started anew, what should run is started again", async () => {
    const first = open();
    const id = await run(first, "exec sleep 1000", { restart: "always" });
    const stopped = await run(first, "exec sleep 1000", { restart: "always" });
    await first.stop(stopped, 100);
    first.close();
    for (const pid of await members(id)) table.signal(pid, "SIGKILL");
    await until(async () => (await members(id)).length === 0);
    store(id, { main: { ...(stored(id).main ?? { pid: 1, startTicks: 1 }), bootId: "another boot" } });
    const next = open();
    await next.supervise();
    expect(await next.status(id)).toMatchObject({ state: "running" });
    expect(await next.status(stopped)).toMatchObject({ state: "exited" });
  });

  test("a crash loop backs off, doubling, and says so; a good run starts over", async () => {
    const clock = fakeClock();
    let launches = 0;
    const ends: ((code: number) => void)[] = [];
    const provider = open({
      clock,
      launch: () => {
        launches++;
        const { promise, resolve } = Promise.withResolvers<number>();
        ends.push(resolve);
        return { pid: 2 ** 22 + 1, exited: promise };
      },
    });
    await provider.supervise();
    const id = await run(provider, "unused", { restart: "on-failure" });
    for (const [crash, delayMs] of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000].entries()) {
      ends.at(-1)?.(1);
      await inState(provider, id, "restarting");
      expect(await provider.status(id)).toMatchObject({
        exitCode: 1,
        restarts: crash,
        detail: `is started again in ${delayMs / 1000} s`,
      });
      await clock.advance(delayMs - 1);
      expect(launches).toBe(crash + 1);
      await clock.advance(1);
      await inState(provider, id, "running");
      expect(launches).toBe(crash + 2);
    }
    await clock.advance(60_000);
    ends.at(-1)?.(1);
    await inState(provider, id, "restarting");
    expect((await provider.status(id)).detail).toBe("is started again in 1 s");
    await clock.advance(1000);
    await inState(provider, id, "running");
    ends.at(-1)?.(0);
    await inState(provider, id, "exited");
    expect(await provider.status(id)).toMatchObject({ exitCode: 0, restarts: 9 });
  });

  test("a program that has gone is tried less and less often, too", async () => {
    const clock = fakeClock();
    const end = Promise.withResolvers<number>();
    const provider = open({ clock, launch: () => ({ pid: 2 ** 22 + 1, exited: end.promise }) });
    writeFileSync(`${dir.path}/upload/tool`, "", { mode: 0o755 });
    const id = await run(provider, "", { command: ["./tool"], restart: "always" });
    await Bun.file(`${dir.path}/instances/${id}/app/tool`).delete();
    end.resolve(1);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
      const detail = `is started again in ${seconds} s`;
      await until(async () => (await provider.status(id)).detail === detail, { what: detail });
      const { restarts = 0 } = await provider.status(id);
      await clock.advance(seconds * 1000);
      await until(async () => (await provider.status(id)).restarts === restarts + 1);
    }
  });

  test("stopping a crash loop ends it", async () => {
    const clock = fakeClock();
    const launches: Promise<number>[] = [];
    const provider = open({
      clock,
      launch: (plan, output) => {
        const child = launchDetached(plan, output);
        launches.push(child.exited);
        return child;
      },
    });
    const id = await run(provider, "exit 1", { restart: "always" });
    await inState(provider, id, "restarting");
    await provider.stop(id, 0);
    await clock.advance(120_000);
    expect(launches).toHaveLength(1);
    expect(await provider.status(id)).toMatchObject({ state: "exited", exitCode: 1 });
  });

  test("a real crash is restarted, and a program that has gone is tried again", async () => {
    const provider = open();
    await provider.supervise();
    const id = await run(provider, "echo run; exit 1", { restart: "always" });
    await until(async () => ((await provider.status(id)).restarts ?? 0) >= 1);
    const wanted = spec("unused", { command: ["./tool"], restart: "always" });
    writeFileSync(`${dir.path}/upload/tool`, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    await provider.create(wanted, context);
    await provider.start(wanted.id);
    const tool = `${dir.path}/instances/${wanted.id}/app/tool`;
    await Bun.file(tool).delete();
    await until(() => stored(wanted.id).crashes >= 2);
    await inState(provider, wanted.id, "restarting");
  });

  test("a daemon that closes takes nothing along and restarts nothing", async () => {
    const provider = open();
    await provider.supervise();
    const id = await run(provider, "exec sleep 1000", { restart: "always" });
    provider.close();
    const [pid] = await members(id);
    table.signal(pid ?? 0, "SIGKILL");
    await until(async () => (await members(id)).length === 0);
    expect(stored(id).exit).toBeNull();
  });

  test("what was read of the log is given back to the disk while it is written, and a follower misses nothing", async () => {
    const clock = {
      ...systemClock,
      after: (ms: number, task: () => void) => systemClock.after(Math.min(ms, 20), task),
    };
    const provider = open({ clock });
    await provider.supervise();
    const line = "x".repeat(10_000);
    const id = await run(
      provider,
      `i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo $i ${line}; [ $((i % 20)) -eq 0 ] && sleep 0.01; done`,
    );
    const seen: number[] = [];
    for await (const { text } of linesOf(provider.logs(id, { from: undefined, signal: never }))) {
      expect(text.length).toBeGreaterThan(10_000);
      seen.push(Number(text.split(" ")[0]));
    }
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1));
    const { size, blocks } = statSync(`${dir.path}/instances/${id}/logs/stdout.0.log`);
    expect(size).toBeGreaterThan(20_000_000);
    expect(blocks * 512).toBeLessThan(2 * 1024 * 1024);
  });

  test("an instance whose stored state can't be read is no instance, and can be removed", async () => {
    const provider = open();
    const id = await run(provider, "exec sleep 1000");
    provider.close();
    writeFileSync(stateFile(id), "{");
    const next = open();
    await next.supervise();
    expect((await next.status(id)).state).toBe("missing");
    expect(await rejection(next.start(id))).toMatchObject({ code: "instance.not_found" });
    await next.destroy(id);
    expect(await members(id)).toEqual([]);
    expect(existsSync(`${dir.path}/instances/${id}`)).toBe(false);
  });
});
