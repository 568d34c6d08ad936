/**
 * Reads back what write-folder.ts wrote, and trusts nothing of it: a link, a pipe or a device in its place is tampering, and
 * so is more than could have been installed. Called by the package store.
 */
import { constants } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fail, systemCode } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import type { PackageFile, PackageFiles } from "./package-files.ts";

/** All files below `root`, or only those directly in it that `names` lists. Throws `plugin.tampered`. */
export async function readFolder(root: string, names?: readonly string[]): Promise<PackageFiles> {
  const files = new Map<string, PackageFile>();
  let bytes = 0;

  async function walk(folder: string): Promise<void> {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (names !== undefined && !names.includes(path)) continue;
      if (entry.isDirectory()) {
        await walk(path);
        continue;
      }
      if (!entry.isFile()) throw tampered(`${quote(path)} is no longer a file`);
      const file = await readOne(root, path, BYTES_MAX - bytes);
      bytes += file.bytes.byteLength;
      files.set(path, file);
    }
  }

  try {
    if (!(await stat(root)).isDirectory()) throw tampered("its folder is no longer a folder");
    await walk("");
  } catch (error) {
    if (MISSING.has(systemCode(error) ?? "")) throw tampered("its files are missing");
    throw error;
  }
  return files;
}

export function tampered(reason: string): Error {
  return fail("plugin.tampered", `the plugin's files were changed after it was installed: ${reason}`, {
    details: { reason },
  });
}

// --- internal ---

const MISSING: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

const BYTES_MAX = LIMITS.pluginUploadBytes + 2 * LIMITS.bundleBytes;

async function readOne(root: string, path: string, bytesMax: number): Promise<PackageFile> {
  const handle = await open(
    join(root, path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    const { size, mode } = await handle.stat();
    if (size > bytesMax) throw tampered(`${quote(path)} is larger than any plugin may be`);
    return { bytes: new Uint8Array(await handle.readFile()), executable: (mode & 0o100) !== 0 };
  } finally {
    await handle.close();
  }
}
