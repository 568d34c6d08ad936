/** Plugins that are dropped into a folder: seen at once, run after consent, and only while they are what was consented to. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { tempDir, until } from "../../../harness.ts";
import { installSample, samplePlugin } from "../world.ts";
import { consent, drop, makeRig, reasonOf, run, states, withRig, write } from "./rig.ts";

describe("before consent", () => {
  test("it is listed at once with kind, version and place, and nothing of it is bundled, opened or subscribed", () => {
    let bundled = 0;
    const bundle = () => {
      bundled++;
      return Promise.resolve({ code: "", sourceMap: "", builtins: [] });
    };
    return withRig(
      async (rig) => {
        const { plugins } = rig.world;
        expect(await states(rig)).toEqual([]);
        const folder = drop(rig.second, { version: "1.2.3", hooks: ["on_deploy_success", "pre_start"] });
        expect((await plugins.survey()).plugins[0]).toEqual({
          name: "sample",
          version: "1.2.3",
          tier: 2,
          kind: "js",
          type: "hook",
          builtIn: false,
          folder,
          state: "not approved",
          reason: expect.stringContaining("voxeltron plugin enable sample") as string,
          room: null,
          roomReason: null,
        });
        expect(await plugins.list()).toEqual([]);
        expect(plugins.subscribers("pre_start")).toEqual([]);
        expect(await codeOf(plugins.call("sample", "on_deploy_success"))).toBe("plugin.not_approved");
        expect(await codeOf(plugins.disable("sample"))).toBe("plugin.not_approved");
        expect(await codeOf(plugins.enable("sample"))).toBe("consent.needed");
        expect(await codeOf(plugins.grant("sample", { capability: "fs_read" }, "x"))).toBe(
          "plugin.not_approved",
        );
        await plugins.inspect({ dropIn: "sample" });
        expect(await states(rig)).toEqual(["sample: not approved"]);
        expect([bundled, rig.world.rooms.opened, existsSync(join(rig.world.dataDir, "packages"))]).toEqual([
          0,
          0,
          false,
        ]);
      },
      { bundle },
    );
  });

  test("plugin info shows what it asks for", () =>
    withRig(async (rig) => {
      drop(rig.first, { required: ["notify_send"], optional: ["logs_read"] });
      expect(await rig.world.plugins.info("sample")).toMatchObject({
        state: "not approved",
        hooks: [{ hook: "on_deploy_success", gate: false }],
        capabilities: [
          { capability: "notify_send", required: true, granted: null, effective: null },
          { capability: "logs_read", required: false, granted: null, effective: null },
        ],
      });
    }));
});

describe("a provider", () => {
  test("is shown as one, before consent and after; plugin install with its name says what there is to do", () =>
    withRig(async (rig) => {
      const yaml = 'name: podman\nversion: "1.0.0"\ntype: provider\nentrypoint: ./run\nactions: [logs]\n';
      const bytes = (text: string) => new TextEncoder().encode(text);
      write(
        join(rig.second, "podman"),
        new Map([
          ["plugin.yaml", { bytes: bytes(yaml), executable: false }],
          ["run", { bytes: bytes("#!/bin/sh\n"), executable: true }],
        ]),
      );
      const shown = async () => (await rig.world.plugins.survey()).plugins[0];
      expect(await shown()).toMatchObject({ kind: "exec", type: "provider", state: "not approved" });
      expect(await rejection(rig.world.plugins.inspect({ embedded: "podman" }))).toMatchObject({
        code: "plugin.not_approved",
        hint: expect.stringContaining("voxeltron plugin enable podman"),
      });
      const { digest } = await rig.world.plugins.inspect({ dropIn: "podman" });
      const grants = [{ capability: "unsandboxed" as const }];
      await rig.world.plugins.install({ source: { dropIn: "podman" }, digest, grants, by: "tester" });
      expect(await shown()).toMatchObject({ kind: "exec", type: "provider", state: "enabled" });
    }));
});

describe("after consent", () => {
  test("it runs, is listed once, and does so after a restart too", async () => {
    await using dir = tempDir();
    const before = makeRig(dir.path);
    drop(before.second, { required: ["notify_send"] });
    await consent(before);
    expect(await states(before)).toEqual(["sample: enabled"]);
    await run(before);
    await before.world.close();
    const after = makeRig(dir.path);
    await after.world.plugins.sweep();
    expect(await states(after)).toEqual(["sample: enabled"]);
    await run(after);
    expect(after.world.caller("sample").grants.has("notify_send")).toBe(true);
    await after.world.close();
  });

  test("a changed file stops it, whether its room is open or not; put back it runs without a word", () =>
    withRig(async (rig) => {
      const { plugins, rooms } = rig.world;
      const folder = drop(rig.first);
      await consent(rig);
      await run(rig);
      const file = join(folder, "index.ts");
      const opened = rooms.opened;
      for (const text of ["handles:on_deploy_success,evil", "handles:on_deploy_success"]) {
        writeFileSync(file, text);
        const isChanged = text.endsWith("evil");
        expect(await codeOf(run(rig))).toBe(isChanged ? "plugin.tampered" : "ok");
        expect(await states(rig)).toEqual([`sample: ${isChanged ? "tampered" : "enabled"}`]);
        if (isChanged) await until(() => rooms.open.size === 0, { what: "the end of its room" });
        if (isChanged) expect(rooms.opened).toBe(opened);
      }
      // The control: what was installed from a folder and is not tied to it runs on.
      const loose = drop(rig.path, { name: "loose" });
      await installSample(rig.world, samplePlugin({ name: "loose" }));
      writeFileSync(join(loose, "index.ts"), "changed");
      await run(rig, "loose");
      expect((await plugins.info("loose")).state).toBe("enabled");
    }));

  test("a gate whose files were changed still is a gate: it refuses", () =>
    withRig(async (rig) => {
      const folder = drop(rig.first, { hooks: ["pre_start"] });
      await consent(rig);
      writeFileSync(join(folder, "more"), "");
      expect(rig.world.plugins.subscribers("pre_start")).toEqual([{ plugin: "sample", gate: true }]);
      const event = { id: "1", hook: "pre_start", at: "" } as never;
      expect(await codeOf(rig.world.plugins.run("sample", "pre_start", event))).toBe("plugin.tampered");
    }));

  test("replacing the files and consenting again updates it", () =>
    withRig(async (rig) => {
      const { plugins } = rig.world;
      drop(rig.second);
      await consent(rig);
      drop(rig.second, { version: "2.0.0", required: ["fs_read"] });
      expect(await rejection(plugins.enable("sample"))).toMatchObject({
        code: "consent.needed",
        hint: expect.stringContaining("voxeltron plugin enable sample"),
      });
      expect((await plugins.inspect({ dropIn: "sample" })).replaces).toBe("1.0.0");
      await consent(rig);
      expect(await run(rig)).toMatchObject({ version: "2.0.0" });
      expect(await states(rig)).toEqual(["sample: enabled"]);

      // Back to the version before: its files are kept, and are not those in the folder.
      await plugins.rollback("sample", undefined, "tester");
      expect(await run(rig)).toMatchObject({ version: "1.0.0" });
      expect(await states(rig)).toEqual(["sample: enabled", "sample: shadowed"]);
    }));

  test("disabled it rests; enabled again it asks only where its files have changed meanwhile", () =>
    withRig(async (rig) => {
      const { plugins } = rig.world;
      const folder = drop(rig.second);
      await consent(rig);
      await plugins.disable("sample");
      expect(await codeOf(run(rig))).toBe("plugin.disabled");
      await plugins.enable("sample");
      await run(rig);
      await plugins.disable("sample");
      writeFileSync(join(folder, "new"), "");
      expect(await codeOf(plugins.enable("sample"))).toBe("consent.needed");
      expect(plugins.subscribers("on_deploy_success")).toEqual([]);
    }));

  test("a folder that goes away stops it, and one that comes back lets it run", () =>
    withRig(async (rig) => {
      const { plugins } = rig.world;
      const folder = drop(rig.second);
      await consent(rig);
      renameSync(folder, join(rig.path, "aside"));
      expect(await codeOf(run(rig))).toBe("plugin.tampered");
      expect(await reasonOf(rig, folder)).toContain("is gone");
      expect(await codeOf(plugins.enable("sample"))).toBe("plugin.not_found");
      renameSync(join(rig.path, "aside"), folder);
      await run(rig);
      // Elsewhere it has to be consented to again.
      renameSync(folder, join(rig.first, "sample"));
      expect(await codeOf(run(rig))).toBe("plugin.tampered");
      await consent(rig);
      await run(rig);
    }));

  test("who watches the folder stops an open room at once, says so, and wakes what waits", async () => {
    await using dir = tempDir();
    const told: string[] = [];
    const rig = makeRig(dir.path, { changed: (plugin) => void told.push(plugin) });
    const { plugins, rooms } = rig.world;
    plugins.start();
    const folder = drop(rig.second);
    await consent(rig);
    await run(rig);
    expect(rooms.open.size).toBe(1);
    told.length = 0;
    writeFileSync(join(folder, "new"), "");
    await until(() => rooms.open.size === 0, { timeoutMs: 10_000, what: "the end of its room" });
    rmSync(join(folder, "new"));
    await until(() => told.length === 2, { timeoutMs: 10_000, what: "both changes" });
    const options = { limit: 99, follow: false, signal: new AbortController().signal };
    const log = (await Array.fromAsync(plugins.logs("sample", options))).map(({ text }) => text).join("\n");
    expect(log).toMatch(/it does not run: .* is not what was consented to[^]*it may run again/);
    await rig.world.close();
  }, 30_000);
});

describe("names", () => {
  test("of two with one name the first folder's counts, until it is gone", () =>
    withRig(async (rig) => {
      const [one, two] = [drop(rig.first, { version: "1.0.0" }), drop(rig.second, { version: "2.0.0" })];
      expect(await states(rig)).toEqual(["sample: not approved", "sample: shadowed"]);
      expect(await reasonOf(rig, two)).toBe(`${one} comes first`);
      expect((await rig.world.plugins.inspect({ dropIn: "sample" })).version).toBe("1.0.0");
      expect(await rig.world.plugins.remove("sample")).toBe(one);
      expect(await states(rig)).toEqual(["sample: not approved"]);
      expect((await rig.world.plugins.inspect({ dropIn: "sample" })).version).toBe("2.0.0");
    }));

  test("one that comes later into a better place takes nothing from one that was consented to", () =>
    withRig(async (rig) => {
      drop(rig.second, { version: "2.0.0" });
      await consent(rig);
      const late = drop(rig.first, { version: "3.0.0" });
      expect(await run(rig)).toMatchObject({ version: "2.0.0" });
      expect(await states(rig)).toEqual(["sample: enabled", "sample: shadowed"]);
      expect(await reasonOf(rig, late)).toContain("is installed from");
      await rig.world.plugins.enable("sample");
      expect(await run(rig)).toMatchObject({ version: "2.0.0" });
    }));

  test("the name of what was installed otherwise is taken", () =>
    withRig(async (rig) => {
      await installSample(rig.world, samplePlugin());
      const folder = drop(rig.first, { version: "9.0.0" });
      expect(await states(rig)).toEqual(["sample: enabled", "sample: shadowed"]);
      expect(await codeOf(rig.world.plugins.inspect({ dropIn: "sample" }))).toBe("plugin.name_taken");
      expect(await run(rig)).toMatchObject({ version: "1.0.0" });
      // Nothing of the folder goes with what has its name.
      expect(await rig.world.plugins.remove("sample")).toBeNull();
      expect(existsSync(folder)).toBe(true);
      expect(await states(rig)).toEqual(["sample: not approved"]);
    }));

  test("what is built in stands at the end, and can't be changed or removed, also where a folder has its name", () =>
    withRig(async (rig) => {
      const { plugins } = rig.world;
      for (const isThere of [false, true]) {
        if (isThere) drop(rig.first, { name: "docker" });
        const all = (await plugins.survey()).plugins;
        expect(all.slice(-2)).toMatchObject([
          { name: "docker", type: "provider", builtIn: true, state: "enabled", tier: null },
          { name: "process", type: "provider", builtIn: true, state: "enabled", tier: null },
        ]);
        for (const work of [
          () => plugins.remove("docker"),
          () => plugins.disable("docker"),
          () => plugins.enable("docker"),
          () => plugins.call("docker", "on_deploy_success"),
        ])
          expect(await codeOf(work())).toBe("plugin.built_in");
      }
      expect(existsSync(join(rig.first, "docker"))).toBe(true);
      expect(await states(rig)).toEqual(["docker: shadowed"]);
      expect(await codeOf(plugins.inspect({ dropIn: "docker" }))).toBe("plugin.name_taken");
    }));
});

describe("removing", () => {
  test("takes the folder along, whether it was consented to, can be or not", () =>
    withRig(async (rig) => {
      const { plugins } = rig.world;
      const approved = drop(rig.second);
      await consent(rig);
      const waiting = drop(rig.second, { name: "waiting" });
      const broken = drop(rig.first, {}, "broken");
      for (const [name, folder] of [
        ["sample", approved],
        ["waiting", waiting],
        ["broken", broken],
      ] as const) {
        expect(await plugins.remove(name)).toBe(folder);
        expect(existsSync(folder)).toBe(false);
        expect(await codeOf(plugins.remove(name))).toBe("plugin.not_found");
      }
      expect(await states(rig)).toEqual([]);
      expect(readdirSync(join(rig.world.dataDir, "packages"))).toEqual([".staging"]);
    }));
});
