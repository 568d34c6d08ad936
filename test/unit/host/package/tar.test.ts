/** Archives that a stranger made: what passes, what is refused, and that a refusal leaves nothing behind. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { pack, type Header } from "tar-stream";
import { digestOf } from "../../../../src/host/package/digest.ts";
import { readTar } from "../../../../src/host/package/read-tar.ts";
import { unpackTar } from "../../../../src/host/package/unpack-tar.ts";
import { tempDir } from "../../../harness.ts";

const LIMITS = { bytes: 1024 * 1024, files: 100 };

type Part = Partial<Header> & { readonly name: string; readonly body?: string | Uint8Array };

async function archive(parts: readonly Part[]): Promise<Uint8Array> {
  const tar = pack();
  for (const { body, ...header } of parts) tar.entry(header, body ?? "");
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function streamOf(bytes: Uint8Array, size = 700): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.byteLength) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

async function refusal(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work;
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("nothing was refused");
}

const good: readonly Part[] = [
  { name: "./", type: "directory" },
  { name: "./plugin.toml", body: "[plugin]" },
  { name: "lib/", type: "directory" },
  { name: "lib/a.ts", body: "export const a = 1;" },
  { name: "run.sh", body: "#!/bin/sh", mode: 0o755 },
];

describe("a well-made archive", () => {
  test("becomes its files, with plain paths and the execute bit", async () => {
    const files = await readTar(streamOf(await archive(good)), LIMITS);
    expect([...files.keys()]).toEqual(["plugin.toml", "lib/a.ts", "run.sh"]);
    expect(new TextDecoder().decode(files.get("lib/a.ts")?.bytes)).toBe("export const a = 1;");
    expect(files.get("run.sh")?.executable).toBe(true);
    expect(files.get("plugin.toml")?.executable).toBe(false);
  });

  test("made by the system's tar passes too", async () => {
    await using dir = tempDir();
    await Bun.write(join(dir.path, "in/plugin.toml"), "[plugin]");
    await Bun.write(join(dir.path, `in/${"long/".repeat(40)}a.ts`), "1");
    const made = Bun.spawnSync(["tar", "-C", join(dir.path, "in"), "-cf", "-", "."]);
    const files = await readTar(streamOf(made.stdout), LIMITS);
    expect([...files.keys()].toSorted()).toEqual([`${"long/".repeat(40)}a.ts`, "plugin.toml"]);
  });

  test("unpacked on disk has the same digest as in memory", async () => {
    await using dir = tempDir();
    const bytes = await archive([...good, { name: "big.bin", body: Buffer.alloc(300_000, 7) }]);
    const unpacked = await unpackTar(streamOf(bytes), join(dir.path, "app"), LIMITS);
    expect(unpacked.digest).toBe(digestOf(await readTar(streamOf(bytes), LIMITS)));
    expect(unpacked.files).toBe(4);
    expect(readFileSync(join(dir.path, "app/big.bin")).equals(Buffer.alloc(300_000, 7))).toBe(true);
    expect(statSync(join(dir.path, "app/run.sh")).mode & 0o111).not.toBe(0);
    expect(statSync(join(dir.path, "app/lib/a.ts")).mode & 0o111).toBe(0);
  });

  test("may hold links that stay inside, in an app", async () => {
    await using dir = tempDir();
    const bytes = await archive([
      { name: "lib/a.ts", body: "1" },
      { name: "b.ts", type: "symlink", linkname: "lib/a.ts" },
      { name: "deep/c", type: "symlink", linkname: "../lib/../b.ts" },
      { name: "dangling", type: "symlink", linkname: "nowhere" },
    ]);
    await unpackTar(streamOf(bytes), join(dir.path, "app"), LIMITS);
    expect(readlinkSync(join(dir.path, "app/b.ts"))).toBe("lib/a.ts");
    expect(readFileSync(join(dir.path, "app/deep/c"), "utf8")).toBe("1");
  });
});

const attacks: readonly (readonly [what: string, parts: readonly Part[], says: string])[] = [
  ["a path with ..", [{ name: "../evil", body: "x" }], "leaves the folder"],
  ["a path with .. inside", [{ name: "a/../../evil", body: "x" }], "leaves the folder"],
  ["an absolute path", [{ name: "/etc/evil", body: "x" }], "is absolute"],
  ["the root itself", [{ name: "/", type: "directory" }], "is absolute"],
  ["a control character", [{ name: "a\u001b[31m", body: "x" }], "control characters"],
  ["a backslash", [{ name: "a\\b", body: "x" }], "backslash"],
  ["an empty part", [{ name: "a//b", body: "x" }], "not a plain path"],
  ["a part that is too long", [{ name: "a".repeat(300), body: "x" }], "longer than"],
  ["a path that is too long", [{ name: "abc/".repeat(300) + "x", body: "x" }], "longer than"],
  [
    "a duplicate",
    [
      { name: "a", body: "x" },
      { name: "./a", body: "y" },
    ],
    "twice",
  ],
  [
    "a case collision",
    [
      { name: "Readme", body: "x" },
      { name: "README", body: "y" },
    ],
    "case only",
  ],
  [
    "a case collision of folders",
    [
      { name: "A/x", body: "x" },
      { name: "a/y", body: "y" },
    ],
    "case only",
  ],
  [
    "a file as a folder",
    [
      { name: "a", body: "x" },
      { name: "a/b", body: "y" },
    ],
    "both a file and a folder",
  ],
  ["a hard link", [{ name: "a", type: "link", linkname: "/etc/passwd" }], "hard link"],
  ["a device", [{ name: "a", type: "character-device", devmajor: 1, devminor: 3 }], "device"],
  ["a block device", [{ name: "a", type: "block-device" }], "device"],
  ["a pipe", [{ name: "a", type: "fifo" }], "named pipe"],
  ["too much in it", [{ name: "a", body: Buffer.alloc(LIMITS.bytes + 1) }], "more than 1 MiB"],
  [
    "too many files",
    Array.from({ length: LIMITS.files + 1 }, (_, index) => ({ name: `f${index}`, body: "" })),
    "more than 100 files",
  ],
];

const linkAttacks: typeof attacks = [
  [
    "a link to an absolute path",
    [{ name: "a", type: "symlink", linkname: "/etc/passwd" }],
    "out of the folder",
  ],
  ["a link upwards", [{ name: "a", type: "symlink", linkname: "../x" }], "out of the folder"],
  [
    "two links that lead out together",
    [
      { name: "d/up", type: "symlink", linkname: ".." },
      { name: "out", type: "symlink", linkname: "d/up/../x" },
    ],
    "out of the folder",
  ],
  [
    "a file written through a link",
    [
      { name: "a", type: "symlink", linkname: "b" },
      { name: "a/evil", body: "x" },
    ],
    "both a file and a folder",
  ],
  ["a link to nothing", [{ name: "a", type: "symlink", linkname: "" }], "no usable target"],
];

describe("a hostile archive is refused, and nothing is left", () => {
  for (const [what, parts, says] of [...attacks, ...linkAttacks])
    test(what, async () => {
      await using dir = tempDir();
      const bytes = await archive([{ name: "first", body: "harmless" }, ...parts]);
      const inMemory = await refusal(readTar(streamOf(bytes), LIMITS));
      const onDisk = await refusal(unpackTar(streamOf(bytes), join(dir.path, "app"), LIMITS));
      expect(onDisk.code).toMatch(/^upload\.(invalid|too_large)$/);
      expect(onDisk.message).toContain(says);
      expect(inMemory.code).toMatch(/^upload\.(invalid|too_large)$/);
      expect(readdirSync(dir.path)).toEqual([]);
      expect(onDisk.message).not.toContain("\u001b");
    });

  test("any symbolic link, in a plugin", async () => {
    const bytes = await archive([
      { name: "a", body: "1" },
      { name: "b", type: "symlink", linkname: "a" },
    ]);
    expect((await refusal(readTar(streamOf(bytes), LIMITS))).message).toContain("symbolic link");
  });
});

describe("an archive that ends early", () => {
  test("is refused wherever it is cut", async () => {
    await using dir = tempDir();
    const bytes = await archive([
      { name: "a", body: "x".repeat(600) },
      { name: "zeros", body: Buffer.alloc(2048) },
      { name: "tail", body: Buffer.concat([Buffer.from("x"), Buffer.alloc(1600)]) },
    ]);
    const cuts = Array.from({ length: Math.floor(bytes.byteLength / 256) }, (_, index) => index * 256);
    for (const cut of [...cuts, bytes.byteLength - 1]) {
      const error = await refusal(readTar(streamOf(bytes.subarray(0, cut)), LIMITS));
      expect({ cut, code: error.code }).toEqual({ cut, code: "upload.invalid" });
    }
    expect(
      (await refusal(unpackTar(streamOf(bytes.subarray(0, 700)), join(dir.path, "app"), LIMITS))).code,
    ).toBe("upload.invalid");
    expect(existsSync(join(dir.path, "app"))).toBe(false);
    expect((await readTar(streamOf(bytes), LIMITS)).size).toBe(3);
  });

  test("with an error of its stream is refused with that", async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("the connection was lost"));
      },
    });
    const error = await refusal(readTar(stream, LIMITS));
    expect(error.code).toBe("upload.invalid");
    expect(error.message).toContain("connection was lost");
  });

  test("or is no archive at all is refused", async () => {
    for (const junk of ["", "hello", "x".repeat(5000)]) {
      const error = await refusal(readTar(streamOf(new TextEncoder().encode(junk)), LIMITS));
      expect(error.code).toBe("upload.invalid");
    }
  });

  test("or never ends is refused at the bound", async () => {
    const bytes = new Uint8Array(64 * 1024);
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(bytes) });
    expect((await refusal(readTar(endless, LIMITS))).code).toBe("upload.too_large");
  });
});
