/**
 * For each capability that a plugin asks for: what it asked for, what was granted, what it comes to, and why that is less. Pure; for
 * `plugin info`. What its guest may do is decided by grant-rules.ts, from the same rules.
 */
import { printable } from "../base/text.ts";
import { riskOf, type GrantName } from "../base/grant-names.ts";
import type { GrantRow } from "../state/grants.ts";
import { intersection, scopeText } from "./capabilities/scope-sets.ts";
import type { Scope } from "./capabilities/scopes.ts";
import { underCeilings, type Ceilings } from "./ceiling.ts";
import type { CapabilityRequest, Manifest } from "./manifest/manifest.ts";

export interface StandingView {
  capability: string;
  risk: string;
  required: boolean;
  /** The author's. */
  reason: string | null;
  requested: ScopeView;
  /** Null: not granted. */
  granted: (ScopeView & { at: string; by: string }) | null;
  /** Null: it can't be used. */
  effective: ScopeView | null;
  /** Why `effective` is less than `requested`. */
  why: string | null;
  /** Null: never, as far as is known. */
  lastUsedAt: string | null;
}

/** A null scope is the whole capability. */
export interface ScopeView {
  scope: string[] | null;
}

export function standings(
  { required, optional }: Pick<Manifest, "required" | "optional">,
  grants: readonly GrantRow[],
  ceilings: Ceilings,
  lastUse: (capability: GrantName) => string | undefined,
): StandingView[] {
  const standing = (isRequired: boolean) => (request: CapabilityRequest) => {
    const grant = grants.find((each) => each.capability === request.capability);
    const lastUsedAt = lastUse(request.capability) ?? null;
    return { ...standingOf(request, isRequired, grant, ceilings), lastUsedAt };
  };
  return [...required.map(standing(true)), ...optional.map(standing(false))];
}

// --- internal ---

function standingOf(
  { capability, scope: asked, reason }: CapabilityRequest,
  required: boolean,
  grant: GrantRow | undefined,
  ceilings: Ceilings,
): Omit<StandingView, "lastUsedAt"> {
  const granted = grant === undefined ? undefined : intersection(capability, asked, grant.scope);
  const effective = granted === undefined ? undefined : underCeilings(ceilings, capability, granted);
  const reasons = [
    ...(granted === undefined ? ["not granted"] : []),
    ...(granted === undefined || isSame(granted, asked) ? [] : [`granted for ${scopeText(granted)}`]),
    ...limits(ceilings, capability, granted ?? asked),
  ];
  return {
    capability,
    risk: riskOf(capability),
    required,
    reason: reason === undefined ? null : printable(reason),
    requested: scopeView(asked),
    granted:
      grant === undefined
        ? null
        : { ...scopeView(grant.scope), at: grant.grantedAt, by: printable(grant.grantedBy) },
    effective: effective === undefined ? null : scopeView(effective),
    why: reasons.length === 0 ? null : printable(reasons.join("; ")),
  };
}

/** What the ceilings take away of a scope. */
function limits(ceilings: Ceilings, capability: GrantName, scope: Scope): readonly string[] {
  return ceilings.flatMap((ceiling) => {
    const left = underCeilings([ceiling], capability, scope);
    if (left === undefined) return [`${ceiling.key} leaves it out`];
    return isSame(left, scope) ? [] : [`${ceiling.key} allows ${scopeText(left)}`];
  });
}

function isSame(a: Scope, b: Scope): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((entry) => b.includes(entry));
}

function scopeView(scope: Scope): ScopeView {
  return { scope: scope === null ? null : scope.map((entry) => printable(entry, 256)) };
}
