/**
 * The words of a refusal. Each says what was tried, by whom, and the one command or line that would allow only that.
 * Everything that goes into a command here is checked text (a plugin's name, a host, a channel that exists): an operator
 * may paste it. Called by broker.ts and by the families.
 */
import { fail, type VoxError } from "../../base/errors.ts";
import type { Capability } from "../../sdk/index.ts";
import type { Caller, Method } from "./method.ts";

/** None of the capabilities that open the method is granted. `scope`: the narrowest that would be enough. */
export function denied(
  caller: Caller,
  method: Pick<Method, "name" | "anyOf">,
  scope: string | undefined,
): VoxError {
  const capability = method.anyOf.find((name) => caller.requested.has(name)) ?? method.anyOf[0];
  if (capability === undefined) throw new Error(`${method.name} needs no capability`);
  return fail(
    "capability.denied",
    `plugin ${caller.plugin} called ${method.name}, which needs ${method.anyOf.join(" or ")}; that is not granted`,
    {
      hint: advice(caller, capability, scope),
      details: { capability, method: method.name, plugin: caller.plugin },
    },
  );
}

/** The capability is granted, but not for this target. */
export function outOfScope(
  caller: Caller,
  capability: Capability,
  what: string,
  scope: string | undefined,
): VoxError {
  return fail("capability.out_of_scope", `plugin ${caller.plugin}: ${what}`, {
    hint: advice(caller, capability, scope),
    details: { capability, plugin: caller.plugin },
  });
}

// --- internal ---

function advice(caller: Caller, capability: Capability, scope: string | undefined): string {
  if (!caller.requested.has(capability))
    return `its plugin.toml does not ask for it: add "${capability}" to required (or optional) under [capabilities], then install it again`;
  if (caller.withheld.has(capability))
    return `the daemon's configuration keeps it from every plugin: add "${capability}" to [plugins] ceiling`;
  const command = `voxeltron plugin grant ${caller.plugin}`;
  if (scope === undefined) return `to allow it: ${command} ${capability}`;
  const scopes = [...new Set([...(caller.grants.get(capability) ?? []), scope])];
  const wanted = `${capability}=${scopes.join(",")}`;
  return `to allow only that: ${command} ${/[*[]/.test(wanted) ? `'${wanted}'` : wanted}`;
}
