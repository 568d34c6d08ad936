/**
 * Installs one plugin, or a new version of it, all or nothing: everything that can fail happens beside what is there; then the
 * folder is put in its place and the row and its grants are written in one transaction. What a crash leaves over is removed at
 * the next start (PackageStore.sweep). Called by plugins.ts, which holds the plugin's lock.
 */
import { timestamp, type Clock } from "../base/clock.ts";
import { diskFull } from "../base/disk-full.ts";
import { fail } from "../base/errors.ts";
import type { GrantRows } from "../state/grants.ts";
import type { PluginRow, PluginRows } from "../state/plugins.ts";
import { settleGrants, type GrantRequest } from "./grant-rules.ts";
import { guestOf } from "./guest.ts";
import { loadCheck } from "./load-check.ts";
import { mainFile } from "./manifest/main-file.ts";
import { MANIFEST_FILE, type Isolation, type Manifest } from "./manifest/manifest.ts";
import { manifestText } from "./manifest/parse-manifest.ts";
import { bundleDigest, type Bundle, type PackageStore } from "./package/package-store.ts";
import type { PackageFiles } from "./package/package-files.ts";
import { checkSupported, type Candidate } from "./read-manifest.ts";
import type { OpenRoom, PluginDoor } from "./runtimes/runtime.ts";

export interface InstallDeps {
  readonly rows: PluginRows;
  readonly grants: GrantRows;
  readonly transaction: <T>(work: () => T) => T;
  readonly store: PackageStore;
  readonly clock: Clock;
  readonly bundle: Bundler;
  readonly openRoom: OpenRoom;
  readonly doorFor: (plugin: string) => PluginDoor;
  /** Runs the switch while no guest of the plugin runs. */
  readonly alone: (plugin: string, work: () => Promise<void>) => Promise<void>;
}

/** Makes one script of the author's files. Throws `plugin.bundle_failed`, `plugin.import_refused`. */
export type Bundler = (
  sources: ReadonlyMap<string, Uint8Array>,
  entry: string,
  signal: AbortSignal,
) => Promise<Bundle>;

export interface Consent {
  /** What was shown when consent was given. */
  readonly digest: string;
  readonly grants: readonly GrantRequest[];
  readonly isolation?: Isolation | undefined;
  /** Who consented. */
  readonly by: string;
}

export async function installPlugin(
  deps: InstallDeps,
  { files, manifest, digest }: Candidate,
  consent: Consent,
  source: string,
  signal: AbortSignal,
): Promise<void> {
  const { name } = manifest;
  const { rows, store } = deps;
  if (digest !== consent.digest)
    throw fail("plugin.changed", `${name} is not what was consented to: its files have changed since`, {
      hint: "look at it and install it again",
    });
  checkSupported(manifest, consent.isolation);
  const grants = settleGrants(manifest, consent.grants);
  const bundle = await makeBundle(deps, manifest, files, signal);
  const at = timestamp(deps.clock.now());
  const row: PluginRow = {
    name,
    kind: "js",
    version: manifest.version,
    digest,
    bundleDigest: bundleDigest(bundle),
    manifest: manifestText(files.get(MANIFEST_FILE)?.bytes ?? new Uint8Array()),
    enabled: true,
    isolation: consent.isolation ?? null,
    source,
    installedAt: at,
  };
  const before = rows.get(name)?.digest;
  const staged = await store.stage(files, bundle);
  try {
    await deps.alone(name, async () => {
      signal.throwIfAborted();
      await store.place(staged, name, digest);
      deps.transaction(() => {
        rows.put(row);
        deps.grants.clear(name);
        for (const grant of grants)
          deps.grants.put(name, digest, { ...grant, grantedBy: consent.by, grantedAt: at });
      });
    });
  } catch (error) {
    throw diskFull(error);
  } finally {
    await store.discard(staged);
    // The version before stays until the next install or start: the commit may not have reached the disk yet.
    await store.settle(name, rows.get(name), before === undefined ? [] : [before]);
  }
}

// --- internal ---

/** Bundles, and loads the result once to see that it is a plugin. */
async function makeBundle(
  deps: InstallDeps,
  manifest: Manifest,
  files: PackageFiles,
  signal: AbortSignal,
): Promise<Bundle> {
  const main = mainFile(manifest, files);
  const sources = new Map([...files].map(([path, file]) => [path, file.bytes]));
  const { code, sourceMap } = await deps.bundle(sources, main, signal);
  const bundle = { code, sourceMap };
  const { methods } = deps.doorFor(manifest.name);
  await loadCheck(deps.openRoom, guestOf(manifest, bundle, manifest.config), manifest, main, methods);
  return bundle;
}
