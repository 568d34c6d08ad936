/**
 * Are a plugin's files those that were consented to? `verified` reads and hashes everything, each time: it stands before each
 * start. `tamperedBecause` hashes only when a file's times, size or inode changed: for showing, and before each run of an executable. A
 * plugin that was dropped into a folder must be unchanged there too. Called by plugins.ts, roster.ts, the installer and, without a
 * daemon, api/offline.ts.
 */
import { fail, isVoxError } from "../../base/errors.ts";
import { fingerprint, fingerprintNow } from "../../platform/folder/fingerprint.ts";
import type { PluginRow, PluginVersionRow } from "../../state/plugins.ts";
import type { ApprovedFolders } from "../drop-in/approved-folders.ts";
import { mainFile } from "../manifest/main-file.ts";
import { hookNames } from "../manifest/manifest.ts";
import { manifestFrom } from "../manifest/stored-manifest.ts";
import { digestOf } from "../package/digest.ts";
import type { PackageFiles } from "../package/package-files.ts";
import { bundleDigest, type PackageStore } from "../package/package-store.ts";
import { tampered } from "../package/read-folder.ts";
import type { GuestCode, GuestDisk } from "../runtimes/runtime.ts";

export function makeIntegrity(store: PackageStore, folders: ApprovedFolders): Integrity {
  const seen = new Map<string, Seen>();

  async function changedFolder({ name, digest, dropIn = null }: CheckedRow): Promise<string | undefined> {
    return folders.changedBecause({ name, digest, dropIn });
  }

  async function verified(row: CheckedRow): Promise<GuestCode> {
    const changed = await changedFolder(row);
    if (changed !== undefined) throw changedDropIn(row.name, changed);
    return verifiedPackage(row);
  }

  async function verifiedPackage(row: PluginVersionRow): Promise<GuestCode> {
    const { name, digest, bundleDigest: expected } = row;
    const files = await store.readFiles(name, digest);
    const found = digestOf(files);
    if (found !== digest) throw tampered(`their digest is ${found}, ${digest} was installed`);
    const file = FILES[row.kind];
    if (file !== undefined) return file(row, files);
    const bundle = await store.readBundle(name, digest);
    if (bundleDigest(bundle) !== expected) throw tampered("the bundle made of them was changed");
    return { kind: "js", text: bundle.code, sourceMap: bundle.sourceMap };
  }

  async function reasonOf(row: PluginVersionRow): Promise<string | undefined> {
    try {
      await verifiedPackage(row);
      return undefined;
    } catch (error) {
      if (!isVoxError(error)) throw error;
      // Anything else is said where the plugin is started.
      return error.code === "plugin.tampered" ? error.message : undefined;
    }
  }

  async function tamperedBecause(row: CheckedRow): Promise<string | undefined> {
    return (await changedFolder(row)) ?? tamperedPackage(row);
  }

  async function tamperedPackage(row: PluginVersionRow): Promise<string | undefined> {
    const folder = store.path(row.name, row.digest);
    const known = seen.get(row.name);
    const isSmall = known !== undefined && known.entries <= SMALL_ENTRIES;
    const { text, entries } = isSmall ? fingerprintNow(folder) : await fingerprint(folder);
    const print = `${row.digest} ${row.bundleDigest} ${text}`;
    if (known?.print === print) return known.reason;
    const reason = await reasonOf(row);
    seen.set(row.name, { print, reason, entries });
    return reason;
  }

  return {
    verified,
    tamperedBecause,
    disk: (row) => ({
      folder: store.filesPath(row.name, row.digest),
      async check() {
        const changed = await changedFolder(row);
        if (changed !== undefined) throw changedDropIn(row.name, changed);
        const reason = await tamperedPackage(row);
        if (reason !== undefined) throw fail("plugin.tampered", reason);
      },
    }),
    forget: (plugin) => void seen.delete(plugin),
  };
}

export interface Integrity {
  /** What is run, when all is as installed. Throws `plugin.tampered`. */
  verified(row: CheckedRow): Promise<GuestCode>;
  /** Why the plugin is tampered with, or undefined. */
  tamperedBecause(row: CheckedRow): Promise<string | undefined>;
  /** For a room that runs one of the files: as quick as `tamperedBecause`. */
  disk(row: CheckedRow): GuestDisk;
  forget(plugin: string): void;
}

/** A version that is not the one that runs stands for itself. */
export type CheckedRow = PluginVersionRow & Partial<Pick<PluginRow, "dropIn">>;

export function changedDropIn(name: string, reason: string): Error {
  return fail("plugin.tampered", reason, {
    hint: `to look at it and consent: voxeltron plugin enable ${name}; or: voxeltron plugin remove ${name}`,
  });
}

// --- internal ---

interface Seen {
  readonly print: string;
  readonly reason: string | undefined;
  readonly entries: number;
}

/** Looked at in a quarter of a millisecond, before each run of an executable. */
const SMALL_ENTRIES = 16;

/** What is run is one of the files, so their digest covers it. */
const FILES: Partial<
  Record<PluginVersionRow["kind"], (row: PluginVersionRow, files: PackageFiles) => GuestCode>
> = { wasm: moduleOf, exec: programOf };

function programOf(row: PluginVersionRow, files: PackageFiles): GuestCode {
  const manifest = manifestFrom(row);
  return { kind: "exec", entrypoint: mainFile(manifest, files), hooks: hookNames(manifest) };
}

function moduleOf(row: PluginVersionRow, files: PackageFiles): GuestCode {
  const main = mainFile(manifestFrom(row), files);
  return { kind: "wasm", bytes: files.get(main)?.bytes ?? new Uint8Array() };
}
