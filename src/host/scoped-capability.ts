/**
 * `CAPABILITY` or `CAPABILITY=SCOPE[,SCOPE]`, as an operator writes it in the configuration, with the words for what is wrong. Pure. Used by
 * daemon/config-ceiling.ts; the manifest's schema and the refusals take their words from here too.
 */
import { LIMITS } from "../base/limits.ts";
import { didYouMean, quote } from "../base/text.ts";
import { GRANT_NAMES, isGrantName, type GrantName } from "../base/grant-names.ts";
import { CAPABILITY_NAMES } from "../sdk/index.ts";
import { SCOPES, type Scope } from "./capabilities/scopes.ts";

export interface ScopedCapability {
  readonly capability: GrantName;
  readonly scope: Scope;
}

export type ScopedReading = ScopedCapability | { readonly wanted: string };

export function readScoped(text: string): ScopedReading {
  const [name = "", ...rest] = text.split("=");
  if (!isGrantName(name)) return { wanted: wantedOf(name, GRANT_NAMES) };
  if (rest.length === 0) return { capability: name, scope: null };
  const entries = rest.join("=").split(",");
  const scope = entries.map((entry) => entry.trim());
  if (scope.length > LIMITS.scopeEntries)
    return { wanted: `at most ${LIMITS.scopeEntries} entries after ${name}=` };
  const isFine = scope.every((entry) => isScopeEntry(name, entry));
  return isFine ? { capability: name, scope } : { wanted: `after ${name}= ${SCOPES[name].wanted}` };
}

/** Also in a list that is written with commas. */
export function isScopeEntry(capability: GrantName, text: string): boolean {
  return (
    text.length <= 256 &&
    text === text.trim() &&
    !/[,\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) &&
    SCOPES[capability].isEntry(text)
  );
}

/** For a manifest, which can't ask to run unsandboxed. Completes "wanted …". */
export function wantedCapability(found: unknown): string {
  return wantedOf(found, CAPABILITY_NAMES);
}

// --- internal ---

function wantedOf(found: unknown, names: readonly string[]): string {
  const meant = typeof found === "string" ? didYouMean(found, names) : undefined;
  const advice = meant === undefined ? "" : `; did you mean ${quote(meant)}?`;
  return `one of ${names.join(", ")}${advice}`;
}
