/**
 * The operator's ceiling: what a plugin may be granted at all, and as far as which targets. What is not in it has no effect, whatever
 * was granted. Pure. Made of the configuration, each time that it is asked for.
 */
import { GRANT_NAMES, type GrantName } from "../base/grant-names.ts";
import { below, union } from "./capabilities/scope-sets.ts";
import type { Scope } from "./capabilities/scopes.ts";
import type { ScopedCapability } from "./scoped-capability.ts";

/** Capabilities that may be used; null: without a limit. */
export interface Ceiling {
  readonly scopes: ReadonlyMap<GrantName, Scope>;
  /** Where it is written, for who wants to raise it. */
  readonly key: string;
}

/** All that a plugin must stay below. */
export type Ceilings = readonly Ceiling[];

export const NO_CEILING: Ceilings = [];

export function makeCeiling(entries: readonly ScopedCapability[], key: string): Ceiling {
  const scopes = new Map<GrantName, Scope>();
  for (const { capability, scope } of entries) {
    const before = scopes.get(capability);
    scopes.set(capability, before === undefined ? scope : union(capability, before, scope));
  }
  return { scopes, key };
}

/** Undefined: nothing of it. */
export function underCeilings(ceilings: Ceilings, capability: GrantName, scope: Scope): Scope | undefined {
  let left: Scope = scope;
  for (const { scopes } of ceilings) {
    const limit = scopes.get(capability);
    if (limit === undefined) return undefined;
    left = below(capability, left, limit);
  }
  return left;
}

/** The first that leaves a capability out. */
export function withholding(ceilings: Ceilings, capability: string): Ceiling | undefined {
  return ceilings.find(({ scopes }) => !scopes.has(capability as GrantName));
}

export function withheldBy(ceilings: Ceilings): ReadonlySet<GrantName> {
  return new Set(GRANT_NAMES.filter((name) => withholding(ceilings, name) !== undefined));
}
