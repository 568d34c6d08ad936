/** `CAPABILITY[=SCOPE,…]` as it is typed after --grant and `plugin grant`. */
import { fail } from "../base/errors.ts";
import { nameAdvice, quote } from "../base/text.ts";
import { GRANT_NAMES, isGrantName, type GrantName } from "../base/grant-names.ts";
import type { Grants } from "./consent.ts";

/** Throws `grant.unknown` or `usage.invalid`. An empty scope would grant nothing, so it is an error. */
export function parseGrant(text: string): Grants[number] {
  const [name = "", ...rest] = text.split("=");
  const capability = parseCapability(name);
  if (rest.length === 0) return { capability };
  const scope = rest.join("=").split(",");
  if (scope.some((part) => part.trim() === ""))
    throw fail("usage.invalid", `the scope of ${capability} has an empty part in ${quote(text)}`, {
      hint: `write ${capability} for the whole, or ${capability}=ONE,TWO`,
    });
  return { capability, scope: scope.map((part) => part.trim()) };
}

/** The same capability twice means both scopes. Throws `usage.invalid` where one of the two has none: which would hold? */
export function parseGrants(texts: readonly string[]): Grants {
  const grants = new Map<GrantName, Grants[number]>();
  for (const { capability, scope } of texts.map(parseGrant)) {
    const before = grants.get(capability);
    if (before !== undefined && (scope === undefined || before.scope === undefined))
      throw fail("usage.invalid", `${capability} is granted twice, once of them without a scope`);
    const both = scope === undefined ? {} : { scope: [...new Set([...(before?.scope ?? []), ...scope])] };
    grants.set(capability, { capability, ...both });
  }
  return [...grants.values()];
}

export function parseCapability(name: string): GrantName {
  if (isGrantName(name)) return name;
  throw fail("grant.unknown", `there is no capability ${quote(name)}`, {
    hint: nameAdvice(name, GRANT_NAMES),
  });
}
