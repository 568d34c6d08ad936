/** What a plugin can do with files, through the broker, on a real disk. */
import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../../../src/base/limits.ts";
import { filePlugin } from "../../../file-plugin.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { needs } from "../../../harness.ts";

const b64 = (bytes: string | Uint8Array) => ({ $b64: Buffer.from(bytes).toString("base64") });

describe.if(needs("linux"))("a plugin with fs_read and fs_write", () => {
  test("writes, reads, appends, lists, looks, renames and removes", async () => {
    await using plugin = filePlugin();
    const { call, dataDir } = plugin;
    expect(await call("list", { path: "files" })).toEqual([]);
    await call("mkdir", { path: "files/reports" });
    expect(await call("write", { path: "files/reports/a.txt", data: "héllo" })).toBeUndefined();
    expect(await call("readText", { path: "files/reports/a.txt" })).toBe("héllo");
    expect(await call("read", { path: "files/reports/a.txt" })).toEqual(b64("héllo"));
    await call("append", { path: "files/reports/a.txt", data: b64("!") });
    await call("append", { path: "files/reports/new.log", data: "first" });
    expect(await call("list", { path: "files/reports" })).toEqual([
      { name: "a.txt", type: "file", size: 7 },
      { name: "new.log", type: "file", size: 5 },
    ]);
    expect(await call("list", { path: "files" })).toEqual([{ name: "reports", type: "directory", size: 0 }]);
    expect(await call("stat", { path: "files/reports/a.txt" })).toEqual({
      type: "file",
      size: 7,
      modified: statSync(join(dataDir, "files/reports/a.txt")).mtime.toISOString(),
    });
    await call("rename", { from: "files/reports/new.log", to: "files/reports/a.txt" });
    expect(await call("readText", { path: "files/reports/a.txt" })).toBe("first");
    await call("rename", { from: "files/reports", to: "files/old" });
    await call("remove", { path: "files/old/a.txt" });
    await call("remove", { path: "files/old" });
    expect(readdirSync(join(dataDir, "files"))).toEqual([]);
    expect(
      plugin.audit.map(({ method, capability, target, outcome }) => [method, capability, target, outcome]),
    ).toContainEqual(["fs.rename", "fs_write", "files/reports → files/old", "ok"]);
  });

  test("gets parts of a file", async () => {
    await using plugin = filePlugin();
    await plugin.call("write", { path: "files/x", data: "0123456789" });
    const text = (options: object) => plugin.call("readText", { path: "files/x", options });
    expect(await text({ offset: 7 })).toBe("789");
    expect(await text({ offset: 2, length: 3 })).toBe("234");
    expect(await text({ length: 100 })).toBe("0123456789");
    expect(await text({ offset: 10 })).toBe("");
    expect(await text({ offset: 1e15 })).toBe("");
    for (const bad of [{ offset: -1 }, { offset: 1.5 }, { length: LIMITS.fileCallBytes + 1 }, { to: 3 }])
      expect(await codeOf(text(bad))).toBe("capability.invalid_params");
  });

  test("reads no text that would not fit into a message, which is known before it is written out", async () => {
    await using plugin = filePlugin();
    const put = (byte: string | number, size: number) =>
      writeFileSync(join(plugin.dataDir, "files/odd"), Buffer.alloc(size, byte));
    const read = () => plugin.call("readText", { path: "files/odd" });
    for (const [byte, size] of [
      [1, 1_500_000],
      ["\\", 5_000_000],
      ['"', 5_000_000],
    ] as const) {
      put(byte, size);
      expect(await rejection(read())).toMatchObject({
        code: "capability.limit",
        hint: "read it in parts, with {offset, length}, or as bytes",
      });
    }
    put("é", 5_000_000);
    expect(await read()).toHaveLength(2_500_000);
    put("\n", 4_000_000);
    expect(await read()).toHaveLength(4_000_000);
  });

  test("reads a file that is longer than a message in parts", async () => {
    await using plugin = filePlugin();
    writeFileSync(join(plugin.dataDir, "files/long"), Buffer.alloc(LIMITS.fileCallBytes + 1, "x"));
    expect(await rejection(plugin.call("read", { path: "files/long" }))).toMatchObject({
      code: "capability.limit",
      hint: "read it in parts, with {offset, length}",
    });
    const options = { offset: 1, length: LIMITS.fileCallBytes };
    const { $b64 } = (await plugin.call("read", { path: "files/long", options })) as { $b64: string };
    expect(Buffer.from($b64, "base64")).toHaveLength(LIMITS.fileCallBytes);
    const whole = Buffer.alloc(LIMITS.fileCallBytes, "y");
    await plugin.call("write", { path: "files/whole", data: b64(whole) });
    expect(readFileSync(join(plugin.dataDir, "files/whole")).equals(whole)).toBe(true);
    expect(
      await codeOf(plugin.call("write", { path: "files/w", data: b64(Buffer.alloc(whole.length + 1)) })),
    ).toBe("capability.limit");
    expect(existsSync(join(plugin.dataDir, "files/w"))).toBe(false);
  });

  test("is told what is wrong", async () => {
    await using plugin = filePlugin();
    const { call, dataDir } = plugin;
    mkdirSync(join(dataDir, "files/folder/inner"), { recursive: true });
    writeFileSync(join(dataDir, "files/file"), new Uint8Array([0xff, 0xfe]));
    const codes = [
      ["read", { path: "files/none" }, "file.not_found"],
      ["read", { path: "files/none/x" }, "file.not_found"],
      ["read", { path: "files/folder" }, "file.wrong_type"],
      ["read", { path: "files" }, "file.wrong_type"],
      ["read", { path: "files/file/x" }, "file.wrong_type"],
      ["readText", { path: "files/file" }, "file.not_text"],
      ["list", { path: "files/file" }, "file.wrong_type"],
      ["list", { path: "files/none" }, "file.not_found"],
      ["stat", { path: "files/none" }, "file.not_found"],
      ["write", { path: "files/none/x", data: "" }, "file.not_found"],
      ["write", { path: "files/folder", data: "" }, "file.wrong_type"],
      ["append", { path: "files/folder", data: "" }, "file.wrong_type"],
      ["write", { path: "files/x", data: 1 }, "capability.invalid_params"],
      ["write", { path: "files/x", data: { $b64: "?" } }, "capability.invalid_params"],
      ["remove", { path: "files/none" }, "file.not_found"],
      ["remove", { path: "files/folder" }, "file.not_empty"],
      ["mkdir", { path: "files/folder" }, "file.exists"],
      ["mkdir", { path: "files/file" }, "file.exists"],
      ["mkdir", { path: "files/none/x" }, "file.not_found"],
      ["mkdir", { path: "files/file", options: { parents: true } }, "file.exists"],
      ["rename", { from: "files/none", to: "files/x" }, "file.not_found"],
      ["rename", { from: "files/file", to: "files/none/x" }, "file.not_found"],
      ["rename", { from: "files/file", to: "files/folder" }, "file.exists"],
      ["rename", { from: "files/folder", to: "files/file" }, "file.exists"],
      ["rename", { from: "files/folder", to: "files/folder/inner/x" }, "capability.invalid_params"],
    ] as const;
    for (const [method, params, code] of codes)
      expect([method, params, await codeOf(call(method, params))]).toEqual([method, params, code]);
    expect(readdirSync(join(dataDir, "files"), { recursive: true, encoding: "utf8" }).toSorted()).toEqual([
      "file",
      "folder",
      "folder/inner",
    ]);
  });

  test("makes folders with their parents, and finds those that are there", async () => {
    await using plugin = filePlugin();
    const make = () => plugin.call("mkdir", { path: "files/a/b/c", options: { parents: true } });
    await make();
    await make();
    expect(await plugin.call("stat", { path: "files/a/b/c" })).toMatchObject({ type: "directory", size: 0 });
  });

  test("needs nobody to make the folder, and what is made is the daemon's alone", async () => {
    await using plugin = filePlugin();
    const { call, dataDir } = plugin;
    rmdirSync(join(dataDir, "files"));
    expect(await call("list", { path: "files" })).toEqual([]);
    expect(await call("list", { path: "backups" })).toEqual([]);
    await call("write", { path: "files/x", data: "x" });
    await call("append", { path: "files/y", data: "y" });
    await call("mkdir", { path: "files/z" });
    const modes = ["files", "files/x", "files/y", "files/z"].map(
      (path) => statSync(join(dataDir, path)).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o600, 0o600, 0o700]);
  });

  test("lists a large folder in parts", async () => {
    await using plugin = filePlugin({ under: "/dev/shm" });
    const names = Array.from({ length: 12_000 }, (_, i) => `f${String(i).padStart(5, "0")}`);
    for (const name of names) writeFileSync(join(plugin.dataDir, "files", name), "");
    expect(await rejection(plugin.call("list", { path: "files" }))).toMatchObject({
      code: "capability.limit",
      hint: "list it in parts, with {limit, after}",
    });
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const options = { limit: 5000, ...(after === undefined ? {} : { after }) };
      const part = (await plugin.call("list", { path: "files", options })) as { name: string }[];
      if (part.length === 0) break;
      seen.push(...part.map(({ name }) => name));
    }
    expect(seen).toEqual(names);
  }, 30_000);

  test("appends in the order of its calls, however many there are at a time", async () => {
    await using plugin = filePlugin();
    const lines = Array.from({ length: 60 }, (_, i) => `${i}\n`);
    await Promise.all(lines.map((data) => plugin.call("append", { path: "files/log", data })));
    expect(readFileSync(join(plugin.dataDir, "files/log"), "utf8")).toBe(lines.join(""));
  });

  test("a call that is cancelled changes nothing", async () => {
    await using plugin = filePlugin();
    await plugin.call("write", { path: "files/x", data: "old" });
    const abort = new AbortController();
    const call = plugin.call("write", { path: "files/x", data: b64(Buffer.alloc(4 << 20)) }, abort.signal);
    abort.abort();
    expect(await codeOf(call)).toBe("operation.interrupted");
    expect(readdirSync(join(plugin.dataDir, "files"))).toEqual(["x"]);
    expect(readFileSync(join(plugin.dataDir, "files/x"), "utf8")).toBe("old");
  });

  test("no descriptor stays open over ten thousand calls, whatever they end in", async () => {
    await using plugin = filePlugin({ under: "/dev/shm" });
    const { call } = plugin;
    await call("write", { path: "files/x", data: "x" });
    const open = () => readdirSync("/proc/self/fd").length;
    const works: (() => Promise<unknown>)[] = [
      () => call("read", { path: "files/x" }),
      () => call("readText", { path: "files/none" }),
      () => call("list", { path: "files" }),
      () => call("stat", { path: "files/x" }),
      () => call("read", { path: "files/x/y" }),
      () => call("write", { path: "files/x", data: "x" }),
      () => call("append", { path: "files/x", data: "" }),
      () => call("mkdir", { path: "files/x" }),
      () => call("remove", { path: "files" }),
      () => call("rename", { from: "files/x", to: "files/x" }),
    ];
    for (const work of works) await work().catch(() => {});
    const before = open();
    for (let i = 0; i < 1000; i++) await Promise.all(works.map((work) => work().catch(() => {})));
    expect(open()).toBeLessThanOrEqual(before);
  }, 60_000);
});

