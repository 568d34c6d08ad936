/**
 * Are a plugin's files those that were consented to? `verified` reads and hashes everything, each time: it stands before each
 * start. `tamperedBecause` is for showing: it hashes only when a file's times, size or inode changed. Called by plugins.ts,
 * plugin-roster.ts and, without a daemon, api/offline.ts.
 */
import { isVoxError } from "../base/errors.ts";
import type { PluginRow } from "../state/plugins.ts";
import { digestOf } from "./package/digest.ts";
import { fingerprint } from "./package/fingerprint.ts";
import { bundleDigest, type Bundle, type PackageStore } from "./package/package-store.ts";
import { tampered } from "./package/read-folder.ts";

export function makeIntegrity(store: PackageStore): Integrity {
  const seen = new Map<string, { readonly print: string; readonly reason: string | undefined }>();

  async function verified({ name, digest, bundleDigest: expected }: PluginRow): Promise<Bundle> {
    const found = digestOf(await store.readFiles(name, digest));
    if (found !== digest) throw tampered(`their digest is ${found}, ${digest} was installed`);
    const bundle = await store.readBundle(name, digest);
    if (bundleDigest(bundle) !== expected) throw tampered("the bundle made of them was changed");
    return bundle;
  }

  async function reasonOf(row: PluginRow): Promise<string | undefined> {
    try {
      await verified(row);
      return undefined;
    } catch (error) {
      if (isVoxError(error) && error.code === "plugin.tampered") return error.message;
      throw error;
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
  /** The bundle, when all is as installed. Throws `plugin.tampered`. */
  verified(row: PluginRow): Promise<Bundle>;
  /** Why the plugin is tampered with, or undefined. For showing only. */
  tamperedBecause(row: PluginRow): Promise<string | undefined>;
  forget(plugin: string): void;
}
