/** Which file of a plugin is run first: `main` in its manifest, else the default of its tier. Pure. */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { Manifest } from "./manifest.ts";

const DEFAULTS = { 1: ["plugin.wasm"], 2: ["index.ts", "index.js"] } as const;
const ENDINGS = { 1: [".wasm"], 2: [".ts", ".mts", ".tsx", ".js", ".mjs", ".jsx"] } as const;

/** Throws `plugin.invalid` where the file is missing or of the wrong kind. */
export function mainFile(manifest: Manifest, files: { has(path: string): boolean }): string {
  const { main, tier } = manifest;
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

/** The advice to be of the other tier, where that would run the file that `found` names. */
function otherTier(
  tier: Manifest["tier"],
  found: (other: Manifest["tier"]) => string | undefined,
): string | undefined {
  const other = tier === 1 ? 2 : 1;
  const file = found(other);
  return file === undefined ? undefined : `to run ${file}: tier = ${other} under [plugin] in plugin.toml`;
}
