/**
 * Scopes as a whole: lists of entries, or null for the whole capability. What an entry means and covers is in scopes.ts. Pure. Used
 * where a request, a grant and a ceiling meet, and by the words of a refusal.
 */
import type { GrantName } from "../../base/grant-names.ts";
import { SCOPES, type Scope } from "./scopes.ts";

/** What both reach. */
export function intersection(capability: GrantName, a: Scope, b: Scope): Scope {
  if (a === null || b === null) {
    const listed = a ?? b;
    // The whole is less than what lies beyond it, and more than every other entry.
    return listed?.some((entry) => entry === SCOPES[capability].beyondWhole) === true ? null : listed;
  }
  const { covers, common } = SCOPES[capability];
  const both = (one: string, other: string): string | undefined =>
    covers(one, other) ? other : covers(other, one) ? one : common?.(one, other);
  const met = a.flatMap((one) => b.map((other) => both(one, other)));
  return [...new Set(met.filter((entry) => entry !== undefined))];
}

/** What one of them reaches. */
export function union(capability: GrantName, a: Scope, b: Scope): Scope {
  const beyond = [...(a ?? []), ...(b ?? [])].find((entry) => entry === SCOPES[capability].beyondWhole);
  if (beyond !== undefined) return [beyond];
  return a === null || b === null ? null : [...new Set([...a, ...b])];
}

/** What is limited to a ceiling, where a null scope means that there is no limit. */
export function below(capability: GrantName, scope: Scope, ceiling: Scope): Scope {
  return ceiling === null ? scope : intersection(capability, scope, ceiling);
}

export function scopeText(scope: Scope): string {
  return scope === null ? "everything" : scope.join(", ") || "nothing";
}
