/** Which file of a plugin is run first: `main` in its manifest, else the default of its tier. Pure. */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { PackageFiles } from "../package/package-files.ts";
import { EXEC_MANIFEST_FILE, type Manifest } from "./manifest.ts";

const DEFAULTS = { 1: ["plugin.wasm"], 2: ["index.ts", "index.js"] } as const;
const ENDINGS = { 1: [".wasm"], 2: [".ts", ".mts", ".tsx", ".js", ".mjs", ".jsx"] } as const;

/** Throws `plugin.invalid` where the file is missing or of the wrong kind. */
export function mainFile(manifest: Manifest, files: PackageFiles): string {
  const { main, tier } = manifest;
  if (tier === null) return entrypoint(main ?? "", files);
  if (main === undefined) {
    const found = DEFAULTS[tier].find((path) => files.has(path));
    if (found !== undefined) return found;
    throw fail("plugin.invalid", `the plugin has no ${DEFAULTS[tier].join(" and no ")} to run`, {
      hint:
        otherTier(tier, (other) => DEFAULTS[other].find((path) => files.has(path))) ??
        "add one, or name the file with main under [plugin] in plugin.toml",
    });
  }
  if (!files.has(main))
    throw fail("plugin.invalid", `plugin.toml names ${quote(main)} as main, and the folder has no such file`);
  if (!ENDINGS[tier].some((ending) => main.endsWith(ending)))
    throw fail(
      "plugin.invalid",
      `main is ${quote(main)}, a tier ${tier} plugin runs ${ENDINGS[tier].join(", ")}`,
      {
        hint: otherTier(tier, (other) =>
          ENDINGS[other].some((ending) => main.endsWith(ending)) ? quote(main) : undefined,
        ),
      },
    );
  return main;
}

// --- internal ---

type Tier = NonNullable<Manifest["tier"]>;

function entrypoint(path: string, files: PackageFiles): string {
  const file = files.get(path);
  if (file === undefined)
    throw fail(
      "plugin.invalid",
      `${EXEC_MANIFEST_FILE} names ${quote(path)} as entrypoint, and the folder has no such file`,
    );
  if (!file.executable)
    throw fail("plugin.invalid", `the entrypoint ${quote(path)} is not executable`, {
      hint: `make it so: chmod +x ${/^[\w./@+-]+$/.test(path) ? path : quote(path)}`,
    });
  return path;
}

/** The advice to be of the other tier, where that would run the file that `found` names. */
function otherTier(tier: Tier, found: (other: Tier) => string | undefined): string | undefined {
  const other = tier === 1 ? 2 : 1;
  const file = found(other);
  return file === undefined ? undefined : `to run ${file}: tier = ${other} under [plugin] in plugin.toml`;
}
