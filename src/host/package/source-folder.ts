/**
 * A plugin's folder as its author has it, read the way it would be uploaded. For `plugin check`, and for a linked folder: the only
 * path that the daemon opens because a client named it.
 */
import { LIMITS } from "../../base/limits.ts";
import { listFolderGently, readEntry, type FolderRules } from "../../platform/folder/list-folder.ts";
import type { PackageFile, PackageFiles } from "./package-files.ts";

/** A plugin has no links; an author's copy of the SDK, mostly a link, stays out: the daemon provides it. */
export const PLUGIN_FOLDER: FolderRules = {
  keepsLinks: false,
  bytesMax: LIMITS.pluginUploadBytes,
  leavesOut: ["/node_modules/@voxeltron/sdk"],
};

/** Throws `upload.invalid`, `upload.too_large`. */
export async function readSourceFolder(folder: string): Promise<PackageFiles> {
  const files = new Map<string, PackageFile>();
  for (const entry of await listFolderGently(folder, PLUGIN_FOLDER)) {
    const bytes = new Uint8Array(Buffer.concat(await Array.fromAsync(readEntry(entry))));
    files.set(entry.path, { bytes, executable: entry.executable });
  }
  return files;
}
