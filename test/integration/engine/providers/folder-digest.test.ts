/** A folder has one name: what its upload was called is what runs. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tarFolder } from "../../../../src/platform/folder/tar-folder.ts";
import { listFolder } from "../../../../src/api/folder.ts";
import { folderDigest } from "../../../../src/engine/providers/process/folder-digest.ts";
import { unpackTar } from "../../../../src/host/package/unpack-tar.ts";
import { tempDir } from "../../../harness.ts";

const never = new AbortController().signal;

test("a folder on disk has the digest that its upload had, links and programs included", async () => {
  await using dir = tempDir();
  const source = join(dir.path, "source");
  mkdirSync(join(source, "bin"), { recursive: true });
  writeFileSync(join(source, "index.ts"), "export {};");
  writeFileSync(join(source, "é.txt"), "");
  writeFileSync(join(source, "bin/run"), "#!/bin/true\n");
  chmodSync(join(source, "bin/run"), 0o755);
  symlinkSync("../index.ts", join(source, "bin/link"));
  const tar = Buffer.concat(await Array.fromAsync(tarFolder(listFolder(source, "app"))));
  const unpacked = join(dir.path, "unpacked");
  const { digest } = await unpackTar(new Blob([tar]).stream(), unpacked, { bytes: 1 << 20, files: 100 });
  expect(await folderDigest(unpacked, never)).toBe(digest);
  expect(await folderDigest(source, never)).toBe(digest);
  chmodSync(join(source, "bin/run"), 0o644);
  expect(await folderDigest(source, never)).not.toBe(digest);
});
