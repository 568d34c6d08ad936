/**
 * Reads plugin.toml. Everything in it was written by a stranger: an unknown key, a hook that does not exist and a name
 * that would be unsafe as a path are errors with line, key, what was found and what is allowed. Touches no disk.
 * Called by install, by the plugin list (from the stored text) and by the check of a folder.
 */
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";
import { checkToml, parseToml, tomlProblems, type TomlSource } from "../../base/toml.ts";
import { HOOK_NAMES, HOOKS } from "../../sdk/index.ts";
import { MANIFEST_FILE, type CapabilityRequest, type HookRequest, type Manifest } from "./manifest.ts";
import { manifestSchema, type ManifestDocument } from "./manifest-schema.ts";

/** Throws `manifest.invalid`. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const source: TomlSource = { text: manifestText(bytes), file: MANIFEST_FILE, code: "manifest.invalid" };
  const document = checkToml(source, parseToml(source), manifestSchema);
  const { plugin, capabilities, runtime } = document;
  return {
    name: plugin.name,
    version: plugin.version,
    description: plugin.description,
    tier: plugin.tier,
    main: plugin.main,
    required: requests(capabilities, capabilities.required),
    optional: requests(capabilities, capabilities.optional),
    hooks: hooks(document.hooks),
    provider: undefined,
    isolation: runtime.isolation,
    timeoutMs: runtime.timeout,
    config: document.config,
  };
}

/** All that is wrong with it, for its author; empty where `parseManifest` takes it. */
export function manifestProblems(bytes: Uint8Array): readonly VoxError[] {
  const text = manifestText(bytes);
  return tomlProblems({ text, file: MANIFEST_FILE, code: "manifest.invalid" }, manifestSchema);
}

/** The manifest as text, for the record. Refuses what is too large before it looks at it. Throws `manifest.invalid`. */
export function manifestText(bytes: Uint8Array, file = MANIFEST_FILE): string {
  if (bytes.byteLength > LIMITS.manifestBytes)
    throw fail(
      "manifest.invalid",
      `${file} has ${formatBytes(bytes.byteLength)}, at most ${formatBytes(LIMITS.manifestBytes)} are read`,
      { details: { file } },
    );
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw fail("manifest.invalid", `${file} is not UTF-8 text`, {
      details: { file },
      cause: error,
    });
  }
}

// --- internal ---

function requests(
  section: ManifestDocument["capabilities"],
  names: ManifestDocument["capabilities"]["required"],
): CapabilityRequest[] {
  return names.map((capability) => {
    const scope = section.scope[capability];
    return {
      capability,
      scope: scope === undefined ? null : [...new Set(scope)],
      reason: section.reason[capability],
    };
  });
}

function hooks(section: ManifestDocument["hooks"]): HookRequest[] {
  return HOOK_NAMES.flatMap((hook) => {
    const value = section[hook];
    if (value === undefined || value === false) return [];
    const gate = HOOKS[hook].gate === "always" || (typeof value === "object" && value.gate);
    return [{ hook, gate }];
  });
}
