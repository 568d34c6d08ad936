/** What plugins may keep in files/: counted, shared, and never more than the disk can bear. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../../../src/base/limits.ts";
import { filePlugin } from "../../../file-plugin.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, needs, tempDir } from "../../../harness.ts";

const KIB = 1024;
const kib = (count: number) => ({ $b64: Buffer.alloc(count * KIB).toString("base64") });

describe.if(needs("linux"))("the room in files/", () => {
  test("is for all plugins, and each has half of it", async () => {
    await using plugin = filePlugin({ limits: () => ({ maxBytes: 100 * KIB }) });
    const put = (as: string, path: string, count: number) =>
      plugin.as(as)("write", { path: `files/${path}`, data: kib(count) });
    await put("a", "a1", 50);
    expect(await rejection(put("a", "a2", 1))).toMatchObject({
      code: "capability.limit",
      message: "the plugin a keeps in files/ at most 50 KiB, and there is no room for 1 KiB more",
    });
    await put("b", "b1", 40);
    expect(await rejection(put("c", "c1", 11))).toMatchObject({
      code: "capability.limit",
      message: "plugins keep in files/ at most 100 KiB, and there is no room for 11 KiB more",
    });
    expect(await codeOf(plugin.as("c")("append", { path: "files/b1", data: kib(11) }))).toBe(
      "capability.limit",
    );
    await put("c", "c1", 10);
    // What shrinks is never refused, and gives room.
    await put("a", "a1", 20);
    await put("b", "b2", 10);
    for (const path of ["a2"]) expect(existsSync(join(plugin.dataDir, "files", path))).toBe(false);
  });

  test("counts what is written at the same time", async () => {
    await using plugin = filePlugin({ limits: () => ({ maxBytes: 100 * KIB }) });
    const codes = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        codeOf(plugin.call("write", { path: `files/f${i}`, data: kib(10) })),
      ),
    );
    expect(codes.filter((code) => code === "ok")).toHaveLength(5);
    expect(codes.filter((code) => code === "capability.limit")).toHaveLength(7);
  });

  test("is measured in files and folders too", async () => {
    await using plugin = filePlugin({ limits: () => ({ maxCount: 10 }) });
    const { as } = plugin;
    await as("a")("mkdir", { path: "files/d/e", options: { parents: true } });
    for (const name of ["x", "y", "z"]) await as("a")("append", { path: `files/${name}`, data: "" });
    expect(await rejection(as("a")("mkdir", { path: "files/more" }))).toMatchObject({
      code: "capability.limit",
    });
    expect(await rejection(as("a")("write", { path: "files/more", data: "" }))).toMatchObject({
      code: "capability.limit",
      message: "the plugin a keeps in files/ at most 5 files and folders, and there is no room for one more",
    });
    await as("a")("write", { path: "files/x", data: "again" });
    await as("a")("remove", { path: "files/y" });
    await as("a")("write", { path: "files/more", data: "" });
  });

  test("is remembered over a restart, through renames, and by who wrote last", async () => {
    await using plugin = filePlugin({ limits: () => ({ maxBytes: 100 * KIB }) });
    const { as } = plugin;
    await as("a")("mkdir", { path: "files/d" });
    await as("a")("write", { path: "files/d/x", data: kib(40) });
    await as("a")("rename", { from: "files/d", to: "files/e" });
    plugin.restart();
    const more = () => codeOf(as("a")("write", { path: "files/y", data: kib(20) }));
    expect(await more()).toBe("capability.limit");
    await as("b")("write", { path: "files/e/x", data: kib(40) });
    expect(await more()).toBe("ok");
    plugin.restart();
    expect(await codeOf(as("b")("write", { path: "files/z", data: kib(20) }))).toBe("capability.limit");
  });

  test("follows a rename onto names that somebody else has cleared away", async () => {
    await using plugin = filePlugin({ limits: () => ({ maxBytes: 100 * KIB }) });
    const { as } = plugin;
    for (const folder of ["a", "b"]) {
      await as(folder)("mkdir", { path: `files/${folder}` });
      await as(folder)("write", { path: `files/${folder}/x`, data: kib(20) });
    }
    rmSync(join(plugin.dataDir, "files/b"), { recursive: true });
    await as("a")("rename", { from: "files/a", to: "files/b" });
    plugin.restart();
    expect(await codeOf(as("a")("write", { path: "files/y", data: kib(31) }))).toBe("capability.limit");
    expect(await codeOf(as("b")("write", { path: "files/y", data: kib(31) }))).toBe("ok");
  });

  test("can't be had by writing into a folder while it is renamed", async () => {
    await using plugin = filePlugin({ limits: () => ({ maxBytes: 100 * KIB }) });
    await plugin.call("mkdir", { path: "files/d0" });
    for (let i = 0; i < 20; i++)
      await Promise.all([
        plugin.call("write", { path: `files/d${i}/f${i}`, data: kib(4) }).catch(() => {}),
        plugin.call("rename", { from: `files/d${i}`, to: `files/d${i + 1}` }),
        plugin.call("write", { path: `files/d${i + 1}/g${i}`, data: kib(4) }).catch(() => {}),
      ]);
    plugin.restart();
    const listed = (await plugin.call("list", { path: "files/d20" })) as { size: number }[];
    const bytes = listed.reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBe(48 * KIB);
  });

  test("is looked at anew when something is refused: what others put there and took away counts", async () => {
    const clock = fakeClock();
    await using plugin = filePlugin({ limits: () => ({ maxBytes: 100 * KIB }), clock });
    const planted = join(plugin.dataDir, "files/planted");
    const write = () => codeOf(plugin.call("write", { path: "files/x", data: kib(10) }));
    writeFileSync(planted, Buffer.alloc(95 * KIB));
    expect(await write()).toBe("capability.limit");
    rmSync(planted);
    expect(await write()).toBe("capability.limit");
    await clock.advance(LIMITS.filesRefusedMs);
    expect(await write()).toBe("ok");
    writeFileSync(planted, Buffer.alloc(95 * KIB));
    await clock.advance(LIMITS.filesMeasuredMs);
    expect(await codeOf(plugin.call("write", { path: "files/y", data: kib(1) }))).toBe("capability.limit");
  });

  test("is full where others put more there than plugins may have", async () => {
    await using plugin = filePlugin({ limits: () => ({ maxCount: 100 }) });
    mkdirSync(join(plugin.dataDir, "files/flood"));
    for (let i = 0; i < 200; i++) writeFileSync(join(plugin.dataDir, `files/flood/${i}`), "");
    mkdirSync(join(plugin.dataDir, "files/parts"));
    for (let i = 0; i < 200; i++) writeFileSync(join(plugin.dataDir, `files/parts/.voxeltron-${i}`), "");
    expect(await rejection(plugin.call("write", { path: "files/x", data: "" }))).toMatchObject({
      code: "capability.limit",
      message: "files/ holds more than the 100 files and folders that it may",
    });
    rmSync(join(plugin.dataDir, "files/parts"), { recursive: true });
    for (let i = 0; i < 150; i++) await plugin.call("remove", { path: `files/flood/${i}` });
    plugin.restart();
    await plugin.call("write", { path: "files/x", data: "" });
  });

  test("a tree can't be made deeper than its paths may be", async () => {
    await using plugin = filePlugin();
    const deep = (name: string) => `files${`/${name}`.repeat(20)}`;
    await plugin.call("mkdir", { path: deep("a"), options: { parents: true } });
    await plugin.call("mkdir", { path: deep("b"), options: { parents: true } });
    expect(await codeOf(plugin.call("rename", { from: "files/a", to: `${deep("b")}/a` }))).toBe(
      "capability.limit",
    );
    await plugin.call("rename", { from: "files/a", to: "files/b/a" });
  });

  test("what an earlier daemon left half written is taken away, and nothing else is", async () => {
    await using plugin = filePlugin();
    const at = (path: string) => join(plugin.dataDir, "files", path);
    mkdirSync(at("d"));
    writeFileSync(at("d/.voxeltron-left"), "half");
    writeFileSync(at("d/whole"), "whole");
    await using outside = tempDir();
    writeFileSync(join(outside.path, ".voxeltron-precious"), "precious");
    symlinkSync(outside.path, at("out"));
    expect(await plugin.call("list", { path: "files/d" })).toMatchObject([{ name: "whole" }]);
    await plugin.call("write", { path: "files/x", data: "" });
    expect(existsSync(at("d/.voxeltron-left"))).toBe(false);
    expect(readFileSync(at("d/whole"), "utf8")).toBe("whole");
    expect(readFileSync(join(outside.path, ".voxeltron-precious"), "utf8")).toBe("precious");
  });
});

describe.if(needs("mount"))("the disk", () => {
  async function withDisk(size: string, work: (place: string) => Promise<void>): Promise<void> {
    await using dir = tempDir();
    const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", dir.path]);
    expect(mount.exitCode).toBe(0);
    try {
      await work(dir.path);
    } finally {
      Bun.spawnSync(["umount", dir.path]);
    }
  }

  test("is never filled by plugins: a part stays free", async () => {
    await withDisk("1m", async (place) => {
      await using plugin = filePlugin({ under: place });
      const codes: string[] = [];
      for (let i = 0; i < 11; i++)
        codes.push(await codeOf(plugin.as(`p${i}`)("append", { path: "files/x", data: kib(100) })));
      expect(codes).toEqual([...Array.from({ length: 9 }, () => "ok"), "disk.full", "disk.full"]);
      expect(((await plugin.call("stat", { path: "files/x" })) as { size: number }).size).toBe(900 * KIB);
    });
  });

  test("that is full all the same leaves what was there as it was", async () => {
    await withDisk("1m", async (place) => {
      await using plugin = filePlugin({
        under: place,
        // Somebody else fills the disk after the look at it.
        store: (store) => ({ ...store, space: async () => ({ free: 1e12, size: 1e12 }) }),
      });
      await plugin.call("write", { path: "files/x", data: "old" });
      expect(await codeOf(plugin.call("write", { path: "files/x", data: kib(2000) }))).toBe("disk.full");
      expect(await codeOf(plugin.call("append", { path: "files/x", data: kib(2000) }))).toBe("disk.full");
      expect(await plugin.call("readText", { path: "files/x" })).toBe("old");
      expect(await plugin.call("list", { path: "files" })).toEqual([{ name: "x", type: "file", size: 3 }]);
    });
  });
});
