import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pack } from "tar-stream";
import { LIMITS } from "../../../src/base/limits.ts";
import { makeUploads } from "../../../src/daemon/uploads.ts";
import { fakeClock, tempDir } from "../../harness.ts";

async function tar(files: Readonly<Record<string, string>>): Promise<ReadableStream<Uint8Array>> {
  const archive = pack();
  for (const [name, text] of Object.entries(files)) archive.entry({ name }, text);
  archive.finalize();
  return streamOf(Buffer.concat(await Array.fromAsync(archive as AsyncIterable<Buffer>)));
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([Buffer.from(bytes)]).stream();
}

describe("uploads", () => {
  test("of an app are good for one use", async () => {
    await using dir = tempDir();
    const uploads = makeUploads(dir.path, fakeClock());
    const { upload, files, bytes } = await uploads.receive(
      "app",
      await tar({ "index.ts": "x", "lib/y.ts": "yz" }),
    );
    expect({ files, bytes }).toEqual({ files: 2, bytes: 3 });
    const { directory, digest } = uploads.takeApp(upload);
    expect(digest).toStartWith("sha256:");
    expect(readdirSync(directory).toSorted()).toEqual(["index.ts", "lib"]);
    expect(() => uploads.takeApp(upload)).toThrow(expect.objectContaining({ code: "upload.not_found" }));
    uploads.close();
    expect(existsSync(directory)).toBe(true);
  });

  test("of a plugin stay until they are installed, and are no app", async () => {
    await using dir = tempDir();
    const uploads = makeUploads(dir.path, fakeClock());
    const { upload } = await uploads.receive("plugin", await tar({ "plugin.toml": "" }));
    expect([...uploads.plugin(upload).keys()]).toEqual(["plugin.toml"]);
    expect(uploads.plugin(upload).size).toBe(1);
    expect(() => uploads.takeApp(upload)).toThrow(expect.objectContaining({ code: "upload.not_found" }));
    uploads.dropPlugin(upload);
    expect(() => uploads.plugin(upload)).toThrow(expect.objectContaining({ code: "upload.not_found" }));
  });

  test("that nobody uses are gone after ten minutes, and after a restart", async () => {
    await using dir = tempDir();
    const clock = fakeClock();
    const uploads = makeUploads(dir.path, clock);
    const first = await uploads.receive("app", await tar({ a: "1" }));
    await clock.advance(LIMITS.uploadTtlMs - 1);
    expect(readdirSync(join(dir.path, "uploads"))).toEqual([first.upload]);
    await clock.advance(1);
    expect(readdirSync(join(dir.path, "uploads"))).toEqual([]);

    await uploads.receive("app", await tar({ a: "1" }));
    makeUploads(dir.path, clock);
    expect(readdirSync(join(dir.path, "uploads"))).toEqual([]);
  });

  test("that are no archive leave nothing", async () => {
    await using dir = tempDir();
    const uploads = makeUploads(dir.path, fakeClock());
    const junk = () => streamOf(new Uint8Array(3000).fill(7));
    for (const kind of ["plugin", "app"] as const)
      expect(uploads.receive(kind, junk())).rejects.toMatchObject({ code: "upload.invalid" });
    expect(readdirSync(join(dir.path, "uploads"))).toEqual([]);
  });
});
