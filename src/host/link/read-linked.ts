/**
 * Reads the folder that a plugin is linked to, with the daemon's eyes: what its user may not see, or what the service manager hides
 * from it, is an error that says so. Never leaves the folder (see platform/folder/list-folder.ts). Composed by the daemon.
 */
import { stat } from "node:fs/promises";
import { fail, messageOf, systemCode } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { PackageFiles } from "../package/package-files.ts";
import { readSourceFolder } from "../package/source-folder.ts";

/** Throws `plugin.link_unreadable`, `upload.invalid`, `upload.too_large`. */
export async function readLinked(folder: string): Promise<PackageFiles> {
  try {
    if (!(await stat(folder)).isDirectory())
      throw fail("plugin.link_unreadable", `${quote(folder)} is no folder`);
  } catch (error) {
    const reason = REASONS[systemCode(error) ?? ""];
    if (reason === undefined) throw error;
    throw fail("plugin.link_unreadable", `the daemon can't see the folder ${quote(folder)}: ${reason}`, {
      hint: "it runs as another user, and a service may have no access to home folders (ProtectHome=): voxeltron plugin dev sends the folder instead",
      details: { folder, reason: messageOf(error) },
    });
  }
  return readSourceFolder(folder);
}

// --- internal ---

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "for it, there is no such folder",
  ENOTDIR: "a part of its path is no folder",
  EACCES: "it may not enter it",
  EPERM: "it may not enter it",
  ELOOP: "it is a loop of links",
};
