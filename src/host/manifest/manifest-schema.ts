/**
 * The schema of plugin.toml. Messages complete the sentence "found X, wanted …" (see base/toml.ts), so they name what is
 * allowed and never repeat what was found. Used by parse-manifest.ts;
 * exec-manifest.ts has some of its parts.
 */
import semver from "semver";
import * as v from "valibot";
import { parseDuration } from "../../base/duration.ts";
import { isObject } from "../../base/is-object.ts";
import { LIMITS } from "../../base/limits.ts";
import { SCOPES } from "../capabilities/scopes.ts";
import { isScopeEntry, wantedCapability } from "../scoped-capability.ts";
import { CAPABILITY_NAMES, HOOK_NAMES, HOOKS, type Capability, type HookName } from "../../sdk/index.ts";

/** What a plugin may be called: it becomes a folder, a table key and a word on a terminal. */
const PLUGIN_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const pluginName = v.pipe(
  v.string(),
  v.regex(
    PLUGIN_NAME,
    'lower-case letters, digits and dashes, beginning with a letter or digit, at most 63 of them, such as "deploy-notifier"',
  ),
);

export const version = v.pipe(
  v.string('a semantic version in quotes, such as "1.0.0"'),
  v.check(isSemver, 'a semantic version, such as "1.0.0"'),
);

/** `./` before it is taken away. */
export function insidePath(wanted: string) {
  return v.pipe(
    v.string(),
    v.check(isInside, wanted),
    v.transform((path) => path.replace(/^(\.\/)+/, "")),
  );
}

const capability = v.picklist(CAPABILITY_NAMES, (issue) => wantedCapability(issue.input));

/** In milliseconds, at most so many. */
export function timeoutUpTo(most: number) {
  return v.pipe(
    v.union([v.number(), v.string()], 'seconds, or a duration such as "30s"'),
    v.check(
      (value) => timeoutMs(value, most) !== undefined,
      `seconds or a duration such as "30s", more than nothing and at most ${most / 60_000} minutes`,
    ),
    v.transform((value) => timeoutMs(value, most) ?? most),
  );
}

export const timeout = timeoutUpTo(LIMITS.hookMaxMs);

const configValue = v.union(
  [v.string(), v.pipe(v.number(), v.finite()), v.boolean(), v.array(v.string())],
  "a text, a finite number, true or false, or a list of texts",
);

/** `[config]`: keys are the author's own, but they must be usable as `ctx.config.KEY`. */
const config = v.pipe(
  v.custom<Record<string, unknown>>(isTable, "a table"),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const key of Object.keys(dataset.value)) {
      if (!CONFIG_KEY.test(key) || key in Object.prototype) addIssue(at(dataset.value, key, key, wantedKey));
    }
  }),
  v.record(v.string(), configValue),
);

const capabilitySection = v.pipe(
  v.strictObject({
    required: v.optional(v.array(capability), []),
    optional: v.optional(v.array(capability), []),
    scope: v.optional(v.strictObject(perCapability(scopeOf)), {}),
    reason: v.optional(v.strictObject(perCapability(() => v.string())), {}),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { required, optional, scope, reason } = dataset.value;
    const asked = [...required, ...optional];
    const twice = asked.find((entry, index) => asked.indexOf(entry) !== index);
    if (twice !== undefined) {
      const list = optional.includes(twice) ? "optional" : "required";
      addIssue(at(dataset.value, list, twice, "each capability once, as required or as optional"));
    }
    for (const [section, table] of Object.entries({ scope, reason })) {
      const stray = Object.keys(table).find((key) => !asked.includes(key as Capability));
      if (stray !== undefined)
        addIssue(at(dataset.value, section, stray, "only capabilities that are required or optional above"));
    }
  }),
);

export const manifestSchema = v.strictObject({
  plugin: v.strictObject({
    name: pluginName,
    version,
    description: v.optional(v.string(), ""),
    tier: v.picklist([1, 2], "1 (WASM) or 2 (JavaScript or TypeScript)"),
    main: v.optional(
      insidePath('a file inside the plugin\'s folder, relative to it, such as "src/index.ts"'),
    ),
  }),
  capabilities: v.optional(capabilitySection, {}),
  hooks: v.optional(v.strictObject(perHook()), {}),
  runtime: v.optional(
    v.strictObject({
      isolation: v.optional(v.picklist(["worker", "process"], '"worker" or "process"')),
      timeout: v.optional(timeout, LIMITS.hookDefaultMs / 1000),
    }),
    {},
  ),
  config: v.optional(config, {}),
});

export type ManifestDocument = v.InferOutput<typeof manifestSchema>;

// --- internal ---

const CONFIG_KEY = /^[A-Za-z_][\w-]{0,63}$/;
const wantedKey = "letters, digits, _ and -, beginning with a letter or _, at most 64 of them";

function perCapability<S extends v.GenericSchema>(schemaOf: (capability: Capability) => S) {
  return Object.fromEntries(CAPABILITY_NAMES.map((each) => [each, v.optional(schemaOf(each))])) as Record<
    Capability,
    v.OptionalSchema<S, undefined>
  >;
}

function scopeOf(name: Capability) {
  const entry = v.pipe(
    v.string(),
    v.check((text) => isScopeEntry(name, text), SCOPES[name].wanted),
  );
  return v.pipe(v.array(entry), v.maxLength(LIMITS.scopeEntries, `at most ${LIMITS.scopeEntries} entries`));
}

type HookValue = boolean | { readonly gate: boolean };

function perHook() {
  const entries = HOOK_NAMES.map((hook) => [hook, v.optional(hookValue(hook))]);
  return Object.fromEntries(entries) as Record<
    HookName,
    v.OptionalSchema<v.GenericSchema<HookValue>, undefined>
  >;
}

function hookValue(hook: HookName): v.GenericSchema<HookValue> {
  const rule = HOOKS[hook].gate;
  if (rule === "optional")
    return v.union([v.boolean(), v.strictObject({ gate: v.boolean() })], "true, false or { gate = true }");
  const fixed =
    rule === "never"
      ? v.literal(false, `false: ${hook} reports what has happened, there is nothing left to refuse`)
      : v.literal(true, `true: ${hook} always is a gate`);
  return v.union([v.boolean(), v.strictObject({ gate: fixed })], "true or false");
}

function timeoutMs(value: number | string, most: number): number | undefined {
  const ms = typeof value === "number" ? Math.round(value * 1000) : parseDuration(value);
  return ms !== undefined && ms >= 1 && ms <= most ? ms : undefined;
}

function isSemver(text: string): boolean {
  return text.length <= 64 && /^\d/.test(text) && !/\s$/.test(text) && semver.parse(text) !== null;
}

function isInside(path: string): boolean {
  const parts = path.replace(/^(\.\/)+/, "").split("/");
  return (
    path.length <= LIMITS.uploadPathBytes &&
    !/[\\\p{Cc}]/u.test(path) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..")
  );
}

function isTable(value: unknown): boolean {
  return isObject(value) && !(value instanceof Date);
}

/** An issue at one key of `table`; `found` is what the message calls wrong. */
function at(table: Record<string, unknown>, key: string, found: string, message: string) {
  const path = { type: "object", origin: "value", input: table, key, value: table[key] } as const;
  return { message, input: found, path: [path] as [typeof path] };
}
