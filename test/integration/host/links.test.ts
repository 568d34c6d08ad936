/** Plugins that are linked to a folder: what is taken over, what is not, and that only that folder is read. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import type { PackageFiles } from "../../../src/host/package/package-files.ts";
import { watchFolder } from "../../../src/platform/folder/watch-folder.ts";
import { codeOf, rejection } from "../../fixtures/rejection.ts";
import { tempDir, until } from "../../harness.ts";
import { eventOf, makeWorld, samplePlugin, type Sample, type World } from "./world.ts";

const run = (world: World) =>
  world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success")) as Promise<{
    version: string;
  }>;

function write(folder: string, files: PackageFiles): void {
  for (const [path, { bytes }] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

async function link(world: World, folder: string): Promise<void> {
  const { digest, required } = await world.plugins.inspect({ link: folder });
  const grants = required.map(({ capability }) => ({ capability: capability as "notify_send" }));
  await world.plugins.install({ source: { link: folder }, digest, grants, by: "tester" });
}

async function logOf(world: World): Promise<string> {
  const options = { limit: 99, follow: false, signal: new AbortController().signal };
  return (await Array.fromAsync(world.plugins.logs("sample", options))).map(({ text }) => text).join("\n");
}

/** A plugin in a folder, installed from there and linked to it, in a running host. */
async function linked(sample: Sample, work: (world: World, folder: string) => Promise<void>): Promise<void> {
  await using dir = tempDir();
  const folder = join(dir.path, "mine");
  write(folder, samplePlugin(sample));
  const world = makeWorld(join(dir.path, "data"));
  world.plugins.start();
  try {
    await link(world, folder);
    await work(world, folder);
  } finally {
    await world.close();
  }
}

/** Makes a change, and waits until whoever watches the folder has heard of it. */
async function noticed(folder: string, change: () => void): Promise<void> {
  let calls = 0;
  const watching = watchFolder(folder, systemClock, () => calls++);
  await until(() => calls === 1);
  change();
  await until(() => calls === 2);
  watching.close();
}

const version = (world: World) => world.plugins.info("sample").then((info) => info.version);
const state = async (world: World) => {
  const { state, reason } = await world.plugins.info("sample");
  return { state, reason: reason ?? "" };
};

describe("a change in the folder", () => {
  test("is taken over with what was granted, and the next event meets it", () =>
    linked({ required: ["notify_send"] }, async (world, folder) => {
      expect(await world.plugins.info("sample")).toMatchObject({ link: folder, source: "folder" });
      for (const next of ["1.0.1", "1.0.2", "1.0.3"]) {
        write(folder, samplePlugin({ version: next, required: ["notify_send"] }));
        await until(async () => (await version(world)) === next);
        expect((await run(world)).version).toBe(next);
        expect([...world.caller("sample").grants.keys()]).toEqual(["notify_send"]);
      }
      expect(await logOf(world)).toMatch(/what changed in \S+ was taken over in \d+ ms/);
      expect((await world.plugins.info("sample")).versions).toEqual([]);
      expect(world.rooms.open.size).toBe(1);
    }));

  test("counts also deep below, in a folder that is new, and where a file was put in the place of another", () =>
    linked({}, async (world, folder) => {
      const digest = () => world.plugins.info("sample").then((info) => info.digest);
      const steps = [
        () => mkdirSync(join(folder, "a/b/c"), { recursive: true }),
        () => writeFileSync(join(folder, "a/b/c/deep.ts"), "1"),
        () => writeFileSync(join(folder, "a/b/c/deep.ts"), "2"),
        () => {
          writeFileSync(join(folder, "aside"), "handles:on_deploy_success // renamed");
          renameSync(join(folder, "aside"), join(folder, "index.ts"));
        },
        () => chmodSync(join(folder, "index.ts"), 0o755),
        () => rmSync(join(folder, "a"), { recursive: true }),
      ];
      for (const [index, step] of steps.entries()) {
        const before = await digest();
        step();
        // An empty folder is nothing.
        if (index > 0) await until(async () => (await digest()) !== before, { what: `step ${index}` });
      }
    }));

  test(
    "that does not load, or can't be read, leaves the plugin as it is and says why, until it is mended",
    () =>
      linked({}, async (world, folder) => {
        const breakages: readonly (readonly [() => void, string])[] = [
          [() => writeFileSync(join(folder, "index.ts"), "throws"), "the code threw"],
          [() => writeFileSync(join(folder, "plugin.toml"), "[plugin"), "plugin.toml"],
          [() => rmSync(join(folder, "plugin.toml")), "no plugin.toml"],
          [() => write(folder, samplePlugin({ name: "other" })), "called other, not sample"],
          [() => symlinkSync("/etc/hostname", join(folder, "out")), "is a link that leaves the folder"],
          [() => rmSync(folder, { recursive: true }), "the daemon can't see the folder"],
        ];
        for (const [breakage, words] of breakages) {
          breakage();
          await until(async () => (await state(world)).reason.includes(words), { what: words });
          expect((await state(world)).state).toBe("enabled");
          expect((await run(world)).version).toBe("1.0.0");
          expect(await logOf(world)).toContain(words);
        }
        write(folder, samplePlugin({ version: "2.0.0" }));
        await until(async () => (await version(world)) === "2.0.0");
        expect(await state(world)).toEqual({ state: "enabled", reason: "" });
      }),
    20_000,
  );

  test(
    "that asks for something else pauses the plugin until someone consents, or until it is taken back",
    () =>
      linked({ required: ["notify_send"] }, async (world, folder) => {
        const wider = samplePlugin({ version: "2.0.0", required: ["notify_send", "docker_write"] });
        write(folder, wider);
        await until(async () => (await state(world)).state === "paused");
        expect((await state(world)).reason).toContain(
          `it asks for docker_write; to look at it and consent: voxeltron plugin install --link ${folder}`,
        );
        expect(await codeOf(run(world))).toBe("plugin.paused");
        expect(world.rooms.open.size).toBe(0);
        expect(world.caller("sample").grants.size).toBe(0);
        expect(world.plugins.subscribers("on_deploy_success")).toHaveLength(1);

        write(folder, samplePlugin({ required: ["notify_send"] }));
        await until(async () => (await state(world)).state === "enabled");
        expect((await run(world)).version).toBe("1.0.0");

        write(folder, wider);
        await until(async () => (await state(world)).state === "paused");
        await link(world, folder);
        expect(await state(world)).toEqual({ state: "enabled", reason: "" });
        expect((await run(world)).version).toBe("2.0.0");
        expect([...world.caller("sample").grants.keys()].toSorted()).toEqual(["docker_write", "notify_send"]);
      }),
    20_000,
  );
});

