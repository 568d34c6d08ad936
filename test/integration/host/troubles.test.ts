/** Plugins that fail again and again: into which room they move, when they are suspended, and what their events wait for. */
import { describe, expect, test } from "bun:test";
import { fail, type ErrorCode } from "../../../src/base/errors.ts";
import { makeLog } from "../../../src/base/log.ts";
import { verdictOn } from "../../../src/host/deliveries/verdict.ts";
import { codeOf, rejection } from "../../fixtures/rejection.ts";
import { fakeClock, tempDir, until, type FakeClock } from "../../harness.ts";
import {
  eventOf,
  installSample,
  makeWorld,
  samplePlugin,
  withWorld,
  type Sample,
  type World,
} from "./world.ts";

const run = (world: World) => world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success"));

const rooms = ({ rooms }: World): string[] => [...rooms.open.values()];

async function logOf(world: World): Promise<string> {
  const options = { limit: 99, follow: false, signal: new AbortController().signal };
  const lines = await Array.fromAsync(world.plugins.logs("sample", options));
  return lines.map(({ level, text }) => `${level} ${text}`).join("\n");
}

/** Turns the hands until the work is done; not faster than the disk, because opening a room has its deadline too. */
async function paced<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isOver = false;
  const end = (): void => void (isOver = true);
  work.then(end, end);
  await until(
    async () => {
      await clock.advance(20);
      return isOver;
    },
    { timeoutMs: 30_000, what: "the work" },
  );
  return work;
}

/** Calls that end their guest with this, with the pauses between them. */
async function fallTimes(world: World, clock: FakeClock, count: number, code: ErrorCode): Promise<void> {
  const good = world.rooms.call;
  world.rooms.call = () => Promise.reject(fail(code, "it had to be stopped"));
  for (let call = 0; call < count; call++) expect(await paced(clock, codeOf(run(world)))).toBe(code);
  world.rooms.call = good;
}

describe("three strikes", () => {
  for (const code of ["plugin.timeout", "plugin.out_of_memory", "plugin.crashed"] as const)
    test(`of ${code} within ten minutes move a plugin from its Worker to a process, and it says so`, () => {
      const clock = fakeClock();
      return withWorld(
        async (world) => {
          await installSample(world, samplePlugin());
          await fallTimes(world, clock, 2, code);
          await paced(clock, run(world));
          expect(rooms(world)).toEqual(["js-worker"]);
          await fallTimes(world, clock, 1, code);
          await paced(clock, run(world));
          expect(rooms(world)).toEqual(["js-process"]);
          expect(await world.plugins.info("sample")).toMatchObject({
            state: "enabled",
            room: "js-process",
            roomReason: expect.stringContaining("it had to be stopped"),
            strikes: 0,
          });
          expect(await logOf(world)).toContain("from now on it runs in a process of its own");
        },
        { clock },
      );
    });

  test("that are further apart move nothing", () => {
    const clock = fakeClock();
    return withWorld(
      async (world) => {
        await installSample(world, samplePlugin());
        for (let strike = 0; strike < 6; strike++) {
          await fallTimes(world, clock, 1, "plugin.timeout");
          await paced(clock, run(world));
          await clock.advance(5 * 60_000 + 1);
        }
        expect((await world.plugins.info("sample")).room).toBe("js-worker");
      },
      { clock },
    );
  });

  test("are remembered over a restart, and forgotten by another version", async () => {
    const clock = fakeClock();
    await using dir = tempDir();
    const before = makeWorld(dir.path, { clock });
    await installSample(before, samplePlugin());
    await fallTimes(before, clock, 3, "plugin.timeout");
    await before.close();
    const after = makeWorld(dir.path, { clock });
    await run(after);
    expect(rooms(after)).toEqual(["js-process"]);
    await installSample(after, samplePlugin({ version: "2.0.0" }));
    expect(rooms(after)).toEqual(["js-worker"]);
    await after.close();
  });

  const stays: readonly (readonly [
    string,
    Partial<Parameters<World["plugins"]["install"]>[0]>,
    boolean,
    string,
  ])[] = [
    [
      "the operator wants a Worker",
      { isolation: "worker" },
      true,
      "it was installed with --isolation worker",
    ],
    ["nothing can be confined", {}, false, "this machine can't confine a process"],
  ];
  for (const [what, terms, canConfine, reason] of stays)
    test(`where ${what} it stays in its Worker, and says why, once`, () => {
      const clock = fakeClock();
      return withWorld(
        async (world) => {
          const files = samplePlugin();
          const { digest } = await world.plugins.inspect({ files });
          await world.plugins.install({ source: { files }, digest, grants: [], by: "t", ...terms });
          await fallTimes(world, clock, 4, "plugin.timeout");
          await paced(clock, run(world));
          expect(rooms(world)).toEqual(["js-worker"]);
          const log = await logOf(world);
          expect(log).toContain(reason);
          expect(log.match(/it stays in its Worker/g)).toHaveLength(1);
        },
        { clock, canConfine: () => canConfine },
      );
    });

  test("count in no other room", () => {
    const clock = fakeClock();
    return withWorld(
      async (world) => {
        await installSample(world, samplePlugin({ more: '[runtime]\nisolation = "process"' }));
        await fallTimes(world, clock, 4, "plugin.timeout");
        expect(await logOf(world)).not.toContain("from now on");
        expect((await world.plugins.info("sample")).strikes).toBe(4);
      },
      { clock },
    );
  });
});