describe.if(needs("linux"))("the scope of a grant", () => {
  test("is a folder with all below it, or a file", async () => {
    await using plugin = filePlugin({
      grants: [
        ["fs_read", ["files/reports", "backups"]],
        ["fs_write", ["files/reports/own.txt"]],
      ],
    });
    const { call, dataDir } = plugin;
    mkdirSync(join(dataDir, "files/reports"));
    mkdirSync(join(dataDir, "backups"));
    for (const path of ["files/reports/a", "files/reportsx", "files/b", "backups/db"])
      writeFileSync(join(dataDir, path), "content");
    expect(await call("readText", { path: "files/reports/a" })).toBe("content");
    expect(await call("readText", { path: "backups/db" })).toBe("content");
    await call("write", { path: "files/reports/own.txt", data: "mine" });
    expect(await rejection(call("read", { path: "files/reportsx" }))).toMatchObject({
      code: "capability.out_of_scope",
      hint: "to allow only that: voxeltron plugin grant scribe fs_read=files/reports,backups,files/reportsx",
    });
    const refused = [
      ["list", { path: "files" }],
      ["stat", { path: "files/b" }],
      ["write", { path: "files/reports/a", data: "" }],
      ["append", { path: "files/b", data: "" }],
      ["remove", { path: "files/reports" }],
      ["mkdir", { path: "files/reports/x" }],
      ["rename", { from: "files/reports/own.txt", to: "files/reports/a" }],
      ["rename", { from: "files/reports/a", to: "files/reports/own.txt" }],
    ] as const;
    for (const [method, params] of refused)
      expect([method, await codeOf(call(method, params))]).toEqual([method, "capability.out_of_scope"]);
    expect(readFileSync(join(dataDir, "files/reports/a"), "utf8")).toBe("content");
    expect(readFileSync(join(dataDir, "files/reports/own.txt"), "utf8")).toBe("mine");
  });

  test("an empty one opens nothing, and a revoke counts for a call that waits", async () => {
    await using plugin = filePlugin({
      grants: [
        ["fs_read", []],
        ["fs_write", null],
      ],
    });
    expect(await codeOf(plugin.call("list", { path: "files" }))).toBe("capability.out_of_scope");
    const calls = Array.from({ length: 8 }, (_, i) =>
      codeOf(plugin.call("write", { path: `files/f${i}`, data: b64(Buffer.alloc(1 << 20)) })),
    );
    await Bun.sleep(0);
    plugin.grants.delete("fs_write");
    plugin.rightsChanged();
    expect((await Promise.all(calls)).at(-1)).toBe("capability.denied");
    expect(existsSync(join(plugin.dataDir, "files/f7"))).toBe(false);
  });
});
