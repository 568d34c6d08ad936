/** Writes files into a folder so that they are still there after the power went: each file and each folder is synced. */
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskFull } from "../../base/disk-full.ts";
import type { PackageFiles } from "./package-files.ts";

/** Folders are the daemon's alone (0700), files too (0600, or 0700 where the author's file was executable). */
export async function writeFolder(root: string, files: PackageFiles): Promise<void> {
  try {
    const folders = new Set([root]);
    await mkdir(root, { recursive: true, mode: 0o700 });
    for (const [path, file] of files) {
      const target = join(root, path);
      for (let folder = dirname(target); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeSynced(target, file.bytes, file.executable ? 0o700 : 0o600);
    }
    for (const folder of folders) await syncFolder(folder);
  } catch (error) {
    throw diskFull(error);
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

// --- internal ---

async function writeSynced(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
