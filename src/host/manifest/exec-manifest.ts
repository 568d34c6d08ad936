/**
 * Reads plugin.yaml, the manifest of an executable, with the keys of the devbox plugin API and a few beside them. As strict as that of
 * plugin.toml: an unknown key and an event that does not exist are errors with line, column and what is allowed. Touches no disk.
 */
import * as v from "valibot";
import { fail, type VoxError } from "../../base/errors.ts";
import { UNSANDBOXED } from "../../base/grant-names.ts";
import { LIMITS } from "../../base/limits.ts";
import { didYouMean, quote } from "../../base/text.ts";
import { readYaml, yamlProblems } from "../../base/yaml.ts";
import { HOOK_NAMES, HOOKS } from "../../sdk/index.ts";
import { EXEC_MANIFEST_FILE, type Manifest } from "./manifest.ts";
import { insidePath, pluginName, timeout, version } from "./manifest-schema.ts";
import { manifestText } from "./parse-manifest.ts";

/** Throws `manifest.invalid`; `plugin.unsupported` for a provider. */
export function parseExecManifest(bytes: Uint8Array): Manifest {
  const text = manifestText(bytes, EXEC_MANIFEST_FILE);
  const document = readYaml({ text, file: EXEC_MANIFEST_FILE, code: "manifest.invalid" }, schema);
  if (document.type === "provider")
    throw fail(
      "plugin.unsupported",
      `${document.name} is a provider: providers run workspaces, which this version does not have yet`,
      { hint: "what only watches or refuses is of type: hook" },
    );
  return {
    name: document.name,
    version: document.version,
    description: document.description,
    tier: null,
    main: document.entrypoint,
    required: [{ capability: UNSANDBOXED, scope: null, reason: undefined }],
    optional: [],
    // A list of names can't ask for more than what each event is: only what always is a gate is one.
    hooks: HOOK_NAMES.filter((hook) => document.events.includes(hook)).map((hook) => ({
      hook,
      gate: HOOKS[hook].gate === "always",
    })),
    isolation: undefined,
    timeoutMs: document.timeout,
    config: {},
  };
}

/** All that is wrong with it, for its author; what follows from several keys together is left to `parseExecManifest`. */
export function execManifestProblems(bytes: Uint8Array): readonly VoxError[] {
  const text = manifestText(bytes, EXEC_MANIFEST_FILE);
  return yamlProblems({ text, file: EXEC_MANIFEST_FILE, code: "manifest.invalid" }, schema);
}

// --- internal ---

const event = v.picklist(HOOK_NAMES, ({ input }) => {
  const meant = typeof input === "string" ? didYouMean(input, HOOK_NAMES) : undefined;
  // Only so much of it is told.
  return meant === undefined ? `one of ${HOOK_NAMES.join(", ")}` : `an event; did you mean ${quote(meant)}?`;
});

const schema = v.strictObject({
  name: pluginName,
  version,
  type: v.picklist(["hook", "provider"], '"hook" or "provider"'),
  entrypoint: insidePath('a file inside the plugin\'s folder, relative to it, such as "./my-hook"'),
  description: v.optional(v.string(), ""),
  events: v.optional(v.array(event), []),
  timeout: v.optional(timeout, LIMITS.execDefaultMs / 1000),
  protocol: v.optional(v.literal(1, "1, the only one that there is")),
});
