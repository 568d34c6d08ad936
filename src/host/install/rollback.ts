/**
 * Goes back to a version that was replaced: its files are still on disk and are checked, what was granted to them holds but for what
 * was taken back since, and it takes the place of the present one as any new version does. The one that it replaces can be gone back
 * to in its turn. Called by plugin-changes.ts, which holds the plugin's lock.
 */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { PluginVersionRow } from "../../state/plugins.ts";
import type { InstalledPlugin } from "../installed/installed-plugin.ts";
import { manifestFrom } from "../manifest/stored-manifest.ts";
import { switchVersion, type SwitchDeps } from "./switch-version.ts";

/** `to`: a version, or the beginning of a digest; absent: the one that was replaced last. Throws `plugin.tampered`. */
export async function rollbackPlugin(
  deps: SwitchDeps,
  { row: current }: InstalledPlugin,
  to: string | undefined,
  signal: AbortSignal,
): Promise<PluginVersionRow> {
  const { name, enabled } = current;
  const target = choose(name, deps.versions.list(name), to);
  const manifest = manifestFrom(target);
  const code = await deps.integrity.verified(target);
  await switchVersion(
    deps,
    {
      row: { ...target, enabled, struckOutAt: null, link: null, paused: null, dropIn: null },
      manifest,
      grants: deps.grants.list(name, target.digest),
      code,
      main: `its version ${target.version}`,
      stage: undefined,
      keepsReplaced: true,
    },
    signal,
  );
  return target;
}

// --- internal ---

function choose(name: string, kept: readonly PluginVersionRow[], to: string | undefined): PluginVersionRow {
  const found =
    to === undefined
      ? kept[0]
      : (kept.find(({ version }) => version === to) ?? kept.find(({ digest }) => hasDigest(digest, to)));
  if (found !== undefined) return found;
  if (kept.length === 0)
    throw fail("plugin.version_not_found", `${name} has no earlier version to go back to`);
  throw fail("plugin.version_not_found", `${name} has no earlier version ${quote(to ?? "")}`, {
    hint: `there are: ${kept.map(({ version, digest }) => `${version} (${digest.slice(0, 19)})`).join(", ")}`,
  });
}

/** `sha256:` and a few digits, or the digits alone. */
function hasDigest(digest: string, to: string): boolean {
  const digits = to.replace(/^sha256:/, "");
  return digits.length >= DIGITS_MIN && digest.startsWith(`sha256:${digits}`);
}

const DIGITS_MIN = 6;
