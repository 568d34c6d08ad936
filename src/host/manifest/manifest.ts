/**
 * A plugin's manifest as the rest of the host reads it: checked, with defaults filled in. Pure data; nothing here is
 * fit for a terminal before it went through `printable` (see plugin-views.ts). Made by parse-manifest.ts and
 * exec-manifest.ts alone.
 */
import type { GrantName } from "../../base/grant-names.ts";
import type { OptionalAction, ProviderAction } from "../../base/provider-actions.ts";
import type { ConfigValue, HookName } from "../../sdk/index.ts";

/** How the file is called in a plugin's folder; an executable has the other one. */
export const MANIFEST_FILE = "plugin.toml";
export const EXEC_MANIFEST_FILE = "plugin.yaml";

export interface Manifest {
  /** Lower-case letters, digits and dashes: safe as a path and on a terminal. */
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  readonly description: string;
  /** Null: an executable, which stands beside the tiers. */
  readonly tier: 1 | 2 | null;
  /** As the author wrote it, `./` removed; undefined where the default applies (see main-file.ts). An executable's entrypoint. */
  readonly main: string | undefined;
  readonly required: readonly CapabilityRequest[];
  readonly optional: readonly CapabilityRequest[];
  readonly hooks: readonly HookRequest[];
  /** Of an executable that runs instances; undefined for all others. */
  readonly provider: ProviderOffer | undefined;
  readonly isolation: Isolation | undefined;
  /** Wall clock of one hook. */
  readonly timeoutMs: number;
  /** Defaults of `ctx.config`. */
  readonly config: Readonly<Record<string, ConfigValue>>;
}

export interface ProviderOffer {
  /** Beside the five that every provider has. */
  readonly actions: readonly OptionalAction[];
  /** Wall clock of each action. */
  readonly timeoutMs: Readonly<Record<ProviderAction, number>>;
}

export interface CapabilityRequest {
  readonly capability: GrantName;
  /** What it is limited to; null: the whole capability. */
  readonly scope: readonly string[] | null;
  /** Why the author says that it is needed. */
  readonly reason: string | undefined;
}

export interface HookRequest {
  readonly hook: HookName;
  /** A failure of the handler stops the operation. */
  readonly gate: boolean;
}

export type Isolation = "worker" | "process";

/** What the plugin's code is. */
export function kindOf({ tier }: Pick<Manifest, "tier">): "js" | "wasm" | "exec" {
  return tier === null ? "exec" : KINDS[tier];
}

/** In the words of plugin.yaml; what is no provider has hooks. */
export function typeOf({ provider }: Pick<Manifest, "provider">): "hook" | "provider" {
  return provider === undefined ? "hook" : "provider";
}

export function hookNames({ hooks }: Pick<Manifest, "hooks">): readonly HookName[] {
  return hooks.map(({ hook }) => hook);
}

/** The file that the manifest was written in. */
export function manifestFileOf({ tier }: Pick<Manifest, "tier">): string {
  return tier === null ? EXEC_MANIFEST_FILE : MANIFEST_FILE;
}

/** What the plugin asks for, required first. */
export function requestsOf(manifest: Manifest): readonly CapabilityRequest[] {
  return [...manifest.required, ...manifest.optional];
}

// --- internal ---

const KINDS = { 1: "wasm", 2: "js" } as const;