describe("the room", () => {
  const chosen: readonly (readonly [string, Sample, string, string])[] = [
    ["a WASM module", { tier: 1 }, "wasm-process", "it is a WASM module"],
    [
      "a plugin that imports a Node module",
      importing("node:crypto"),
      "js-process",
      "its code imports node:crypto",
    ],
    [
      "a plugin that wants a process",
      { more: '[runtime]\nisolation = "process"' },
      "js-process",
      'its plugin.toml says isolation = "process"',
    ],
  ];
  for (const [what, sample, room, reason] of chosen)
    test(`of ${what} is ${room}, at its install and at every start`, async () => {
      await using dir = tempDir();
      const before = makeWorld(dir.path);
      await installSample(before, samplePlugin(sample));
      expect(rooms(before)).toEqual([room]);
      expect(await before.plugins.list()).toMatchObject([{ room, roomReason: reason, state: "enabled" }]);
      await before.close();
      const after = makeWorld(dir.path);
      expect(await run(after)).toMatchObject({ version: "1.0.0" });
      expect(rooms(after)).toEqual([room]);
      await after.close();
    });

  test("of a module is given the module itself, and its bytes are watched over like any file", async () => {
    await using dir = tempDir();
    const world = makeWorld(dir.path);
    await installSample(world, samplePlugin({ tier: 1 }));
    const [guest] = world.rooms.open.keys();
    expect(guest?.code).toEqual({
      kind: "wasm",
      bytes: new TextEncoder().encode("handles:on_deploy_success"),
    });
    const { digest } = await world.plugins.info("sample");
    const folder = world.deps.store.path("sample", digest);
    expect([...new Bun.Glob("**").scanSync({ cwd: folder })].toSorted()).toEqual([
      "files/plugin.toml",
      "files/plugin.wasm",
    ]);
    await world.close();
    await Bun.write(`${folder}/files/plugin.wasm`, "handles:on_deploy_success,evil");
    const after = makeWorld(dir.path);
    expect(await codeOf(run(after))).toBe("plugin.tampered");
    await after.close();
  });

  function importing(name: string): Sample {
    return { files: { "index.ts": `handles:on_deploy_success imports:${name}` } };
  }
});

