/** What operations answer about plugins: one part of the table in operations.ts. */
import * as v from "valibot";
import { unusedView } from "./audit-views.ts";

const scope = v.array(v.string());

/** What consent is asked for, and what was granted. */
const capabilityView = v.object({
  capability: v.string(),
  risk: v.string(),
  reason: v.optional(v.string()),
  scope: v.optional(scope),
});

/** A null scope is the whole capability. */
const scopeView = { scope: v.nullable(scope) } as const;

/** A capability that a plugin asks for, and what came of it. */
const standingView = v.object({
  capability: v.string(),
  risk: v.string(),
  required: v.boolean(),
  reason: v.nullable(v.string()),
  requested: v.object(scopeView),
  /** Null: not granted. */
  granted: v.nullable(v.object({ ...scopeView, at: v.string(), by: v.string() })),
  /** Null: it can't be used. */
  effective: v.nullable(v.object(scopeView)),
  /** Why `effective` is less than `requested`. */
  why: v.nullable(v.string()),
  /** Null: never, as far as is known. */
  lastUsedAt: v.nullable(v.string()),
});

const hookView = v.object({ hook: v.string(), gate: v.boolean() });

/** A plugin that has been read but not installed: what the prompt shows. */
export const candidateView = v.object({
  name: v.string(),
  version: v.string(),
  kind: v.string(),
  tier: v.nullable(v.number()),
  description: v.string(),
  digest: v.string(),
  required: v.array(capabilityView),
  optional: v.array(capabilityView),
  hooks: v.array(hookView),
  /** The version it would replace. */
  replaces: v.nullable(v.string()),
});

export const pluginView = v.object({
  name: v.string(),
  version: v.string(),
  tier: v.nullable(v.number()),
  /** js · wasm · exec · built in · unknown */
  kind: v.string(),
  /** In the words of plugin.yaml: hook · provider; null where its manifest can't be read. */
  type: v.nullable(v.string()),
  /** Part of voxeltron: it can't be removed or disabled. */
  builtIn: v.boolean(),
  /** The folder that it was dropped into. */
  folder: v.nullable(v.string()),
  /** enabled · disabled · tampered · broken · suspended · paused · not approved · shadowed */
  state: v.string(),
  reason: v.nullable(v.string()),
  /** js-worker · js-process · wasm-process · exec; null where its manifest can't be read. */
  room: v.nullable(v.string()),
  /** Completes "it runs there because …". */
  roomReason: v.nullable(v.string()),
});

/** A folder that is searched for drop-ins, and why what is in it is not seen. */
export const dropInFolder = v.object({ path: v.string(), problem: v.nullable(v.string()) });

export const pluginDetails = v.object({
  ...pluginView.entries,
  description: v.string(),
  digest: v.string(),
  installedAt: v.string(),
  source: v.string(),
  /** The folder whose changes are taken over. */
  link: v.nullable(v.string()),
  /** What can be gone back to; the one that was replaced last comes first. */
  versions: v.array(v.object({ version: v.string(), digest: v.string(), installedAt: v.string() })),
  granted: v.array(
    v.object({
      capability: v.string(),
      risk: v.string(),
      scope: v.nullable(scope),
      grantedAt: v.string(),
      grantedBy: v.string(),
    }),
  ),
  notGranted: v.array(capabilityView),
  capabilities: v.array(standingView),
  unused: v.array(unusedView),
  hooks: v.array(hookView),
  /** Guests that had to be stopped in the last ten minutes. */
  strikes: v.number(),
  running: v.boolean(),
  pending: v.number(),
  /** What it can be asked as a provider, and what is on it; null where it is none. */
  provider: v.nullable(v.object({ actions: v.array(v.string()), instances: v.array(v.string()) })),
  /** What looks wrong but stops nothing. */
  warnings: v.array(v.string()),
});
