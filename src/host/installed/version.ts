/**
 * One version of a plugin, installed or about to be: its row, what it asks for and what it was granted, with the answers that
 * follow from them. Pure. Used by whoever opens a room, and by the installer.
 */
import type { GrantRow } from "../../state/grants.ts";
import type { PluginRow } from "../../state/plugins.ts";
import type { Caller, Standing } from "../capabilities/method.ts";
import { chooseRoom, type RoomChoice } from "../choose-room.ts";
import { withheldBy, type Ceilings } from "../ceiling.ts";
import { effectiveGrants } from "../grant-rules.ts";
import { requestsOf, type CapabilityRequest, type Manifest } from "../manifest/manifest.ts";
import { resolveConfig, type PluginConfig } from "./plugin-config.ts";

export interface Version {
  readonly row: PluginRow;
  readonly manifest: Manifest;
  readonly grants: readonly GrantRow[];
}

/** Who its guest is and what it may use now. The guest of a plugin that is disabled or paused, while it ends, may use nothing. */
export function callerFrom(
  { row, manifest, grants }: Pick<Version, "row" | "grants"> & { readonly manifest: Manifest | undefined },
  ceilings: Ceilings,
): VersionCaller {
  const named = (requests: readonly CapabilityRequest[]) => new Set(requests.map((each) => each.capability));
  const requests = manifest === undefined ? [] : requestsOf(manifest);
  const mayAct = row.enabled && row.paused === null && manifest !== undefined;
  return {
    plugin: row.name,
    grants: mayAct ? effectiveGrants(manifest, grants, ceilings) : new Map(),
    requested: named(requests),
    optional: named(manifest?.optional ?? []),
    withheld: withheldBy(ceilings),
    standing: {
      asked: (capability) => requests.find((each) => each.capability === capability)?.scope,
      granted: (capability) => grants.find((each) => each.capability === capability)?.scope,
      ceilings,
    },
  };
}

export type VersionCaller = Caller & { readonly standing: Standing };

/** Throws `config.invalid`. */
export function configOf(
  { row, manifest }: Pick<Version, "row" | "manifest">,
  overrides: PluginOverrides,
): PluginConfig {
  return resolveConfig(manifest, overrides(row.name));
}

/** The operator's `[plugins.config.NAME]`; empty where there is none. */
export type PluginOverrides = (plugin: string) => Readonly<Record<string, unknown>>;

export function roomOf(
  { row, manifest }: Pick<Version, "row" | "manifest">,
  canConfine: boolean,
): RoomChoice {
  return chooseRoom({
    tier: manifest.tier,
    manifestIsolation: manifest.isolation,
    operatorIsolation: row.isolation ?? undefined,
    builtins: row.builtins,
    struckOut: row.struckOutAt !== null,
    canConfine,
  });
}
