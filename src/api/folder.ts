/** What of a folder is uploaded, by what it is uploaded as; and when it is to be uploaded again. Used by the CLI. */
import { LIMITS } from "../base/limits.ts";
import { PLUGIN_FOLDER } from "../host/package/source-folder.ts";
import { listFolder as list, type FolderEntry, type FolderRules } from "../platform/folder/list-folder.ts";
import type { UploadKind } from "./operations.ts";

export { tarFolder } from "../platform/folder/tar-folder.ts";
export { watchFolder } from "../platform/folder/watch-folder.ts";

/** Every file in the order of its path. Throws `upload.invalid` or `upload.too_large`. */
export function listFolder(folder: string, kind: UploadKind): readonly FolderEntry[] {
  return list(folder, RULES[kind]);
}

// --- internal ---

const RULES: Readonly<Record<UploadKind, FolderRules>> = {
  plugin: PLUGIN_FOLDER,
  app: { keepsLinks: true, bytesMax: LIMITS.appUploadBytes, leavesOut: [] },
};
