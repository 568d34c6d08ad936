/**
 * What an operator's consent means, given what a manifest asks for. Effective right = requested ∩ granted ∩ ceiling: a grant
 * may narrow a request, never widen it, and an empty list is nothing. Pure; called by install, grant and the caller's record.
 */
import { fail, type VoxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { quote } from "../base/text.ts";
import type { GrantName } from "../base/grant-names.ts";
import type { GrantRow } from "../state/grants.ts";
import { intersection, union } from "./capabilities/scope-sets.ts";
import { reaches, SCOPES, type Scope } from "./capabilities/scopes.ts";
import { underCeilings, type Ceilings } from "./ceiling.ts";
import { requestsOf, type CapabilityRequest, type HookRequest, type Manifest } from "./manifest/manifest.ts";
import { isScopeEntry } from "./scoped-capability.ts";

/** What the operator says: a capability, perhaps only for some targets. */
export interface GrantRequest {
  readonly capability: GrantName;
  /** Absent: as far as the manifest asks. */
  readonly scope?: readonly string[] | undefined;
}

export interface Grant {
  readonly capability: GrantName;
  /** Null: the whole capability. */
  readonly scope: Scope;
}

/**
 * All grants of an install. The same capability twice means both scopes.
 * Throws `grant.unknown` for what the manifest does not ask for, `grant.required_missing` where something required is left out.
 */
export function settleGrants(manifest: Manifest, requests: readonly GrantRequest[]): readonly Grant[] {
  const grants = new Map<GrantName, Grant>();
  for (const request of requests) {
    const { capability, scope } = settleGrant(manifest, request);
    const before = grants.get(capability);
    const both = before === undefined ? scope : union(capability, before.scope, scope);
    grants.set(capability, { capability, scope: both });
  }
  const missing = manifest.required.map((each) => each.capability).filter((each) => !grants.has(each));
  if (missing.length > 0)
    throw fail("grant.required_missing", `${manifest.name} requires ${missing.join(" and ")}, not granted`, {
      details: { missing },
      hint: `grant what it requires: ${manifest.required.map((each) => `--grant ${each.capability}`).join(" ")}`,
    });
  return [...grants.values()];
}

/** One grant, cut to what the manifest asks for. Throws `grant.unknown`. */
export function settleGrant(manifest: Manifest, request: GrantRequest): Grant {
  const { scope: asked } = requestOf(manifest, request.capability);
  const { capability, scope } = request;
  if (scope === undefined) return { capability, scope: asked };
  if (scope.length > LIMITS.scopeEntries)
    throw fail(
      "grant.unknown",
      `a scope has at most ${LIMITS.scopeEntries} entries, this one ${scope.length}`,
    );
  const unreadable = scope.find((entry) => !isScopeEntry(capability, entry));
  if (unreadable !== undefined)
    throw fail(
      "grant.unknown",
      `${quote(unreadable)} is no scope of ${capability}, wanted ${SCOPES[capability].wanted}`,
    );
  const beyond = scope.find((entry) => !reaches(capability, asked, entry));
  if (beyond !== undefined) throw notAskedFor(manifest, capability, asked, beyond);
  return { capability, scope: [...new Set(scope)] };
}

/** What the plugin's guest may use now. */
export function effectiveGrants(
  manifest: Manifest,
  granted: readonly GrantRow[],
  ceilings: Ceilings,
): ReadonlyMap<GrantName, Scope> {
  const grants = new Map<GrantName, Scope>();
  for (const { capability, scope: asked } of requestsOf(manifest)) {
    const grant = granted.find((each) => each.capability === capability);
    if (grant === undefined) continue;
    const scope = underCeilings(ceilings, capability, intersection(capability, asked, grant.scope));
    if (scope !== undefined) grants.set(capability, scope);
  }
  return grants;
}

/**
 * What `next` asks for otherwise than what was consented to, in words; empty where that consent is enough. Asking for less counts
 * too: consent was given to what was shown.
 */
export function newWishes(before: Manifest, next: Manifest): readonly string[] {
  const [old, wanted] = [requestsOf(before), requestsOf(next)];
  const isRequired = ({ required }: Manifest, name: string): boolean =>
    required.some((each) => each.capability === name);
  return [
    ...wanted.flatMap((request) => {
      const { capability } = request;
      const known = old.find((each) => each.capability === capability);
      if (known === undefined) return [`it asks for ${capability}`];
      if (!sameScope(known.scope, request.scope)) return [`it asks for ${capability} for other targets`];
      if (isRequired(before, capability) === isRequired(next, capability)) return [];
      return [
        isRequired(next, capability) ? `it requires ${capability}` : `it no longer requires ${capability}`,
      ];
    }),
    ...old
      .filter(({ capability }) => !wanted.some((each) => each.capability === capability))
      .map(({ capability }) => `it no longer asks for ${capability}`),
    ...gatesOf(next)
      .filter((hook) => !gatesOf(before).includes(hook))
      .map((hook) => `it wants to be a gate of ${hook}`),
    ...gatesOf(before)
      .filter((hook) => !gatesOf(next).includes(hook))
      .map((hook) => `it is no gate of ${hook} any more`),
  ];
}

/** The manifest's request for a capability. Throws `grant.unknown` where there is none. */
export function requestOf(manifest: Manifest, capability: GrantName): CapabilityRequest {
  const asked = requestsOf(manifest);
  const request = asked.find((each) => each.capability === capability);
  if (request !== undefined) return request;
  const names = asked.map((each) => each.capability).join(", ");
  throw fail("grant.unknown", `${manifest.name} does not ask for ${quote(capability)}`, {
    hint: names === "" ? "it asks for no capability" : `it asks for: ${names}`,
  });
}

// --- internal ---

function gatesOf({ hooks }: Manifest): readonly HookRequest["hook"][] {
  return hooks.filter(({ gate }) => gate).map(({ hook }) => hook);
}

function sameScope(a: Scope, b: Scope): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((entry) => b.includes(entry));
}

/** An author can ask for more, an operator can't give more than was asked for: nobody has said what it would be good for. */
function notAskedFor(manifest: Manifest, capability: GrantName, asked: Scope, entry: string): VoxError {
  const only = asked === null ? "without naming that" : `only for ${asked.map(quote).join(", ")}`;
  const more = `add ${quote(entry)} to ${capability} under [capabilities.scope] of its plugin.toml`;
  return fail("grant.unknown", `${manifest.name} asks for ${capability} ${only}, not for ${quote(entry)}`, {
    hint: asked === null ? more : `grant of that what you want to, or ${more}`,
  });
}
