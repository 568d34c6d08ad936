/**
 * What an operator's consent means, given what a manifest asks for. Effective right = requested ∩ granted ∩ ceiling: a grant
 * may narrow a request, never widen it, and an empty list is nothing. Pure; called by install, grant and the caller's record.
 */
import { fail } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import type { Capability } from "../sdk/index.ts";
import type { GrantRow } from "../state/grants.ts";
import { SCOPES } from "./capabilities/scopes.ts";
import { requestsOf, type CapabilityRequest, type HookRequest, type Manifest } from "./manifest/manifest.ts";

/** What the operator says: a capability, perhaps only for some targets. */
export interface GrantRequest {
  readonly capability: Capability;
  /** Absent: as far as the manifest asks. */
  readonly scope?: readonly string[] | undefined;
}

export interface Grant {
  readonly capability: Capability;
  /** Null: the whole capability. */
  readonly scope: Scope;
}

/**
 * All grants of an install. The same capability twice means both scopes.
 * Throws `grant.unknown` for what the manifest does not ask for, `grant.required_missing` where something required is left out.
 */
export function settleGrants(manifest: Manifest, requests: readonly GrantRequest[]): readonly Grant[] {
  const grants = new Map<Capability, Grant>();
  for (const request of requests) {
    const grant = settleGrant(manifest, request);
    grants.set(grant.capability, union(grant, grants.get(grant.capability)));
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
  const rule = SCOPES[capability];
  const unreadable = scope.find((entry) => !rule.isEntry(entry));
  if (unreadable !== undefined)
    throw fail("grant.unknown", `${quote(unreadable)} is no scope of ${capability}, wanted ${rule.wanted}`);
  const beyond =
    asked === null ? undefined : scope.find((entry) => !asked.some((each) => rule.covers(each, entry)));
  if (beyond !== undefined)
    throw fail(
      "grant.unknown",
      `${manifest.name} asks for ${capability} only for ${(asked ?? []).map(quote).join(", ")}, not for ${quote(beyond)}`,
    );
  return { capability, scope: [...new Set(scope)] };
}

/** What the plugin's guest may use now. */
export function effectiveGrants(
  manifest: Manifest,
  granted: readonly GrantRow[],
  ceiling: readonly Capability[],
): ReadonlyMap<Capability, Scope> {
  const grants = new Map<Capability, Scope>();
  for (const { capability, scope: asked } of requestsOf(manifest)) {
    const grant = granted.find((each) => each.capability === capability);
    if (grant === undefined || !ceiling.includes(capability)) continue;
    grants.set(capability, intersection(capability, asked, grant.scope));
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
export function requestOf(manifest: Manifest, capability: Capability): CapabilityRequest {
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

type Scope = readonly string[] | null;

/** The entries of each that the other covers. */
function intersection(capability: Capability, a: Scope, b: Scope): Scope {
  if (a === null) return b;
  if (b === null) return a;
  const within = (entries: readonly string[], others: readonly string[]): readonly string[] =>
    entries.filter((entry) => others.some((other) => SCOPES[capability].covers(other, entry)));
  return [...new Set([...within(a, b), ...within(b, a)])];
}

function union(a: Grant, b: Grant | undefined): Grant {
  if (b === undefined) return a;
  const whole = a.scope === null || b.scope === null;
  return { ...a, scope: whole ? null : [...new Set([...(b.scope ?? []), ...(a.scope ?? [])])] };
}
