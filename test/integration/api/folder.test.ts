/** Folders that are uploaded: what goes along, what is refused, and that the stream depends on the content alone. */
import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { extract } from "tar-stream";
import { listFolder } from "../../../src/api/folder.ts";
import { readEntry } from "../../../src/platform/folder/list-folder.ts";
import { tarFolder } from "../../../src/platform/folder/tar-folder.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { tempDir } from "../../harness.ts";

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

async function tarBytes(root: string, kind: "plugin" | "app" = "plugin"): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(tarFolder(listFolder(root, kind))));
}

/** `path type mode content` of each entry, in order. */
async function tarText(root: string, kind: "plugin" | "app" = "plugin"): Promise<string[]> {
  const reader = extract();
  reader.end(await tarBytes(root, kind));
  const entries: string[] = [];
  for await (const entry of reader) {
    const { name, type, mode, linkname } = entry.header;
    const content = Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Uint8Array>)).toString();
    entries.push(`${name} ${type} ${(mode ?? 0).toString(8)} ${linkname ?? content}`);
  }
  return entries;
}

const paths = (root: string, kind: "plugin" | "app" = "plugin") =>
  listFolder(root, kind).map((entry) => entry.path);

const refuses = (work: () => unknown, message: string, code = "upload.invalid") =>
  expect(work).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));

describe("what goes along", () => {
  test("a plugin's copy of the SDK stays at home, also where it is a link out of the folder", async () => {
    await using dir = tempDir();
    write(dir.path, {
      "sdk/index.ts": "",
      "in/index.ts": "",
      "in/node_modules/@voxeltron/other/i.js": "",
    });
    symlinkSync(join(dir.path, "sdk"), join(dir.path, "in/node_modules/@voxeltron/sdk"));
    expect(paths(join(dir.path, "in"))).toEqual(["index.ts", "node_modules/@voxeltron/other/i.js"]);
    refuses(() => listFolder(join(dir.path, "in"), "app"), "is a link that leaves the folder");
  });

  test("files in the order of their paths, with their x bit and nothing else of their mode", async () => {
    await using dir = tempDir();
    write(dir.path, { "b/z.ts": "z", "a.ts": "a", "run.sh": "#!", "b/a.ts": "" });
    chmodSync(join(dir.path, "run.sh"), 0o4711);
    chmodSync(join(dir.path, "a.ts"), 0o600);
    expect(await tarText(dir.path)).toEqual([
      "a.ts file 644 a",
      "b/a.ts file 644 ",
      "b/z.ts file 644 z",
      "run.sh file 755 #!",
    ]);
  });

  test("the same content gives the same bytes, whoever owns it and whenever it was written", async () => {
    await using one = tempDir();
    await using other = tempDir();
    const long = `${"deep/".repeat(40)}file.ts`;
    write(one.path, { a: "1", b: "2", [long]: "3" });
    write(other.path, { [long]: "3", b: "2", a: "1" });
    utimesSync(join(other.path, "a"), 1, 1);
    expect(await tarBytes(one.path)).toEqual(await tarBytes(other.path));
    expect(await tarText(one.path)).toContain(`${long} file 644 3`);
  });

  test(".voxeltronignore works as .gitignore does, and .git never goes along", async () => {
    await using dir = tempDir();
    write(dir.path, {
      ".voxeltronignore": "node_modules/\n*.log\n!keep.log\n/top.txt\n",
      ".git/config": "",
      "sub/.git": "gitdir: x",
      "node_modules/a/index.js": "",
      "sub/node_modules/b.js": "",
      "x.log": "",
      "keep.log": "",
      "top.txt": "",
      "sub/top.txt": "",
    });
    expect(paths(dir.path)).toEqual([".voxeltronignore", "keep.log", "sub/top.txt"]);
  });

  test("a plugin's links become what they point to, an app's stay links", async () => {
    await using dir = tempDir();
    write(dir.path, { "lib/a.ts": "a", "bin/.keep": "" });
    symlinkSync("../lib/a.ts", join(dir.path, "bin/a"));
    symlinkSync(join(dir.path, "lib"), join(dir.path, "bin/lib"));
    expect(await tarText(dir.path, "plugin")).toEqual([
      "bin/.keep file 644 ",
      "bin/a file 644 a",
      "bin/lib/a.ts file 644 a",
      "lib/a.ts file 644 a",
    ]);
    expect(await tarText(dir.path, "app")).toEqual([
      "bin/.keep file 644 ",
      "bin/a symlink 644 ../lib/a.ts",
      "bin/lib symlink 644 ../lib",
      "lib/a.ts file 644 a",
    ]);
  });

  test("the folder itself may be a link", async () => {
    await using dir = tempDir();
    write(dir.path, { "real/a": "" });
    symlinkSync("real", join(dir.path, "link"));
    expect(paths(join(dir.path, "link"))).toEqual(["a"]);
  });
});

