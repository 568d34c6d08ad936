/**
 * Are a plugin's files those that were consented to? `verified` reads and hashes everything, each time: it stands before each
 * start. `stateOf` is for showing: it hashes only when a file's times, size or inode changed. Called by plugins.ts.
 */
import { isVoxError } from "../base/errors.ts";
import type { PluginRecord } from "../state/plugins.ts";
import { digestOf } from "./package/digest.ts";
import { fingerprint } from "./package/fingerprint.ts";
import { bundleDigest, type Bundle, type PackageStore } from "./package/package-store.ts";
import { tampered } from "./package/read-folder.ts";

export function makeIntegrity(store: PackageStore): Integrity {
  const seen = new Map<string, { readonly print: string; readonly reason: string | undefined }>();

  async function verified({ name, digest, bundleDigest: expected }: PluginRecord): Promise<Bundle> {
    const found = digestOf(await store.readFiles(name, digest));
    if (found !== digest) throw tampered(`their digest is ${found}, ${digest} was installed`);
    const bundle = await store.readBundle(name, digest);
    if (bundleDigest(bundle) !== expected) throw tampered("the bundle made of them was changed");
    return bundle;
  }

  async function reasonOf(record: PluginRecord): Promise<string | undefined> {
    try {
      await verified(record);
      return undefined;
    } catch (error) {
      if (isVoxError(error) && error.code === "plugin.tampered") return error.message;
      throw error;
    }
  }

  return {
    verified,
    async tamperedBecause(record) {
      const print = `${record.digest} ${record.bundleDigest} ${await fingerprint(store.path(record.name, record.digest))}`;
      const known = seen.get(record.name);
      if (known?.print === print) return known.reason;
      const reason = await reasonOf(record);
      seen.set(record.name, { print, reason });
      return reason;
    },
    forget: (plugin) => void seen.delete(plugin),
  };
}

export interface Integrity {
  /** The bundle, when all is as installed. Throws `plugin.tampered`. */
  verified(record: PluginRecord): Promise<Bundle>;
  /** Why the plugin is tampered with, or undefined. For showing only. */
  tamperedBecause(record: PluginRecord): Promise<string | undefined>;
  forget(plugin: string): void;
}
