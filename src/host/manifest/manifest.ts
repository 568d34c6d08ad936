/**
 * A plugin's manifest as the rest of the host reads it: checked, with defaults filled in. Pure data; nothing here is
 * fit for a terminal before it went through `printable` (see plugin-views.ts). Made by parse-manifest.ts alone.
 */
import type { Capability, ConfigValue, HookName } from "../../sdk/index.ts";

/** How the file is called in a plugin's folder. */
export const MANIFEST_FILE = "plugin.toml";

export interface Manifest {
  /** Lower-case letters, digits and dashes: safe as a path and on a terminal. */
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  readonly description: string;
  readonly tier: 1 | 2;
  /** As the author wrote it, `./` removed; undefined where the default applies (see main-file.ts). */
  readonly main: string | undefined;
  readonly required: readonly CapabilityRequest[];
  readonly optional: readonly CapabilityRequest[];
  readonly hooks: readonly HookRequest[];
  readonly isolation: Isolation | undefined;
  /** Wall clock of one hook. */
  readonly timeoutMs: number;
  /** Defaults of `ctx.config`. */
  readonly config: Readonly<Record<string, ConfigValue>>;
}

export interface CapabilityRequest {
  readonly capability: Capability;
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

/** What the plugin asks for, required first. */
export function requestsOf(manifest: Manifest): readonly CapabilityRequest[] {
  return [...manifest.required, ...manifest.optional];
}
