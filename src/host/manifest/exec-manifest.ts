/**
 * Reads plugin.yaml, the manifest of an executable, with the keys of the devbox plugin API and a few beside them. As strict as that of
 * plugin.toml: an unknown key and an event that does not exist are errors with line, column and what is allowed. Touches no disk.
 */
import * as v from "valibot";
import type { VoxError } from "../../base/errors.ts";
import { UNSANDBOXED } from "../../base/grant-names.ts";
import { LIMITS } from "../../base/limits.ts";
import {
  defaultActionMs,
  OPTIONAL_ACTIONS,
  PROVIDER_ACTIONS,
  type ProviderAction,
} from "../../base/provider-actions.ts";
import { didYouMean, quote } from "../../base/text.ts";
import { readYaml, yamlProblems } from "../../base/yaml.ts";
import { HOOK_NAMES, HOOKS } from "../../sdk/index.ts";
import { EXEC_MANIFEST_FILE, type Manifest, type ProviderOffer } from "./manifest.ts";
import { insidePath, pluginName, timeout, timeoutUpTo, version } from "./manifest-schema.ts";
import { manifestText } from "./parse-manifest.ts";

/** Throws `manifest.invalid`. */
export function parseExecManifest(bytes: Uint8Array): Manifest {
  const text = manifestText(bytes, EXEC_MANIFEST_FILE);
  const document = readYaml({ text, file: EXEC_MANIFEST_FILE, code: "manifest.invalid" }, schema);
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
    provider: document.type === "provider" ? offerOf(document) : undefined,
    isolation: undefined,
    timeoutMs: document.timeout ?? LIMITS.execDefaultMs,
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

const actionTimeouts = v.strictObject(
  Object.fromEntries(
    PROVIDER_ACTIONS.map((action) => [action, v.optional(timeoutUpTo(LIMITS.execActionMaxMs))]),
  ) as Record<ProviderAction, v.OptionalSchema<ReturnType<typeof timeoutUpTo>, undefined>>,
);

const schema = v.pipe(
  v.strictObject({
    name: pluginName,
    version,
    type: v.picklist(["hook", "provider"], '"hook" or "provider"'),
    entrypoint: insidePath('a file inside the plugin\'s folder, relative to it, such as "./my-hook"'),
    description: v.optional(v.string(), ""),
    events: v.optional(v.array(event), []),
    actions: v.optional(v.array(v.picklist(OPTIONAL_ACTIONS, `one of ${OPTIONAL_ACTIONS.join(", ")}`)), []),
    timeout: v.optional(timeout),
    timeouts: v.optional(actionTimeouts, {}),
    protocol: v.optional(v.literal(1, "1, the only one that there is")),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const document = dataset.value;
    const complain = (key: keyof typeof document, message: string): void =>
      addIssue({
        message,
        input: document[key],
        path: [{ type: "object", origin: "value", input: { ...document }, key, value: document[key] }],
      });
    for (const key of document.type === "hook" ? OF_PROVIDERS : OF_HOOKS)
      if (Object.keys(document[key]).length > 0)
        complain(key, `nothing: a plugin of type: ${document.type} has no ${key}`);
    if (document.type === "provider" && TAKEN_NAMES.includes(document.name))
      complain("name", `another name: ${document.name} means something else where providers are named`);
  }),
);

const OF_PROVIDERS = ["actions", "timeouts"] as const;
const OF_HOOKS = ["events"] as const;
/** Built-in providers, and words that stand where a provider or a server can stand. */
const TAKEN_NAMES: readonly string[] = ["docker", "process", "local", "all"];

function offerOf({ actions, timeout: each, timeouts }: v.InferOutput<typeof schema>): ProviderOffer {
  const entries = PROVIDER_ACTIONS.map((action) => [
    action,
    timeouts[action] ?? each ?? defaultActionMs(action),
  ]);
  return {
    actions: OPTIONAL_ACTIONS.filter((action) => actions.includes(action)),
    timeoutMs: Object.fromEntries(entries) as Record<ProviderAction, number>,
  };
}
