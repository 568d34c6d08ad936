/** What somebody may try who can write into a folder of drop-ins, or make the daemon look at one. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../../../src/base/limits.ts";
import { adoptPackages } from "../../../../src/host/package/adopt-packages.ts";
import { makePackageStore } from "../../../../src/host/package/package-store.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { tempDir } from "../../../harness.ts";
import { installSample, samplePlugin } from "../world.ts";
import { consent, drop, makeRig, reasonOf, run, states, withRig, type Rig } from "./rig.ts";

const nothingRan = ({ world }: Rig): void => {
  expect(world.rooms.opened).toBe(0);
  expect(existsSync(join(world.dataDir, "packages"))).toBe(false);
};

describe("between consent and start", () => {
  test("files that are swapped after they were shown are not installed", () =>
    withRig(async (rig) => {
      const { plugins } = rig.world;
      const folder = drop(rig.second);
      const source = { dropIn: "sample" };
      const { digest } = await plugins.inspect(source);
      writeFileSync(join(folder, "index.ts"), "handles:on_deploy_success,evil");
      const install = () => plugins.install({ source, digest, grants: [], by: "tester" });
      expect(await codeOf(install())).toBe("plugin.changed");
      nothingRan(rig);
      expect(await states(rig)).toEqual(["sample: not approved"]);
      // Neither is another folder that comes before it meanwhile.
      drop(rig.second);
      drop(rig.first, { version: "2.0.0" });
      expect(await codeOf(install())).toBe("plugin.changed");
      nothingRan(rig);
      // The control: the very same bytes are.
      drop(rig.first);
      expect(await codeOf(install())).toBe("ok");
    }));

  test("what runs is a copy: files that are swapped later never run, at any moment", () =>
    withRig(async (rig) => {
      const folder = drop(rig.second);
      await consent(rig);
      const ran: string[] = [];
      rig.world.rooms.call = async ({ code }) => void ran.push(code.kind === "js" ? code.text : "");
      for (let round = 0; round < 20; round++) {
        const text = round % 2 === 0 ? "handles:on_deploy_success" : "handles:on_deploy_success,evil";
        const swap = (async () => writeFileSync(join(folder, "index.ts"), text))();
        await Promise.allSettled([run(rig), swap, run(rig)]);
      }
      expect(ran.length).toBeGreaterThan(0);
      expect(ran.filter((text) => text.includes("evil"))).toEqual([]);
    }));
});

describe("links", () => {
  test("a link in a plugin's place is refused, and removing it leaves what it points at", () =>
    withRig(async (rig) => {
      const real = drop(rig.path, {}, "elsewhere");
      const link = join(rig.first, "sample");
      symlinkSync(real, link);
      expect(await states(rig)).toEqual(["sample: broken"]);
      expect(await reasonOf(rig, link)).toContain("it is a symbolic link");
      expect(await codeOf(rig.world.plugins.inspect({ dropIn: "sample" }))).toBe("plugin.invalid");
      nothingRan(rig);
      await rig.world.plugins.remove("sample");
      expect([lstatSync(link, { throwIfNoEntry: false }), existsSync(join(real, "index.ts"))]).toEqual([
        undefined,
        true,
      ]);
    }));

  test("one that takes the place of a plugin that was consented to stops it", () =>
    withRig(async (rig) => {
      const folder = drop(rig.first);
      await consent(rig);
      renameSync(folder, join(rig.path, "moved"));
      symlinkSync(join(rig.path, "moved"), folder);
      expect(await codeOf(run(rig))).toBe("plugin.tampered");
    }));

  test("a file that is a link out of the folder is refused", () =>
    withRig(async (rig) => {
      const secret = join(rig.path, "secret");
      writeFileSync(secret, "canary");
      const folder = drop(rig.first);
      symlinkSync(secret, join(folder, "data"));
      expect(await reasonOf(rig, folder)).toContain('"data"');
      expect(await codeOf(rig.world.plugins.inspect({ dropIn: "sample" }))).toBe("upload.invalid");
    }));

  test("removing follows no link that lies in the folder", () =>
    withRig(async (rig) => {
      const outside = join(rig.path, "outside");
      mkdirSync(outside);
      writeFileSync(join(outside, "kept"), "");
      const folder = drop(rig.first);
      symlinkSync(outside, join(folder, "link"));
      await rig.world.plugins.remove("sample");
      expect([existsSync(folder), readdirSync(outside)]).toEqual([false, ["kept"]]);
    }));
});

describe("rights", () => {
  const places: readonly [string, (rig: Rig, folder: string) => string][] = [
    ["the plugin's own folder", (_, folder) => folder],
    ["the folder that holds it", (rig) => rig.first],
    ["a folder above that", (rig) => rig.path],
    ["one of its files", (_, folder) => join(folder, "index.ts")],
  ];
  test.each(places)("%s, where everybody may write, is refused by name", (_, placeOf) =>
    withRig(async (rig) => {
      const folder = drop(rig.first);
      const place = placeOf(rig, folder);
      const mode = lstatSync(place).mode & 0o777;
      chmodSync(place, mode | 0o002);
      expect(await states(rig)).toEqual(["sample: broken"]);
      expect(await reasonOf(rig, folder)).toContain(`everybody may write to "${place}"`);
      for (const work of [
        rig.world.plugins.inspect({ dropIn: "sample" }),
        rig.world.plugins.enable("sample"),
      ])
        expect(await rejection(work)).toMatchObject({ code: "plugin.folder_exposed", details: { place } });
      nothingRan(rig);
      // The control: without that right it can be consented to. When it comes back, that ends.
      chmodSync(place, mode);
      await consent(rig);
      await run(rig);
      chmodSync(place, mode | 0o002);
      expect(await codeOf(run(rig))).toBe("plugin.tampered");
    }),
  );

  test("where only owners can replace things, as in /tmp, what the daemon's user owns is safe; what others put there is refused", () =>
    withRig(async (rig) => {
      const folder = drop(rig.first);
      chmodSync(rig.path, 0o1777);
      chmodSync(rig.first, 0o1777);
      expect(await states(rig)).toEqual(["sample: not approved"]);
      if (process.getuid?.() !== 0) return;
      chownSync(folder, 4242, 4242);
      expect(await states(rig)).toEqual(["sample: broken"]);
      expect(await reasonOf(rig, folder)).toContain(`everybody may write to "${rig.first}"`);
    }));
});

describe("names", () => {
  test("a folder that is not called as its plugin is refused, whatever it says that it is", () =>
    withRig(async (rig) => {
      await installSample(rig.world, samplePlugin());
      const folder = drop(rig.first, { name: "sample", version: "6.6.6" }, "harmless");
      expect(await states(rig)).toEqual(["harmless: broken", "sample: enabled"]);
      expect(await reasonOf(rig, folder)).toContain('says that it is called "sample"');
      expect(await codeOf(rig.world.plugins.inspect({ dropIn: "harmless" }))).toBe("manifest.invalid");
      expect(await run(rig)).toMatchObject({ version: "1.0.0" });
    }));

  test("a name that is a path leads nowhere", () =>
    withRig(async (rig) => {
      const victim = drop(rig.path, {}, "victim");
      drop(rig.first, {}, ".hidden");
      for (const name of [
        "../../victim",
        "..",
        ".",
        "",
        "/",
        victim,
        ".hidden",
        "sample/../.hidden",
        "x\0",
      ]) {
        expect(await codeOf(rig.world.plugins.inspect({ dropIn: name }))).toBe("plugin.not_found");
        expect(await codeOf(rig.world.plugins.remove(name))).toBe("plugin.not_found");
        expect(await codeOf(rig.world.plugins.enable(name))).toBe("plugin.not_found");
      }
      expect([existsSync(victim), existsSync(join(rig.first, ".hidden")), await states(rig)]).toEqual([
        true,
        true,
        [],
      ]);
    }));

  test("no name moves the cursor, and none is taken for another by its look", () =>
    withRig(async (rig) => {
      for (const name of ["a\u001B[2Jb", "sample\u202E", "Sample", "sample "]) drop(rig.first, {}, name);
      const { plugins } = await rig.world.plugins.survey();
      const dropped = plugins.filter(({ builtIn }) => !builtIn);
      expect(dropped.map(({ state }) => state)).toEqual(["broken", "broken", "broken", "broken"]);
      expect(JSON.stringify(dropped)).not.toMatch(/[\p{Cc}\p{Cf}]|\\u/u);
    }));
});

describe("a folder with anything in it", () => {
  test("shows its own error, and the others are as they were", () =>
    withRig(async (rig) => {
      const put = (name: string, file: string, content: string | Uint8Array): void => {
        mkdirSync(join(rig.first, name));
        writeFileSync(join(rig.first, name, file), content);
      };
      drop(rig.first, { name: "good" });
      mkdirSync(join(rig.first, "empty"));
      put("binary", "plugin.yaml", new Uint8Array([0xff, 0xfe, 0]));
      put("huge", "plugin.toml", "#".repeat(LIMITS.manifestBytes + 1));
      put("typo", "plugin.yaml", 'nme: typo\nversion: "1.0.0"\n');
      put("bomb", "plugin.yaml", `a: &a [${"*a,".repeat(50)}]`);
      put("blunt", "plugin.yaml", 'name: blunt\nversion: "1.0.0"\ntype: hook\nentrypoint: ./run\n');
      writeFileSync(join(rig.first, "blunt", "run"), "#!/bin/sh\n");
      mkdirSync(join(rig.first, "pipe"));
      Bun.spawnSync(["mkfifo", join(rig.first, "pipe", "plugin.yaml")]);
      writeFileSync(join(rig.first, "README"), "not a folder");
      const names = ["binary", "blunt", "bomb", "empty", "good", "huge", "pipe", "typo"];
      expect(await states(rig)).toEqual(
        names.map((name) => `${name}: ${name === "good" ? "not approved" : "broken"}`),
      );
      const says = (name: string) => reasonOf(rig, join(rig.first, name));
      expect(await says("typo")).toContain('plugin.yaml:1:1: nme: is not a known key; did you mean "name"?');
      expect(await says("blunt")).toContain(
        'the entrypoint "run" is not executable; make it so: chmod +x run',
      );
      expect(await says("empty")).toContain("the folder has no plugin.toml and no plugin.yaml");
      expect(await says("pipe")).toContain("is neither a file nor a folder");
      await consent(rig, "good");
      await run(rig, "good");
    }));

  test("a manifest that lies beside the folders is told of", () =>
    withRig(async (rig) => {
      writeFileSync(join(rig.second, "plugin.yaml"), "");
      const { folders } = await rig.world.plugins.survey();
      expect(folders.map(({ problem }) => problem)).toEqual([
        null,
        "it holds a plugin.yaml itself; each plugin wants a folder of its own in it",
      ]);
    }));

  test("more folders than are looked at are told of", () =>
    withRig(async (rig) => {
      for (let index = 0; index <= LIMITS.dropInsPerFolder; index++) mkdirSync(join(rig.first, `p${index}`));
      const { plugins, folders } = await rig.world.plugins.survey();
      expect(plugins.filter(({ builtIn }) => !builtIn)).toHaveLength(LIMITS.dropInsPerFolder);
      expect(folders[0]?.problem).toContain("the first 200 of them");
    }));
});

describe("installed packages", () => {
  test("are nowhere near: a folder that looks like one changes nothing, and is not swept away", () =>
    withRig(async (rig) => {
      await installSample(rig.world, samplePlugin());
      const { digest } = await rig.world.plugins.info("sample");
      const forged = join(rig.first, "sample", digest.slice(7, 23), "files");
      mkdirSync(forged, { recursive: true });
      writeFileSync(join(forged, "index.ts"), "handles:on_deploy_success,evil");
      writeFileSync(join(rig.first, "keep-me"), "");
      await rig.world.plugins.sweep();
      expect(await run(rig)).toMatchObject({ version: "1.0.0" });
      expect(existsSync(join(forged, "index.ts")) && existsSync(join(rig.first, "keep-me"))).toBe(true);
      expect((await rig.world.plugins.info("sample")).state).toBe("enabled");
    }));

  test("that an earlier version kept among the drop-ins are moved once, and nothing else is", async () => {
    await using dir = tempDir();
    const former = join(dir.path, "data/plugins");
    const store = makePackageStore(former);
    const before = makeRig(dir.path, { store });
    await installSample(before.world, samplePlugin());
    await installSample(before.world, samplePlugin({ version: "2.0.0" }));
    await before.world.close();
    const waiting = drop(former, { name: "waiting" });

    const packages = join(dir.path, "data/packages");
    const rig = makeRig(dir.path, { store: makePackageStore(packages, former) });
    await rig.world.plugins.sweep();
    expect(await run(rig)).toMatchObject({ version: "2.0.0" });
    await rig.world.plugins.rollback("sample", undefined, "tester");
    expect(await run(rig)).toMatchObject({ version: "1.0.0" });
    expect(readdirSync(former)).toEqual(["waiting"]);
    expect(readFileSync(join(waiting, "plugin.toml"), "utf8")).toContain("waiting");

    // Never again: what is put there later is not taken for a package.
    const digest = `sha256:${"ab".repeat(32)}`;
    mkdirSync(join(former, "sample", "ab".repeat(8), "files"), { recursive: true });
    await adoptPackages(former, packages, new Map([["sample", [{ digest }]]]));
    expect(existsSync(join(packages, "sample", "ab".repeat(8)))).toBe(false);
    await rig.world.close();
  });
});
