/** Installing, upgrading, removing: what is asked for, what is granted, and that it is all or nothing. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../../src/base/errors.ts";
import { codeOf } from "../../fixtures/rejection.ts";
import { tempDir, until } from "../../harness.ts";
import { eventOf, filesOf, installSample, makeWorld, samplePlugin, withWorld, type World } from "./world.ts";

function folders(world: World, name = "sample"): readonly string[] {
  const path = join(world.dataDir, "packages", name);
  return existsSync(path) ? readdirSync(path) : [];
}

describe("install", () => {
  test("stores files and bundle for the daemon alone, enables the plugin and runs it", () =>
    withWorld(async (world) => {
      const files = samplePlugin({ required: ["notify_send"] });
      const view = await installSample(world, files);
      expect(view).toEqual({
        name: "sample",
        version: "1.0.0",
        tier: 2,
        kind: "js",
        type: "hook",
        builtIn: false,
        folder: null,
        state: "enabled",
        reason: null,
        room: "js-worker",
        roomReason: "that is where JavaScript runs unless something else is asked for",
      });
      const digest = (await world.plugins.info("sample")).digest;
      const folder = join(world.dataDir, "packages/sample", digest.slice(7, 23));
      expect(readdirSync(folder).toSorted()).toEqual(["bundle.js", "bundle.js.map", "files"]);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(statSync(join(folder, "files/index.ts")).mode & 0o777).toBe(0o600);
      expect(world.plugins.subscribers("on_deploy_success")).toEqual([{ plugin: "sample", gate: false }]);
      expect(await world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success"))).toEqual({
        version: "1.0.0",
        hook: "on_deploy_success",
      });
      expect(existsSync(join(world.dataDir, "packages/.staging"))).toBe(true);
      expect(readdirSync(join(world.dataDir, "packages/.staging"))).toEqual([]);
    }));

  test("shows what it would ask for, and changes nothing", () =>
    withWorld(async (world) => {
      const more =
        '[capabilities.reason]\nnotify_send = "posts \\u001b[31mred"\n[capabilities.scope]\nnotify_send = ["ops"]';
      const files = samplePlugin({
        required: ["notify_send"],
        optional: ["logs_read"],
        hooks: ["pre_create"],
        more,
      });
      expect(await world.plugins.inspect({ files })).toEqual({
        name: "sample",
        version: "1.0.0",
        kind: "js",
        tier: 2,
        description: "",
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        required: [{ capability: "notify_send", risk: "Medium", reason: "posts [31mred", scope: ["ops"] }],
        optional: [{ capability: "logs_read", risk: "Low" }],
        hooks: [{ hook: "pre_create", gate: true }],
        replaces: null,
      });
      expect(await world.plugins.list()).toEqual([]);
      expect(existsSync(join(world.dataDir, "packages"))).toBe(false);
    }));

  test("refuses other files than those that were consented to", () =>
    withWorld(async (world) => {
      const { digest } = await world.plugins.inspect({ files: samplePlugin() });
      const changed = samplePlugin({ files: { "extra.ts": "1" } });
      expect(
        await codeOf(world.plugins.install({ source: { files: changed }, digest, grants: [], by: "t" })),
      ).toBe("plugin.changed");
      expect(folders(world)).toEqual([]);
    }));

  test("refuses consent that leaves out what is required, or names what is not asked for", () =>
    withWorld(async (world) => {
      const files = samplePlugin({ required: ["notify_send"] });
      expect(await codeOf(installSample(world, files, []))).toBe("grant.required_missing");
      expect(await codeOf(installSample(world, files, ["notify_send", "docker_write"]))).toBe(
        "grant.unknown",
      );
      expect(await world.plugins.list()).toEqual([]);
    }));

  const bad: readonly (readonly [
    string,
    Parameters<typeof samplePlugin>[0] | Record<string, string>,
    string,
  ])[] = [
    ["a hook without a function", { hooks: ["on_alert"], handles: [] }, "plugin.no_hook"],
    ["code that throws when it is loaded", { files: { "index.ts": "throws" } }, "plugin.load_failed"],
    ["a module in a Worker", { tier: 1, more: '[runtime]\nisolation = "worker"' }, "plugin.unsupported"],
    ["a hook without an export", { tier: 1, hooks: ["on_alert"], handles: [] }, "plugin.no_hook"],
    ["a module that does not load", { tier: 1, files: { "plugin.wasm": "throws" } }, "plugin.load_failed"],
    ["settings that are not the operator's", { name: "configured" }, "config.invalid"],
    ["an unknown hook", { hooks: ["on_deploy_sucess"] }, "manifest.invalid"],
  ];
  for (const [what, sample, code] of bad)
    test(`refuses ${what}, and leaves nothing`, () =>
      withWorld(
        async (world) => {
          expect(await codeOf(installSample(world, samplePlugin(sample)))).toBe(code);
          expect(await world.plugins.list()).toEqual([]);
          expect(folders(world, "name" in (sample ?? {}) ? "configured" : "sample")).toEqual([]);
          expect(world.rooms.open.size).toBe(0);
        },
        { configFor: (plugin) => (plugin === "configured" ? { unknown: 1 } : {}) },
      ));

  test("refuses folders that are no plugins, each with its reason", () =>
    withWorld(async (world) => {
      const manifest = samplePlugin().get("plugin.toml");
      const toml = new TextDecoder().decode(manifest?.bytes);
      const cases: readonly (readonly [Record<string, string>, string])[] = [
        [{}, "manifest.missing"],
        [{ "sub/plugin.toml": toml }, "manifest.missing"],
        [{ "plugin.toml": toml, "plugin.yaml": "name: x" }, "manifest.invalid"],
        [{ "plugin.toml": toml }, "plugin.invalid"],
        [{ "plugin.toml": toml.replace("tier = 2", "tier = 1"), "index.ts": "" }, "plugin.invalid"],
        [{ "plugin.toml": `# ${"x".repeat(10_000_000)}` }, "manifest.invalid"],
      ];
      for (const [texts, code] of cases)
        expect(await codeOf(installSample(world, filesOf(texts)))).toBe(code);
    }));

  test("by name takes the plugin that the executable carries", async () => {
    await using dir = tempDir();
    const world = makeWorld(dir.path, { embedded: new Map([["sample", samplePlugin()]]) });
    const { digest } = await world.plugins.inspect({ embedded: "sample" });
    await world.plugins.install({ source: { embedded: "sample" }, digest, grants: [], by: "t" });
    expect((await world.plugins.info("sample")).source).toBe("embedded");
    expect(await codeOf(world.plugins.inspect({ embedded: "sampel" }))).toBe("plugin.not_found");
    await world.close();
  });
});

describe("a new version", () => {
  test("takes the place of the old one, with its own consent and the same store", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ required: ["notify_send"] }));
      (world.deps.kv as unknown as { set(...args: unknown[]): void }).set("sample", "seen", "1", 1000);
      await world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success"));
      const next = samplePlugin({ version: "2.0.0", required: ["notify_send", "logs_read"] });
      expect((await world.plugins.inspect({ files: next })).replaces).toBe("1.0.0");
      expect(await codeOf(installSample(world, next, ["notify_send"]))).toBe("grant.required_missing");
      expect((await world.plugins.info("sample")).version).toBe("1.0.0");
      await installSample(world, next);
      const info = await world.plugins.info("sample");
      expect(info.granted.map((each) => each.capability)).toEqual(["logs_read", "notify_send"]);
      expect(await world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success"))).toEqual({
        version: "2.0.0",
        hook: "on_deploy_success",
      });
      expect((world.deps.kv as unknown as { get(...args: unknown[]): unknown }).get("sample", "seen")).toBe(
        "1",
      );
      expect(world.rooms.open.size).toBe(1);
    }));

  test("that can't be loaded leaves the old one running", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      expect(
        await codeOf(
          installSample(world, samplePlugin({ version: "2.0.0", files: { "index.ts": "throws" } })),
        ),
      ).toBe("plugin.load_failed");
      expect((await world.plugins.list())[0]).toMatchObject({ version: "1.0.0", state: "enabled" });
      expect(folders(world)).toHaveLength(1);
    }));

  test("waits for the running call, and stops it only after its time", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      const gate = Promise.withResolvers<void>();
      world.rooms.call = async (guest) => {
        await gate.promise;
        return guest.version;
      };
      const running = world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success"));
      await until(() => world.rooms.open.size === 1);
      const upgrade = installSample(world, samplePlugin({ version: "2.0.0" }));
      const after = world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success"));
      await until(() => readdirSync(join(world.dataDir, "packages/.staging")).length === 1);
      expect((await world.plugins.list())[0]?.version).toBe("1.0.0");
      gate.resolve();
      expect(await running).toBe("1.0.0");
      await upgrade;
      expect(["1.0.0", "2.0.0"]).toContain((await after) as string);
      expect(await world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success"))).toBe(
        "2.0.0",
      );
    }));

  test("twice at once ends with one of them, whole", () =>
    withWorld(async (world) => {
      const versions = ["1.0.0", "2.0.0", "3.0.0", "1.0.0"];
      await Promise.all(versions.map((version) => installSample(world, samplePlugin({ version }))));
      const info = await world.plugins.info("sample");
      expect(info.state).toBe("enabled");
      expect(versions).toContain(info.version);
      expect(
        await world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success")),
      ).toMatchObject({
        version: info.version,
      });
    }));
});

describe("remove", () => {
  test("takes files, grants, store, logs and room, and the name is free again", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ required: ["logs_read"] }));
      await world.plugins.call("sample", "on_deploy_success");
      await world.plugins.remove("sample");
      expect(await world.plugins.list()).toEqual([]);
      expect(folders(world)).toEqual([]);
      expect(world.rooms.open.size).toBe(0);
      expect(world.plugins.callerOf("sample")).toBeUndefined();
      expect(
        await codeOf(world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success"))),
      ).toBe("plugin.not_found");
      await installSample(world, samplePlugin({ optional: ["logs_read"] }));
      expect(world.caller("sample").grants.size).toBe(0);
      expect(
        await Array.fromAsync(
          world.plugins.logs("sample", { limit: 9, follow: false, signal: AbortSignal.abort() }),
        ),
      ).toEqual([]);
    }));

  const remains: readonly (readonly [
    what: string,
    last: readonly string[],
    everUsed: boolean,
    cleared: boolean,
  ])[] = [
    ["the last version may make them", ["docker_write"], false, true],
    ["an earlier version made some", [], true, true],
    ["it never could", [], false, false],
  ];
  for (const [what, required, everUsed, isCleared] of remains)
    test(`${isCleared ? "takes" : "asks no engine for"} its containers where ${what}`, async () => {
      const cleared: string[] = [];
      const lastUse = () => (capability: string) =>
        everUsed && capability === "docker_write" ? "2026-01-01T00:00:00.000Z" : undefined;
      await withWorld(
        async (world) => {
          await installSample(world, samplePlugin({ required: ["docker_write"] }));
          // What one of its name may have left, when it was removed with the engine down or still at work.
          expect(cleared.splice(0)).toEqual(everUsed ? ["sample"] : []);
          await installSample(world, samplePlugin({ version: "2.0.0", required }));
          expect(cleared).toEqual([]);
          await world.plugins.remove("sample");
          expect(cleared).toEqual(isCleared ? ["sample"] : []);
        },
        ({ audit }) => ({
          audit: { ...audit, lastUse },
          clearContainers: async (plugin) => void cleared.push(plugin),
        }),
      );
    });
});

describe("a failure at any step of an install leaves the old state", () => {
  const steps: Readonly<Record<string, (deps: World["deps"], boom: () => never) => Partial<World["deps"]>>> =
    {
      "while it is bundled": (_, boom) => ({ bundle: async () => boom() }),
      "while it is loaded": (deps, boom) => ({
        openRooms: { ...deps.openRooms, "js-worker": async () => boom() },
      }),
      "when it was written aside": (deps, boom) => ({
        store: { ...deps.store, stage: async (...args) => (await deps.store.stage(...args), boom()) },
      }),
      "before it is put in place": (deps, boom) => ({ store: { ...deps.store, place: async () => boom() } }),
      "after it was put in place": (deps, boom) => ({
        store: { ...deps.store, place: async (...args) => (await deps.store.place(...args), boom()) },
      }),
      "in the transaction": (deps, boom) => ({
        transaction: (work) => deps.transaction(() => (work(), boom())),
      }),
    };
  for (const [step, breakage] of Object.entries(steps))
    for (const version of ["1.0.0", "2.0.0"])
      test(`${step}, installing ${version} over 1.0.0`, async () => {
        await using dir = tempDir();
        const before = makeWorld(dir.path);
        await installSample(before, samplePlugin({ required: ["notify_send"] }));
        const was = await before.plugins.info("sample");
        const boom = (): never => {
          throw fail("disk.full", "boom");
        };
        const broken = makeWorld(dir.path, (deps) => breakage(deps, boom));
        const next = samplePlugin({ version, required: ["notify_send"] });
        expect(await codeOf(installSample(broken, next))).toBe("disk.full");
        await broken.close();
        await before.close();

        const after = makeWorld(dir.path);
        await after.plugins.sweep();
        expect(await after.plugins.info("sample")).toEqual({ ...was, running: false });
        expect(folders(after)).toEqual([was.digest.slice(7, 23)]);
        expect(existsSync(join(dir.path, "packages/.staging"))).toBe(false);
        await after.close();
      });
});
