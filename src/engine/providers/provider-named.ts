/** Finds a provider by the name that an operator or a stored version gives it. Pure. Called by everything that runs instances. */
import { fail } from "../../base/errors.ts";
import { nameAdvice, quote } from "../../base/text.ts";
import type { Provider } from "./provider.ts";

/** Throws `provider.unknown`. */
export function providerNamed(providers: ReadonlyMap<string, Provider>, name: string): Provider {
  const provider = providers.get(name);
  if (provider !== undefined) return provider;
  throw fail("provider.unknown", `no provider is called ${quote(name)}`, {
    hint: nameAdvice(name, [...providers.keys()]),
  });
}
