/** What an installed plugin goes through: consent given and taken, files changed behind the daemon's back, calls, the end. */
import { describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { operations } from "../../../src/api/operations.ts";
import { fail } from "../../../src/base/errors.ts";
import { sampleEvent } from "../../../src/engine/events/samples.ts";
import { makeCeiling } from "../../../src/host/ceiling.ts";
import type { ScopedCapability } from "../../../src/host/scoped-capability.ts";
import { codeOf } from "../../fixtures/rejection.ts";
import { fakeClock, tempDir, until } from "../../harness.ts";
import { eventOf, installSample, makeWorld, samplePlugin, STAMP, withWorld, type World } from "./world.ts";

const run = (world: World, name = "sample") =>
  world.plugins.run(name, "on_deploy_success", eventOf("on_deploy_success"));

async function folderOf(world: World): Promise<string> {
  const { digest } = await world.plugins.info("sample");
  return join(world.dataDir, "packages/sample", digest.slice(7, 23));
}

describe("a changed file makes a plugin tampered, and it does not run", () => {
  const attacks: Readonly<Record<string, (folder: string) => void>> = {
    "other content of the same size, with the old times": (folder) => {
      const path = join(folder, "files/index.ts");
      writeFileSync(path, "HANDLES:on_deploy_success");
      utimesSync(path, 1, 1);
    },
    "a file more": (folder) => writeFileSync(join(folder, "files/more.ts"), "1"),
    "a file less": (folder) => rmSync(join(folder, "files/index.ts")),
    "an execute bit": (folder) => chmodSync(join(folder, "files/index.ts"), 0o700),
    "another bundle": (folder) => writeFileSync(join(folder, "bundle.js"), "handles:on_deploy_success,evil"),
    "another source map": (folder) => writeFileSync(join(folder, "bundle.js.map"), "{ }"),
    "no bundle": (folder) => rmSync(join(folder, "bundle.js")),
    "a link in place of a file": (folder) => {
      rmSync(join(folder, "files/index.ts"));
      symlinkSync("/etc/hostname", join(folder, "files/index.ts"));
    },
    "no folder": (folder) => rmSync(folder, { recursive: true }),
  };
  for (const [what, attack] of Object.entries(attacks))
    test(what, () =>
      withWorld(async (world) => {
        await installSample(world, samplePlugin());
        expect((await world.plugins.list())[0]?.state).toBe("enabled");
        const opened = world.rooms.opened;
        attack(await folderOf(world));
        expect(await codeOf(run(world))).toBe("plugin.tampered");
        expect(world.rooms.opened).toBe(opened);
        const [view] = await world.plugins.list();
        expect(view?.state).toBe("tampered");
        expect(view?.reason).toContain("changed after it was installed");
        expect(world.plugins.subscribers("on_deploy_success")).toHaveLength(1);
        expect(await codeOf(world.plugins.enable("sample"))).toBe("plugin.tampered");
      }),
    );

  test("and installing it again, after a look, makes it whole", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      writeFileSync(join(await folderOf(world), "files/index.ts"), "handles:on_deploy_success // changed");
      const candidate = await world.plugins.inspect({ installed: "sample" });
      expect(candidate.digest).not.toBe((await world.plugins.info("sample")).digest);
      await world.plugins.install({
        source: { installed: "sample" },
        digest: candidate.digest,
        grants: [],
        by: "t",
      });
      expect((await world.plugins.list())[0]?.state).toBe("enabled");
      await run(world);
    }));

  test("seen in the list, a running guest is not used again", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      await run(world);
      writeFileSync(join(await folderOf(world), "files/index.ts"), "x");
      expect((await world.plugins.list())[0]?.state).toBe("tampered");
      expect(await codeOf(run(world))).toBe("plugin.tampered");
      expect(world.rooms.open.size).toBe(0);
    }));
});