describe("what is refused", () => {
  for (const kind of ["plugin", "app"] as const) {
    for (const target of ["/etc/passwd", "../outside", "../../../../../../etc", "sub/../../outside"])
      test(`a link to ${target} in the folder of a ${kind}`, async () => {
        await using dir = tempDir();
        write(dir.path, { outside: "secret", "in/sub/a": "" });
        symlinkSync(target, join(dir.path, "in/link"));
        refuses(() => listFolder(join(dir.path, "in"), kind), '"link" in');
        refuses(() => listFolder(join(dir.path, "in"), kind), "is a link that leaves the folder");
      });

    test(`a link out by way of another link in the folder of a ${kind}`, async () => {
      await using dir = tempDir();
      write(dir.path, { "outside/secret": "s", "in/a": "" });
      symlinkSync("..", join(dir.path, "in/z-up"));
      symlinkSync("z-up/outside/secret", join(dir.path, "in/b"));
      refuses(() => listFolder(join(dir.path, "in"), kind), '"b" in');
    });

    test(`a link that leads nowhere in the folder of a ${kind}, unless it is ignored`, async () => {
      await using dir = tempDir();
      symlinkSync("gone", join(dir.path, "link"));
      symlinkSync("self", join(dir.path, "self"));
      refuses(() => listFolder(dir.path, kind), "leads nowhere");
      write(dir.path, { ".voxeltronignore": "link\nself\n" });
      expect(paths(dir.path, kind)).toEqual([".voxeltronignore"]);
    });
  }

  test("a folder that links to one above it ends with an error, not never", async () => {
    await using dir = tempDir();
    write(dir.path, { "a/b/c": "" });
    symlinkSync("../..", join(dir.path, "a/b/up"));
    refuses(() => listFolder(dir.path, "plugin"), "is a link to a folder that holds it");
    expect(paths(dir.path, "app")).toEqual(["a/b/c", "a/b/up"]);
  });

  test("folders that link to each other's neighbours stop at the bound on files", async () => {
    await using dir = tempDir();
    for (let level = 0; level < 24; level++) {
      mkdirSync(join(dir.path, `l${level}`));
      symlinkSync(`../l${level + 1}`, join(dir.path, `l${level}/a`));
      symlinkSync(`../l${level + 1}`, join(dir.path, `l${level}/b`));
    }
    mkdirSync(join(dir.path, "l24"));
    refuses(() => listFolder(dir.path, "plugin"), "files", "upload.too_large");
  });

  test("a pipe and a socket", async () => {
    await using dir = tempDir();
    Bun.spawnSync(["mkfifo", join(dir.path, "pipe")]);
    refuses(() => listFolder(dir.path, "plugin"), '"pipe" in');
    write(dir.path, { ".voxeltronignore": "pipe\n" });
    const server = Bun.listen({ unix: join(dir.path, "sock"), socket: { data() {} } });
    refuses(() => listFolder(dir.path, "app"), "is neither a file nor a folder");
    server.stop(true);
  });

  test("more than fits, before a byte is read", async () => {
    await using dir = tempDir();
    write(dir.path, { big: "" });
    truncateSync(join(dir.path, "big"), LIMITS.pluginUploadBytes + 1);
    refuses(() => listFolder(dir.path, "plugin"), "holds more than 64 MiB", "upload.too_large");
    expect(paths(dir.path, "app")).toEqual(["big"]);
    truncateSync(join(dir.path, "big"), LIMITS.appUploadBytes + 1);
    refuses(() => listFolder(dir.path, "app"), "holds more than 1 GiB", "upload.too_large");
  });

  test.each([
    [
      "a rule that divides a path in too many ways",
      `${"a/**/".repeat(8)}b\n`,
      "line 1: more than 2 times /**/",
    ],
    ["the same with more stars", `#\n${"a/****/".repeat(8)}b\n`, "line 2: more than 2 times /**/"],
    ["many rules that do so a little", "a/**/a/**/b\n".repeat(51), "has more than 100 times /**/"],
    ["too many rules", "x\n".repeat(1001), "has more than 1000 lines"],
    ["rules that are too long", "x".repeat(65_537), "a plain file of at most 64 KiB"],
  ])("an ignore file with %s: whoever reads it would be busy with it", async (_what, text, words) => {
    await using dir = tempDir();
    write(dir.path, { ".voxeltronignore": text, [`${"a/".repeat(60)}x`]: "" });
    refuses(() => listFolder(dir.path, "plugin"), words);
  });

  test("folders too far down", async () => {
    await using dir = tempDir();
    write(dir.path, { [`${"a/".repeat(64)}x`]: "" });
    expect(paths(dir.path)).toHaveLength(1);
    write(dir.path, { [`${"a/".repeat(65)}x`]: "" });
    refuses(() => listFolder(dir.path, "plugin"), "is more than 64 folders down");
  });

  test("no folder, a file instead of one, and an ignore file that is a link", async () => {
    await using dir = tempDir();
    refuses(() => listFolder(join(dir.path, "none"), "plugin"), "it does not exist");
    write(dir.path, { file: "" });
    refuses(() => listFolder(join(dir.path, "file"), "plugin"), "is a file, wanted a folder");
    symlinkSync("file", join(dir.path, ".voxeltronignore"));
    refuses(() => listFolder(dir.path, "plugin"), ".voxeltronignore should be a plain file");
  });
});

