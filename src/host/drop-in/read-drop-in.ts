/**
 * Looks at a folder that somebody dropped among the plugins, and runs nothing of it. What is in it was written by a stranger, perhaps
 * while this looks: whatever is wrong with it is a problem of this one folder. Called by find-drop-ins.ts, drop-ins.ts and approved-folders.ts.
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { fail, isVoxError, messageOf, systemCode, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote, quotePath } from "../../base/text.ts";
import { exposureAbove, exposureBelow } from "../../platform/folder/exposure.ts";
import { listFolderGently, readEntry, type FolderEntry } from "../../platform/folder/list-folder.ts";
import { readManifest } from "../install/candidate.ts";
import { mainFile } from "../manifest/main-file.ts";
import { EXEC_MANIFEST_FILE, MANIFEST_FILE, manifestFileOf, type Manifest } from "../manifest/manifest.ts";
import type { PackageFile, PackageFiles } from "../package/package-files.ts";
import { PLUGIN_FOLDER, readSourceFolder } from "../package/source-folder.ts";

export interface DropIn {
  /** The folder's own name, which its plugin must have too. Not fit for a terminal. */
  readonly name: string;
  /** Its absolute path. */
  readonly folder: string;
  /** As far as it could be read. */
  readonly manifest: Manifest | undefined;
  /** Why nobody can consent to it as it is. */
  readonly problem: VoxError | undefined;
}

/** Never throws for what is in the folder. */
export async function lookAtDropIn(parent: string, name: string): Promise<DropIn> {
  const folder = join(parent, name);
  let manifest: Manifest | undefined;
  try {
    await refuseExposed(folder);
    const files = await sketch(await listFolderGently(folder, PLUGIN_FOLDER));
    const found = readManifest(files);
    refuseOtherName(found, name);
    manifest = found;
    mainFile(manifest, files);
    return { name, folder, manifest, problem: undefined };
  } catch (error) {
    return { name, folder, manifest, problem: asProblem(error) };
  }
}

/** All of it, for consent. Throws `plugin.folder_exposed`, `plugin.invalid` and what reading a folder throws. */
export async function readDropIn(folder: string): Promise<PackageFiles> {
  try {
    await refuseExposed(folder);
    return await readSourceFolder(folder);
  } catch (error) {
    throw asProblem(error);
  }
}

// --- internal ---

/** Throws `plugin.folder_exposed`; `plugin.invalid` for a link. */
async function refuseExposed(folder: string): Promise<void> {
  if (lstatSync(folder).isSymbolicLink())
    throw fail("plugin.invalid", "it is a symbolic link, and only folders are taken", {
      hint: `copy the folder there, or have it watched where it is: voxeltron plugin install --link ${quotePath(folder)}`,
    });
  const uid = process.geteuid?.() ?? 0;
  const place = exposureAbove(folder, uid) ?? (await exposureBelow(folder));
  if (place === undefined) return;
  throw fail("plugin.folder_exposed", `everybody may write to ${quotePath(place)}`, {
    hint: "take that right away: chmod o-w",
    details: { place },
  });
}

function refuseOtherName(manifest: Manifest, name: string): void {
  if (manifest.name === name) return;
  const file = manifestFileOf(manifest);
  throw fail(
    "manifest.invalid",
    `its ${file} says that it is called ${quote(manifest.name)}, and the folder is not`,
    { hint: `rename the folder to ${manifest.name}` },
  );
}

/** Which files there are, with the content of the manifests alone. */
async function sketch(entries: readonly FolderEntry[]): Promise<PackageFiles> {
  const files = new Map<string, PackageFile>();
  for (const entry of entries) {
    const isManifest = entry.path === MANIFEST_FILE || entry.path === EXEC_MANIFEST_FILE;
    files.set(entry.path, {
      bytes: isManifest ? await firstBytes(entry) : new Uint8Array(),
      executable: entry.executable,
    });
  }
  return files;
}

/** One byte more than a manifest may have is enough to be refused. */
async function firstBytes(entry: FolderEntry): Promise<Uint8Array> {
  if (entry.size > LIMITS.manifestBytes) return new Uint8Array(LIMITS.manifestBytes + 1);
  return new Uint8Array(Buffer.concat(await Array.fromAsync(readEntry(entry))));
}

function asProblem(error: unknown): VoxError {
  if (isVoxError(error)) return error;
  // What the system says of a path is no bug of ours; all else is.
  if (systemCode(error) === undefined) throw error;
  return fail("plugin.invalid", `it can't be read: ${messageOf(error)}`);
}
