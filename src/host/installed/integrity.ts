/**
 * Are a plugin's files those that were consented to? `verified` reads and hashes everything, each time: it stands before each
 * start. `tamperedBecause` is for showing: it hashes only when a file's times, size or inode changed. Called by plugins.ts,
 * roster.ts, the installer and, without a daemon, api/offline.ts.
 */
import { isVoxError } from "../../base/errors.ts";
import { fingerprint } from "../../platform/folder/fingerprint.ts";
import type { PluginVersionRow } from "../../state/plugins.ts";
import { mainFile } from "../manifest/main-file.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { digestOf } from "../package/digest.ts";
import type { PackageFiles } from "../package/package-files.ts";
import { bundleDigest, type PackageStore } from "../package/package-store.ts";
import { tampered } from "../package/read-folder.ts";
import type { GuestCode } from "../runtimes/runtime.ts";

export function makeIntegrity(store: PackageStore): Integrity {
  const seen = new Map<string, { readonly print: string; readonly reason: string | undefined }>();

  async function verified(row: PluginVersionRow): Promise<GuestCode> {
    const { name, digest, bundleDigest: expected } = row;
    const files = await store.readFiles(name, digest);
    const found = digestOf(files);
    if (found !== digest) throw tampered(`their digest is ${found}, ${digest} was installed`);
    if (row.kind === "wasm") return moduleOf(row, files);
    const bundle = await store.readBundle(name, digest);
    if (bundleDigest(bundle) !== expected) throw tampered("the bundle made of them was changed");
    return { kind: "js", text: bundle.code, sourceMap: bundle.sourceMap };
  }

  async function reasonOf(row: PluginVersionRow): Promise<string | undefined> {
    try {
      await verified(row);
      return undefined;
    } catch (error) {
      if (!isVoxError(error)) throw error;
      // Anything else is said where the plugin is started.
      return error.code === "plugin.tampered" ? error.message : undefined;
    }
  }

  return {
    verified,
    async tamperedBecause(row) {
      const print = `${row.digest} ${row.bundleDigest} ${await fingerprint(store.path(row.name, row.digest))}`;
      const known = seen.get(row.name);
      if (known?.print === print) return known.reason;
      const reason = await reasonOf(row);
      seen.set(row.name, { print, reason });
      return reason;
    },
    forget: (plugin) => void seen.delete(plugin),
  };
}

export interface Integrity {
  /** What is run, when all is as installed. Throws `plugin.tampered`. */
  verified(row: PluginVersionRow): Promise<GuestCode>;
  /** Why the plugin is tampered with, or undefined. For showing only. */
  tamperedBecause(row: PluginVersionRow): Promise<string | undefined>;
  forget(plugin: string): void;
}

// --- internal ---

/** The module is one of the files, so their digest covers it. */
function moduleOf(row: PluginVersionRow, files: PackageFiles): GuestCode {
  const main = mainFile(parseManifest(new TextEncoder().encode(row.manifest)), files);
  return { kind: "wasm", bytes: files.get(main)?.bytes ?? new Uint8Array() };
}
