/** `CAPABILITY[=SCOPE,…]` as it is typed after --grant and `plugin grant`. */
import { fail } from "../base/errors.ts";
import { nameAdvice, quote } from "../base/text.ts";
import { CAPABILITY_NAMES, isCapability, type Capability } from "../sdk/index.ts";
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

/** Throws `usage.invalid` also where a capability is named twice: which scope would hold? */
export function parseGrants(texts: readonly string[]): Grants {
  const grants = texts.map(parseGrant);
  const twice = grants.find((grant, index) =>
    grants.slice(0, index).some((other) => other.capability === grant.capability),
  );
  if (twice !== undefined) throw fail("usage.invalid", `${twice.capability} is granted twice`);
  return grants;
}

export function parseCapability(name: string): Capability {
  if (isCapability(name)) return name;
  throw fail("grant.unknown", `there is no capability ${quote(name)}`, {
    hint: nameAdvice(name, CAPABILITY_NAMES),
  });
}