describe("a file that changes after it was listed", () => {
  const swaps: Readonly<Record<string, (root: string) => void>> = {
    "is longer": (root) => appendFileSync(join(root, "b"), "more"),
    "is shorter": (root) => truncateSync(join(root, "b"), 1),
    "is another file": (root) => {
      write(root, { c: "12345" });
      renameSync(join(root, "c"), join(root, "b"));
    },
    "is a link to something else": (root) => {
      symlinkSync("/etc/hostname", join(root, "c"));
      renameSync(join(root, "c"), join(root, "b"));
    },
    "is a pipe": (root) => {
      Bun.spawnSync(["mkfifo", join(root, "c")]);
      renameSync(join(root, "c"), join(root, "b"));
    },
  };
  for (const [what, swap] of Object.entries(swaps))
    test(`${what}: the stream fails, and says which file`, async () => {
      await using dir = tempDir();
      write(dir.path, { a: "1", b: "12345" });
      const entries = listFolder(dir.path, "plugin");
      swap(dir.path);
      expect(await failureOf(Array.fromAsync(tarFolder(entries)))).toMatchObject({
        code: "upload.invalid",
        message: '"b" changed while it was read',
      });
    });

  test("is reached through a folder that became a link out while it was looked at: it is not read", async () => {
    await using dir = tempDir();
    write(dir.path, { "outside/secret": "secret", "in/a": "" });
    symlinkSync(join(dir.path, "outside"), join(dir.path, "in/sub"));
    const { ino, dev, size } = statSync(join(dir.path, "outside/secret"));
    // As a look would see it that falls between two steps of whoever swaps the folder for the link.
    const entry = { path: "sub/secret", file: join(dir.path, "in/sub/secret"), size, executable: false };
    const found = { ...entry, link: undefined, device: dev, inode: ino };
    const read = (root: string) => Array.fromAsync(readEntry({ ...found, root: join(dir.path, root) }));
    expect(await read("in").catch((error: unknown) => error)).toMatchObject({ code: "upload.invalid" });
    // The control: in the folder that it is in, it is read.
    expect(Buffer.concat(await read("outside")).toString()).toBe("secret");
  });

  test("one that is gone can't be read", async () => {
    await using dir = tempDir();
    write(dir.path, { a: "1" });
    const [entry] = listFolder(dir.path, "plugin");
    renameSync(join(dir.path, "a"), join(dir.path, "z"));
    if (entry === undefined) throw new Error("nothing was listed");
    expect(await failureOf(Array.fromAsync(readEntry(entry)))).toMatchObject({ code: "upload.invalid" });
  });

  test("a reader who leaves early leaves nothing hanging", async () => {
    await using dir = tempDir();
    write(dir.path, { a: "x".repeat(3_000_000), b: "y" });
    for await (const chunk of tarFolder(listFolder(dir.path, "plugin"))) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
  });
});

/** What `work` throws. */
function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "no failure",
    (error: unknown) => error,
  );
}
