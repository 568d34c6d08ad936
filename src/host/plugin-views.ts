/**
 * The answers about plugins, as a person or a script reads them. Every text that an author wrote passes `printable` here.
 * Pure; the shapes are the API's (they match structurally: the host may not import it).
 */
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { riskOf } from "../base/grant-names.ts";
import type { GrantRow } from "../state/grants.ts";
import type { PluginRow, PluginVersionRow } from "../state/plugins.ts";
import type { RoomChoice } from "./choose-room.ts";
import type { UnusedView } from "./audit/unused.ts";
import type { StandingView } from "./standing.ts";
import {
  kindOf,
  requestsOf,
  typeOf,
  type CapabilityRequest,
  type HookRequest,
  type Manifest,
} from "./manifest/manifest.ts";
import type { RoomKind } from "./runtimes/runtime.ts";

/** What consent is asked for. */
export interface CandidateView {
  name: string;
  version: string;
  kind: string;
  tier: number | null;
  description: string;
  digest: string;
  required: CapabilityView[];
  optional: CapabilityView[];
  hooks: HookView[];
  /** The version it would replace. */
  replaces: string | null;
}

export interface CapabilityView {
  capability: string;
  risk: string;
  reason?: string;
  scope?: string[];
}

export interface HookView {
  hook: string;
  gate: boolean;
}

export interface PluginView {
  name: string;
  version: string;
  tier: number | null;
  kind: string;
  /** `hook`, or `provider`; null where its manifest can't be read. */
  type: string | null;
  /** It is part of voxeltron. */
  builtIn: boolean;
  /** The folder that it was dropped into. */
  folder: string | null;
  state: PluginState;
  /** Of the state; an enabled plugin has one where the folder that it is linked to is not what runs. */
  reason: string | null;
  /** Where its code runs; null where its manifest can't be read. */
  room: RoomKind | null;
  /** Completes "it runs there because …". */
  roomReason: string | null;
}

/**
 * `broken`: it is enabled, but its configuration or its code can't be loaded. `suspended`: it failed too often and tries again
 * later. `paused`: the folder that it is linked to asks for what nobody consented to. `not approved`: it was dropped into a folder, and
 * nobody consented to it yet; a `broken` drop-in is one that nobody can consent to; of a `shadowed` one, another of its name counts.
 */
export type PluginState =
  | "enabled"
  | "disabled"
  | "tampered"
  | "broken"
  | "suspended"
  | "paused"
  | "not approved"
  | "shadowed";

export interface PluginDetails extends PluginView {
  description: string;
  digest: string;
  installedAt: string;
  source: string;
  /** The folder whose changes are taken over. */
  link: string | null;
  /** What can be gone back to; the one that was replaced last comes first. */
  versions: VersionView[];
  granted: GrantView[];
  notGranted: CapabilityView[];
  /** Each capability that it asks for: requested, granted, effective, and why that is less. */
  capabilities: StandingView[];
  /** What it was granted and did not use for a long time. */
  unused: UnusedView[];
  hooks: HookView[];
  /** Guests that had to be stopped in the last ten minutes. */
  strikes: number;
  running: boolean;
  /** Deliveries that wait. */
  pending: number;
  /** What it can be asked as a provider, and what is on it; null where it is none. */
  provider: { actions: string[]; instances: string[] } | null;
  /** What looks wrong but stops nothing. */
  warnings: string[];
}

export interface VersionView {
  version: string;
  digest: string;
  installedAt: string;
}

export interface GrantView {
  capability: string;
  risk: string;
  scope: string[] | null;
  grantedAt: string;
  grantedBy: string;
}

export interface LogView {
  at: string;
  level: string;
  text: string;
  fields?: Record<string, unknown>;
}

export function candidateView(manifest: Manifest, digest: string, replaces: string | null): CandidateView {
  return {
    name: manifest.name,
    version: manifest.version,
    kind: kindOf(manifest),
    tier: manifest.tier,
    description: printable(manifest.description),
    digest,
    required: manifest.required.map(capabilityView),
    optional: manifest.optional.map(capabilityView),
    hooks: manifest.hooks.map(hookView),
    replaces,
  };
}

export function pluginView(
  row: PluginRow,
  { state, reason }: Pick<PluginView, "state" | "reason">,
  choice: RoomChoice | undefined,
  manifest: Manifest | undefined,
): PluginView {
  return {
    name: row.name,
    version: row.version,
    tier: TIERS[row.kind],
    kind: row.kind,
    type: manifest === undefined ? null : typeOf(manifest),
    builtIn: false,
    folder: row.dropIn === null ? null : printable(row.dropIn, LIMITS.uploadPathBytes),
    state,
    reason: reason === null ? null : printable(reason, LIMITS.errorTextChars),
    room: choice?.room ?? null,
    roomReason: choice === undefined ? null : printable(choice.reason),
  };
}

/** By name; of one name in the order in which they come: what is installed first. What is built in stands at the end. */
export function inListOrder<T extends Pick<PluginView, "name" | "builtIn">>(views: readonly T[]): T[] {
  const compare = (a: T, b: T): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const own = views.filter(({ builtIn }) => !builtIn).toSorted(compare);
  return [...own, ...views.filter(({ builtIn }) => builtIn)];
}

export function versionView({ version, digest, installedAt }: PluginVersionRow): VersionView {
  return { version, digest, installedAt };
}

/** The part of the details that follows from manifest and grants; a manifest that can't be read has neither. */
export function consentView(
  manifest: Manifest | undefined,
  grants: readonly GrantRow[],
): Pick<PluginDetails, "description" | "granted" | "notGranted" | "hooks"> {
  const isGranted = ({ capability }: CapabilityRequest): boolean =>
    grants.some((grant) => grant.capability === capability);
  return {
    description: printable(manifest?.description ?? ""),
    granted: grants.map((grant) => ({
      capability: grant.capability,
      risk: riskOf(grant.capability),
      scope: grant.scope === null ? null : grant.scope.map((entry) => printable(entry)),
      grantedAt: grant.grantedAt,
      grantedBy: printable(grant.grantedBy),
    })),
    notGranted:
      manifest === undefined
        ? []
        : requestsOf(manifest)
            .filter((each) => !isGranted(each))
            .map(capabilityView),
    hooks: manifest?.hooks.map(hookView) ?? [],
  };
}

// --- internal ---

const TIERS = { js: 2, wasm: 1, exec: null } as const;

function capabilityView({ capability, reason, scope }: CapabilityRequest): CapabilityView {
  return {
    capability,
    risk: riskOf(capability),
    ...(reason === undefined ? {} : { reason: printable(reason) }),
    ...(scope === null ? {} : { scope: scope.map((entry) => printable(entry)) }),
  };
}

function hookView({ hook, gate }: HookRequest): HookView {
  return { hook, gate };
}
