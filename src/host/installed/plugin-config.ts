/** `ctx.config`: the manifest's defaults, with the operator's own values in their place. Pure. */
import { fail } from "../../base/errors.ts";
import { didYouMean, quote } from "../../base/text.ts";
import type { ConfigValue } from "../../sdk/index.ts";
import type { Manifest } from "../manifest/manifest.ts";

export type PluginConfig = Readonly<Record<string, ConfigValue>>;

/** Throws `config.invalid` for a key that the manifest does not have, or a value of another type. */
export function resolveConfig(
  manifest: Manifest,
  overrides: Readonly<Record<string, unknown>>,
): PluginConfig {
  const known = Object.keys(manifest.config);
  for (const [key, value] of Object.entries(overrides)) {
    const where = `[plugins.config.${manifest.name}] ${key}`;
    const standard = Object.hasOwn(manifest.config, key) ? manifest.config[key] : undefined;
    if (standard === undefined) {
      const meant = didYouMean(key, known);
      const advice =
        meant === undefined ? `it knows: ${known.join(", ") || "none"}` : `did you mean ${quote(meant)}?`;
      throw fail("config.invalid", `${where}: the plugin has no such key; ${advice}`, { hint: RELOAD });
    }
    if (typeOf(value) !== typeOf(standard))
      throw fail("config.invalid", `${where}: found ${typeOf(value)}, wanted ${typeOf(standard)}`, {
        hint: RELOAD,
      });
  }
  return { ...manifest.config, ...(overrides as PluginConfig) };
}

// --- internal ---

/** Not `config check`: that one does not know the plugins. */
const RELOAD = "mend it in the daemon's configuration, then have the daemon read it again: kill -HUP PID";

function typeOf(value: unknown): string {
  if (Array.isArray(value))
    return value.every((each) => typeof each === "string") ? "a list of texts" : "a list";
  return NAMES[typeof value] ?? "something else";
}

const NAMES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
};