describe("a plugin that can't be started", () => {
  test("is suspended and says until when and why; its events wait without a count; enabling it tries at once", () => {
    const clock = fakeClock();
    const warnings: string[] = [];
    const write = (line: string) => void warnings.push(line);
    const log = makeLog({ level: () => "warn", format: "json", clock, write });
    return withWorld(
      async (world) => {
        await installSample(world, samplePlugin({ more: '[runtime]\nisolation = "process"' }));
        await fallTimes(world, clock, 5, "plugin.crashed");
        const error = (await rejection(run(world))) as { message: string; code: ErrorCode };
        expect(error).toMatchObject({ code: "plugin.suspended", kind: "unavailable" });
        expect(error.message).toMatch(
          /until 2026-01-01T00:00:3\d\.\d{3}Z: 5 times in a row .* it had to be stopped$/,
        );
        const verdict = verdictOn(error, 5);
        expect(verdict.kind).toBe("park");
        expect("waitMs" in verdict && verdict.waitMs).toBeWithin(1, 30_001);
        // The time and the reason, and not what the state says already.
        expect(await world.plugins.list()).toMatchObject([
          { state: "suspended", reason: error.message.replace("sample is suspended ", "") },
        ]);
        const told = error.message.replace("sample is", "it is");
        expect((await logOf(world)).split("\n").filter((line) => line.includes("suspended"))).toEqual([
          `warn ${told}`,
        ]);
        expect(warnings.map((line) => JSON.parse(line))).toEqual([
          { at: expect.any(String), level: "warn", text: told, plugin: "sample" },
        ]);
        const { opened } = world.rooms;
        expect(await codeOf(run(world))).toBe("plugin.suspended");
        expect(world.rooms.opened).toBe(opened);
        expect(await world.plugins.enable("sample")).toMatchObject({ state: "enabled", reason: null });
        await run(world);
        expect(world.rooms.opened).toBe(opened + 1);
      },
      { clock, log },
    );
  });

  test("is broken no longer once it was given another right or other settings, nor does it stay suspended", () => {
    let overrides = {};
    let edits = 0;
    const clock = fakeClock();
    return withWorld(
      async (world) => {
        await installSample(
          world,
          samplePlugin({ optional: ["logs_read"], more: '[config]\nchannel = "a"' }),
        );
        const state = async () => (await world.plugins.info("sample")).state;
        for (const act of [
          () => world.plugins.grant("sample", { capability: "logs_read" }, "t"),
          () => world.plugins.revoke("sample", "logs_read"),
          () => world.plugins.enable("sample"),
          () => void (overrides = { channel: `#${++edits}` }),
        ])
          for (const [times, before] of [
            [1, "broken"],
            [5, "suspended"],
          ] as const) {
            await clock.advance(60_000);
            await until(() => rooms(world).length === 0, { what: "the idle room to close" });
            world.rooms.refuses = fail("plugin.load_failed", "it needs more");
            for (let call = 0; call < times; call++)
              expect(await paced(clock, codeOf(run(world)))).toBe("plugin.load_failed");
            expect(await state()).toBe(before);
            world.rooms.refuses = undefined;
            await act();
            expect(await state()).toBe("enabled");
            await paced(clock, run(world));
          }
      },
      { clock, configFor: () => overrides },
    );
  });

  test("tries again when another version comes, or when it may do something else", () => {
    const clock = fakeClock();
    return withWorld(
      async (world) => {
        await installSample(world, samplePlugin({ optional: ["logs_read"] }));
        for (const act of [
          () => installSample(world, samplePlugin({ version: "2.0.0", optional: ["logs_read"] })),
          () => world.plugins.grant("sample", { capability: "logs_read" }, "t"),
        ]) {
          await fallTimes(world, clock, 3, "plugin.crashed");
          await fallTimes(world, clock, 5, "plugin.crashed");
          expect(await codeOf(run(world))).toBe("plugin.suspended");
          await act();
          await run(world);
        }
      },
      { clock },
    );
  });

  test("because its settings or this machine do not fit is not suspended, and its events wait", () => {
    let overrides = {};
    return withWorld(
      async (world) => {
        await installSample(world, samplePlugin());
        overrides = { unknown: 1 };
        for (let call = 0; call < 8; call++) {
          const error = await rejection(run(world));
          expect(error).toMatchObject({ code: "config.invalid" });
          expect(verdictOn(error, 5)).toEqual({ kind: "park", waitMs: 30_000 });
        }
        overrides = {};
        await run(world);
      },
      { configFor: () => overrides },
    );
  });
});