describe("consent", () => {
  const granted = (world: World) => [...world.caller("sample").grants];

  test("taken away counts at the guest's next question, and the room is opened anew", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ required: ["notify_send", "logs_read"] }));
      const gate = Promise.withResolvers<void>();
      const seen: unknown[] = [];
      world.rooms.call = async () => {
        seen.push(granted(world));
        await gate.promise;
        seen.push(granted(world));
        return null;
      };
      const running = run(world);
      await until(() => seen.length === 1);
      const details = await world.plugins.revoke("sample", "notify_send");
      expect(details.granted.map((each) => each.capability)).toEqual(["logs_read"]);
      expect(details.notGranted.map((each) => each.capability)).toEqual(["notify_send"]);
      gate.resolve();
      await running;
      expect(seen).toEqual([
        [
          ["notify_send", null],
          ["logs_read", null],
        ],
        [["logs_read", null]],
      ]);
      const { opened } = world.rooms;
      await run(world);
      expect(world.rooms.opened).toBe(opened + 1);
      await world.plugins.grant("sample", { capability: "notify_send" }, "tester");
      expect(world.caller("sample").grants.get("notify_send")).toBeNull();
    }));

  test("survives a restart of the daemon", async () => {
    await using dir = tempDir();
    const before = makeWorld(dir.path);
    await installSample(before, samplePlugin({ required: ["notify_send"] }));
    await before.plugins.grant("sample", { capability: "notify_send", scope: ["ops"] }, "root");
    await before.close();
    const after = makeWorld(dir.path);
    await after.plugins.sweep();
    expect(granted(after)).toEqual([["notify_send", ["ops"]]]);
    await after.close();
  });

  test("goes no further than the manifest and the operator's ceiling", () => {
    let ceiling: readonly ScopedCapability[] = [{ capability: "notify_send", scope: null }];
    return withWorld(
      async (world) => {
        await installSample(world, samplePlugin({ required: ["notify_send", "logs_read"] }));
        expect(granted(world)).toEqual([["notify_send", null]]);
        expect((await world.plugins.info("sample")).warnings[0]).toContain("ceiling");
        expect(world.caller("sample").withheld.has("notify_send")).toBe(false);
        ceiling = [];
        expect(granted(world)).toEqual([]);
        expect(world.caller("sample").withheld.has("notify_send")).toBe(true);
        expect(await codeOf(world.plugins.grant("sample", { capability: "docker_write" }, "t"))).toBe(
          "grant.unknown",
        );
        expect(await codeOf(world.plugins.revoke("sample", "docker_write"))).toBe("grant.unknown");
      },
      { ceilings: () => [makeCeiling(ceiling, "[plugins] ceiling")] },
    );
  });
});

describe("enable and disable", () => {
  test("a disabled plugin hears nothing, may nothing, and has no room", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ required: ["notify_send"] }));
      await run(world);
      expect((await world.plugins.disable("sample")).state).toBe("disabled");
      expect(world.rooms.open.size).toBe(0);
      expect(world.plugins.subscribers("on_deploy_success")).toEqual([]);
      expect(world.caller("sample").grants.size).toBe(0);
      expect(await codeOf(run(world))).toBe("plugin.disabled");
      expect(await codeOf(world.plugins.call("sample", "on_deploy_success"))).toBe("plugin.disabled");
      expect((await world.plugins.enable("sample")).state).toBe("enabled");
      await run(world);
    }));

  test("what waited in line while it was disabled is refused", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      const gate = Promise.withResolvers<void>();
      let called = 0;
      world.rooms.call = () => (called++, gate.promise);
      const first = run(world);
      await until(() => called === 1);
      const second = codeOf(run(world));
      const disabling = world.plugins.disable("sample");
      gate.resolve();
      await first;
      await disabling;
      expect(await second).toBe("plugin.disabled");
    }));
});

describe("plugin call", () => {
  test("runs one hook with a sample and answers with the result and what was logged", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      world.rooms.call = async (_guest, _hook, event) => event;
      await run(world);
      const answer = await world.plugins.call("sample", "on_deploy_success");
      expect(answer.result).toEqual(sampleEvent("on_deploy_success", STAMP));
      expect(answer.logs.map((line) => line.text)).toEqual(["called with on_deploy_success"]);
      expect(answer.durationMs).toBeGreaterThanOrEqual(0);
    }));

  test("takes an event from a file, and refuses another hook's", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      world.rooms.call = async (_guest, _hook, event) => event;
      const { id: _id, at: _at, ...event } = { ...sampleEvent("on_deploy_success", STAMP), service: "api" };
      const { result } = await world.plugins.call("sample", "on_deploy_success", { event });
      expect(result).toEqual({ ...event, ...STAMP });
      const other = { event: { hook: "on_alert" } };
      expect(await codeOf(world.plugins.call("sample", "on_deploy_success", other))).toBe("event.invalid");
      expect(await codeOf(world.plugins.call("sample", "on_alert"))).toBe("plugin.no_hook");
    }));
});

describe("the answers", () => {
  test("are what the API promises", () =>
    withWorld(async (world) => {
      const files = samplePlugin({ required: ["notify_send"], optional: ["logs_read"] });
      const answers = {
        "plugin.inspect": await world.plugins.inspect({ files }),
        "plugin.install": await installSample(world, files),
        "plugin.call": await world.plugins.call("sample", "on_deploy_success"),
        "plugin.info": await world.plugins.info("sample"),
        "plugin.list": { plugins: await world.plugins.list() },
      };
      for (const [name, answer] of Object.entries(answers) as [keyof typeof answers, unknown][])
        expect(v.safeParse(operations[name].output, answer).issues).toBeUndefined();
    }));
});

