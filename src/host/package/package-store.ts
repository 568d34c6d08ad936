/**
 * Installed plugins on disk: `<packages dir>/<name>/<16 hex digits of the digest>/` with `files/…` and, for JavaScript,
 * `bundle.js` and `bundle.js.map`; one folder for each version that runs or is kept. A folder is written aside, synced and renamed
 * into place whole, so a crash leaves it there or not. Which folders count is decided by the rows in the database alone: `settle`
 * removes the rest. Called by the installer and at start.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import { adoptPackages } from "./adopt-packages.ts";
import { digestOf } from "./digest.ts";
import type { PackageFile, PackageFiles } from "./package-files.ts";
import { readFolder } from "./read-folder.ts";
import { shortDigest } from "./short-digest.ts";
import { syncFolder, writeFolder } from "./write-folder.ts";

/** `former`: where packages were kept before drop-ins came (see adopt-packages.ts). */
export function makePackageStore(packagesDir: string, former?: string): PackageStore {
  const staging = join(packagesDir, ".staging");
  const folder = (name: string, digest: string): string => join(packagesDir, name, shortDigest(digest));

  async function place(staged: string, name: string, digest: string): Promise<void> {
    const target = folder(name, digest);
    await mkdir(join(packagesDir, name), { recursive: true, mode: 0o700 });
    await moveIfThere(target, join(staging, asideName(name, digest)));
    await rename(staged, target);
    await syncFolder(join(packagesDir, name));
    await syncFolder(packagesDir);
  }

  /** What was moved aside comes back where the row still means it: the crash came before the row was written. */
  async function restore(name: string, kept: Kept): Promise<void> {
    const aside = join(staging, asideName(name, kept.digest));
    if (!(await isWhole(aside, kept)) || (await isWhole(folder(name, kept.digest), kept))) return;
    await rm(folder(name, kept.digest), { recursive: true, force: true });
    await moveIfThere(aside, folder(name, kept.digest));
  }

  async function settle(name: string, kept: readonly Kept[], also: readonly string[] = []): Promise<void> {
    for (const each of kept) await restore(name, each);
    const keep = new Set([...kept.map((each) => each.digest), ...also].map(shortDigest));
    for (const entry of await entriesOf(join(packagesDir, name)))
      if (!keep.has(entry)) await rm(join(packagesDir, name, entry), { recursive: true, force: true });
    for (const entry of await entriesOf(staging))
      if (entry.startsWith(`${name}~`)) await rm(join(staging, entry), { recursive: true, force: true });
    if (kept.length === 0) await rm(join(packagesDir, name), { recursive: true, force: true });
  }

  return {
    async stage(files, bundle) {
      const staged = join(staging, newId());
      try {
        await writeFolder(join(staged, FILES), files);
        if (bundle !== undefined) await writeFolder(staged, bundleFiles(bundle));
      } catch (error) {
        await rm(staged, { recursive: true, force: true });
        throw error;
      }
      return staged;
    },
    place,
    async discard(staged) {
      await rm(staged, { recursive: true, force: true });
    },
    settle,
    async sweep(kept) {
      if (former !== undefined) await adoptPackages(former, packagesDir, kept);
      const names = new Set([...kept.keys(), ...(await entriesOf(packagesDir))]);
      names.delete(".staging");
      for (const name of names) await settle(name, kept.get(name) ?? []);
      await rm(staging, { recursive: true, force: true });
    },
    path: folder,
    filesPath: (name, digest) => join(folder(name, digest), FILES),
    readFiles: (name, digest) => readFolder(join(folder(name, digest), FILES)),
    readBundle: (name, digest) => readBundle(folder(name, digest)),
  };
}

export interface PackageStore {
  /** Writes a package aside, synced; gives its place, for `place` or `discard`. */
  stage(files: PackageFiles, bundle: Bundle | undefined): Promise<string>;
  /** Moves it to where its digest belongs. What was there is moved aside until `settle`. */
  place(staged: string, name: string, digest: string): Promise<void>;
  discard(staged: string): Promise<void>;
  /** Leaves of plugin `name` only the folders that its rows name, and those of the digests in `also`. */
  settle(name: string, kept: readonly Kept[], also?: readonly string[]): Promise<void>;
  /** At start: `settle` for every plugin that has a row or a folder. */
  sweep(kept: ReadonlyMap<string, readonly Kept[]>): Promise<void>;
  /** The folder that holds files and bundle. */
  path(name: string, digest: string): string;
  /** The one in it that holds the files alone. */
  filesPath(name: string, digest: string): string;
  /** Throws `plugin.tampered` for anything that the installer does not write. */
  readFiles(name: string, digest: string): Promise<PackageFiles>;
  /** Throws `plugin.tampered` where there is none. */
  readBundle(name: string, digest: string): Promise<Bundle>;
}

/** What a row says of its folder. */
export interface Kept {
  readonly digest: string;
  readonly bundleDigest: string | null;
}

export interface Bundle {
  readonly code: string;
  readonly sourceMap: string | undefined;
}

export function bundleDigest(bundle: Bundle): string {
  return digestOf(bundleFiles(bundle));
}

// --- internal ---

const FILES = "files";
const CODE = "bundle.js";
const SOURCE_MAP = "bundle.js.map";

/** Names of plugins have no `~`, so that no plugin's folder can be taken for another's. */
function asideName(name: string, digest: string): string {
  return `${name}~${shortDigest(digest)}`;
}

function bundleFiles({ code, sourceMap }: Bundle): PackageFiles {
  const file = (text: string): PackageFile => ({ bytes: new TextEncoder().encode(text), executable: false });
  const files = new Map([[CODE, file(code)]]);
  if (sourceMap !== undefined) files.set(SOURCE_MAP, file(sourceMap));
  return files;
}

async function readBundle(folder: string): Promise<Bundle> {
  const files = await readFolder(folder, [CODE, SOURCE_MAP]);
  const text = (path: string): string | undefined => {
    const file = files.get(path);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
  };
  return { code: text(CODE) ?? "", sourceMap: text(SOURCE_MAP) };
}

/** Two folders of one digest have the same files; what was made of them may differ. */
async function isWhole(folder: string, kept: Kept): Promise<boolean> {
  try {
    return kept.bundleDigest === null
      ? digestOf(await readFolder(join(folder, FILES))) === kept.digest
      : bundleDigest(await readBundle(folder)) === kept.bundleDigest;
  } catch {
    return false;
  }
}

async function entriesOf(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

async function moveIfThere(from: string, to: string): Promise<void> {
  try {
    await rm(to, { recursive: true, force: true });
    await rename(from, to);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