describe("a link", () => {
  test("goes on after a restart, with what changed meanwhile; a pause holds from the first moment", async () => {
    await using dir = tempDir();
    const folder = join(dir.path, "mine");
    const data = join(dir.path, "data");
    write(folder, samplePlugin());
    const first = makeWorld(data);
    await link(first, folder);
    await first.close();

    write(folder, samplePlugin({ version: "1.1.0" }));
    const second = makeWorld(data);
    second.plugins.start();
    await until(async () => (await version(second)) === "1.1.0");
    write(folder, samplePlugin({ version: "2.0.0", required: ["docker_write"] }));
    await until(async () => (await state(second)).state === "paused");
    await second.close();

    const third = makeWorld(data);
    expect((await state(third)).state).toBe("paused");
    expect(await codeOf(run(third))).toBe("plugin.paused");
    await third.close();
  });

  const ends: Readonly<Record<string, (world: World, folder: string) => Promise<unknown>>> = {
    "an install without it": async (world) => {
      const files = samplePlugin({ version: "5.0.0" });
      const { digest } = await world.plugins.inspect({ files });
      return world.plugins.install({ source: { files }, digest, grants: [], by: "t" });
    },
    "a reload from elsewhere": (world) => world.plugins.reload("sample", samplePlugin({ version: "5.0.0" })),
    "a rollback": async (world, folder) => {
      write(folder, samplePlugin({ version: "4.0.0" }));
      await until(async () => (await version(world)) === "4.0.0");
      const files = samplePlugin({ version: "5.0.0" });
      const { digest } = await world.plugins.inspect({ files });
      await world.plugins.install({ source: { files }, digest, grants: [], by: "t" });
      await link(world, folder);
      await world.plugins.rollback("sample", "5.0.0", "t");
    },
  };
  for (const [what, end] of Object.entries(ends))
    test(`is ended by ${what}`, () =>
      linked({}, async (world, folder) => {
        await end(world, folder);
        expect(await world.plugins.info("sample")).toMatchObject({ link: null, version: "5.0.0" });
        const opened = world.rooms.opened;
        await noticed(folder, () => write(folder, samplePlugin({ version: "6.0.0" })));
        expect(await version(world)).toBe("5.0.0");
        expect(world.rooms.opened).toBe(opened);
      }));

  test("of a plugin that is removed is ended, and the folder stays", () =>
    linked({}, async (world, folder) => {
      await world.plugins.remove("sample");
      await noticed(folder, () => write(folder, samplePlugin({ version: "2.0.0" })));
      expect(await world.plugins.list()).toEqual([]);
      expect(await Bun.file(join(folder, "plugin.toml")).exists()).toBe(true);
    }));

  test("wants a folder that the daemon can see, by its absolute path", async () => {
    await using dir = tempDir();
    const world = makeWorld(join(dir.path, "data"));
    write(join(dir.path, "mine"), samplePlugin());
    writeFileSync(join(dir.path, "file"), "");
    expect(await codeOf(world.plugins.inspect({ link: "mine" }))).toBe("usage.invalid");
    for (const path of ["nowhere", "file", "file/below"])
      expect(await rejection(world.plugins.inspect({ link: join(dir.path, path) }))).toMatchObject({
        code: "plugin.link_unreadable",
      });
    expect(await rejection(world.plugins.inspect({ link: join(dir.path, "nowhere") }))).toMatchObject({
      hint: expect.stringContaining("ProtectHome"),
    });
    await world.close();
  });

  test("reads nothing outside of the folder, through whatever link", async () => {
    await using dir = tempDir();
    const folder = join(dir.path, "mine");
    const world = makeWorld(join(dir.path, "data"));
    mkdirSync(join(dir.path, "outside"));
    writeFileSync(join(dir.path, "outside/secret.txt"), "secret");
    const links: readonly (readonly [string, string])[] = [
      ["secret.txt", "../outside/secret.txt"],
      ["sub", join(dir.path, "outside")],
      ["up", ".."],
    ];
    for (const [name, target] of links) {
      rmSync(folder, { recursive: true, force: true });
      write(folder, samplePlugin());
      symlinkSync(target, join(folder, name));
      expect(await codeOf(world.plugins.inspect({ link: folder }))).toBe("upload.invalid");
    }
    // The control: a link that stays inside is followed.
    rmSync(join(folder, "up"));
    symlinkSync("index.ts", join(folder, "inside.ts"));
    expect(await codeOf(world.plugins.inspect({ link: folder }))).toBe("ok");
    await world.close();
  });
});
