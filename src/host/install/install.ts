/**
 * Installs a plugin that was read: as a new plugin or version with the operator's consent, or as the next state of one that is
 * installed, which asks for nothing else and so needs none. All or nothing (see switch-version.ts). Called by plugin-changes.ts,
 * which holds the plugin's lock.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import type { GrantRow } from "../../state/grants.ts";
import type { PluginRow } from "../../state/plugins.ts";
import type { BundlePlugin } from "../bundle/bundle-plugin.ts";
import { newWishes, settleGrants, type GrantRequest } from "../grant-rules.ts";
import { versionOf, type InstalledPlugin } from "../installed/installed-plugin.ts";
import { manifestFileOf, type Isolation } from "../manifest/manifest.ts";
import { manifestText } from "../manifest/parse-manifest.ts";
import { bundleDigest } from "../package/package-store.ts";
import type { Candidate } from "./candidate.ts";
import { makePackage } from "./make-package.ts";
import { switchVersion, type NextVersion, type SwitchDeps } from "./switch-version.ts";

export interface InstallDeps extends SwitchDeps {
  readonly bundle: BundlePlugin;
  readonly clock: Clock;
}

export interface Consent {
  /** What was shown when consent was given. */
  readonly digest: string;
  readonly grants: readonly GrantRequest[];
  readonly isolation?: Isolation | undefined;
  /** Who consented. */
  readonly by: string;
}

/** Where the candidate was read, as its row will say. */
export interface Origin {
  readonly source: string;
  readonly link: string | null;
  readonly dropIn: string | null;
}

export async function installPlugin(
  deps: InstallDeps,
  candidate: Candidate,
  consent: Consent,
  origin: Origin,
  signal: AbortSignal,
): Promise<void> {
  const { manifest, digest } = candidate;
  if (digest !== consent.digest)
    throw fail(
      "plugin.changed",
      `${manifest.name} is not what was consented to: its files have changed since`,
      { hint: "look at it and install it again" },
    );
  const at = timestamp(deps.clock.now());
  const grants = settleGrants(manifest, consent.grants).map((grant) => ({
    ...grant,
    grantedBy: consent.by,
    grantedAt: at,
  }));
  const standing = { ...origin, isolation: consent.isolation, enabled: true };
  await switchTo(deps, candidate, { standing, grants, keepsReplaced: true, at }, signal);
}

/** Grants, isolation and being enabled or not carry over. Throws `consent.needed` where it asks for anything else. */
export async function reloadPlugin(
  deps: InstallDeps,
  candidate: Candidate,
  current: InstalledPlugin,
  origin: Origin,
  signal: AbortSignal,
): Promise<void> {
  const { row, manifest, grants } = versionOf(current);
  const isOtherProgram = candidate.manifest.tier === null && candidate.digest !== row.digest;
  const wishes = [
    ...newWishes(manifest, candidate.manifest),
    // What runs with full access is shown before it does, whatever has changed.
    ...(isOtherProgram ? ["its files have changed, and they run unsandboxed"] : []),
  ];
  if (wishes.length > 0)
    throw fail("consent.needed", `${row.name} is not what was consented to: ${wishes.join(", ")}`, {
      hint: "look at it and install it again",
      details: { plugin: row.name, wishes },
    });
  const at = timestamp(deps.clock.now());
  const standing = { ...origin, isolation: row.isolation ?? undefined, enabled: row.enabled };
  await switchTo(deps, candidate, { standing, grants, keepsReplaced: false, at }, signal);
}

// --- internal ---

/** What is not read from its files. */
interface Settled {
  readonly standing: Origin & { readonly isolation: Isolation | undefined; readonly enabled: boolean };
  readonly grants: readonly GrantRow[];
  readonly keepsReplaced: boolean;
  readonly at: string;
}

async function switchTo(
  deps: InstallDeps,
  { files, manifest, digest }: Candidate,
  { standing, grants, keepsReplaced, at }: Settled,
  signal: AbortSignal,
): Promise<void> {
  const made = await makePackage(deps.bundle, manifest, files, standing.isolation, signal);
  const row: PluginRow = {
    name: manifest.name,
    kind: made.code.kind,
    version: manifest.version,
    digest,
    bundleDigest: made.bundle === undefined ? null : bundleDigest(made.bundle),
    manifest: manifestText(files.get(manifestFileOf(manifest))?.bytes ?? new Uint8Array()),
    builtins: made.builtins,
    isolation: standing.isolation ?? null,
    source: standing.source,
    installedAt: at,
    enabled: standing.enabled,
    struckOutAt: null,
    link: standing.link,
    paused: null,
    dropIn: standing.dropIn,
  };
  const next: NextVersion = {
    row,
    manifest,
    grants,
    code: made.code,
    main: made.main,
    stage: () => deps.store.stage(files, made.bundle),
    keepsReplaced,
  };
  await switchVersion(deps, next, signal);
}