describe("the list", () => {
  test("has fifty plugins in the order of their names, and gates are told apart", () =>
    withWorld(async (world) => {
      const names = Array.from({ length: 50 }, (_, index) => `p${(index * 7) % 50}`);
      for (const name of names)
        await installSample(world, samplePlugin({ name, hooks: ["on_deploy_success", "pre_create"] }));
      const sorted = names.toSorted();
      expect((await world.plugins.list()).map((view) => view.name)).toEqual(sorted);
      expect(world.plugins.subscribers("pre_create")).toEqual(
        sorted.map((plugin) => ({ plugin, gate: true })),
      );
      expect(await codeOf(world.plugins.info("p5O"))).toBe("plugin.not_found");
    }));

  test("takes the operator's settings as they are at each call, and is broken where they do not fit", () => {
    let overrides: Record<string, unknown> = { channel: "ops" };
    return withWorld(
      async (world) => {
        const seen: unknown[] = [];
        world.rooms.call = async (guest) => seen.push(guest.config);
        await installSample(world, samplePlugin({ more: '[config]\nchannel = "general"\nloud = true' }));
        await run(world);
        expect(seen).toEqual([{ channel: "ops", loud: true }]);
        await run(world);
        expect(world.rooms.opened).toBe(1);
        overrides = { channel: "dev" };
        await run(world);
        expect(seen.at(-1)).toEqual({ channel: "dev", loud: true });
        expect(world.rooms.opened).toBe(2);
        overrides = { chanel: "ops" };
        expect((await world.plugins.list())[0]).toMatchObject({
          state: "broken",
          reason: '[plugins.config.sample] chanel: the plugin has no such key; did you mean "channel"?',
        });
        overrides = { loud: "yes" };
        expect((await world.plugins.info("sample")).reason).toContain("found a text, wanted true or false");
      },
      { configFor: () => overrides },
    );
  });

  test("warns of a function that no hook of the manifest calls", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ handles: ["on_deploy_success", "on_alert", "helper"] }));
      await run(world);
      expect((await world.plugins.info("sample")).warnings).toEqual([
        "its code has on_alert, and [hooks] in its plugin.toml does not name it",
      ]);
    }));
});

describe("logs", () => {
  test("can be followed", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      const control = new AbortController();
      const texts: string[] = [];
      const following = (async () => {
        const lines = world.plugins.logs("sample", { limit: 10, follow: true, signal: control.signal });
        for await (const line of lines) texts.push(line.text);
      })();
      for (let count = 1; count <= 3; count++) {
        await run(world);
        await until(() => texts.length === count);
      }
      control.abort();
      await following;
      expect(texts).toEqual(Array.from({ length: 3 }, () => "called with on_deploy_success"));
    }));
});

describe("the end", () => {
  test("drains the running call for a while, then stops it; what waits is turned away", async () => {
    const clock = fakeClock();
    await using dir = tempDir();
    const world = makeWorld(dir.path, { clock });
    await installSample(world, samplePlugin());
    let called = 0;
    world.rooms.call = (_guest, _hook, _event, _options, stopped) => (called++, stopped);
    const first = codeOf(run(world));
    await until(() => called === 1);
    const second = codeOf(run(world));
    const closing = world.plugins.close();
    expect(await second).toBe("plugin.stopped");
    expect(world.rooms.open.size).toBe(1);
    await clock.advance(10_000);
    expect(await first).toBe("plugin.stopped");
    await closing;
    expect(world.rooms.open.size).toBe(0);
    expect(await codeOf(run(world))).toBe("plugin.stopped");
    expect(await codeOf(installSample(world, samplePlugin({ version: "2.0.0" })))).toBe("daemon.stopping");
    expect(readdirSync(join(dir.path, "packages/.staging"))).toEqual([]);
  });

  test("a guest that had to be stopped counts, and the next call gets a new one", () => {
    const clock = fakeClock();
    return withWorld(
      async (world) => {
        await installSample(world, samplePlugin());
        const good = world.rooms.call;
        world.rooms.call = () => Promise.reject(fail("plugin.timeout", "too slow"));
        expect(await codeOf(run(world))).toBe("plugin.timeout");
        expect(await codeOf(run(world))).toBe("plugin.timeout");
        expect(await world.plugins.info("sample")).toMatchObject({ strikes: 2, running: false });
        world.rooms.call = good;
        const third = run(world);
        await clock.advance(100);
        await third;
        expect(await world.plugins.info("sample")).toMatchObject({ strikes: 2, running: true });
        await clock.advance(10 * 60_000 + 1);
        expect(await world.plugins.info("sample")).toMatchObject({ strikes: 0, running: false });
      },
      { clock },
    );
  });
});
