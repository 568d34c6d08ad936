/**
 * The words of a refusal. Each says what was tried, by whom, in which hook, and the one command or line that would allow only that.
 * An operator may paste the command: what a plugin had a part in (a host, a path) stands in it only as a scope entry, and quoted.
 * Called by broker.ts and by the families.
 */
import { fail, type VoxError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { GrantName } from "../../base/grant-names.ts";
import type { Ceiling } from "../ceiling.ts";
import { isScopeEntry } from "../scoped-capability.ts";
import type { Caller, Method } from "./method.ts";
import { scopeText, union } from "./scope-sets.ts";
import { reaches, type Scope } from "./scopes.ts";

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
    `plugin ${caller.plugin} called ${method.name}${inHook(caller)}, which needs ${method.anyOf.join(" or ")}; ${whyDenied(caller, capability)}`,
    {
      hint: advice(caller, capability, scope, { isTarget: false }),
      details: { capability, method: method.name, ...who(caller) },
    },
  );
}

/** The capability is granted, but not for this target. */
export function outOfScope(
  caller: Caller,
  capability: GrantName,
  what: string,
  scope: string | undefined,
): VoxError {
  return fail("capability.out_of_scope", `plugin ${caller.plugin}${inHook(caller)}: ${what}`, {
    hint: advice(caller, capability, scope, { isTarget: true }),
    details: { capability, ...who(caller) },
  });
}

// --- internal ---

/** Who granted it and reads that it is not would grant it again. */
function whyDenied(caller: Caller, capability: GrantName): string {
  const [ceiling] =
    grantOf(caller, capability) === undefined ? [] : blocking(caller, capability, () => false);
  return ceiling === undefined ? "that is not granted" : `that is granted, but ${ceiling.key} leaves it out`;
}

function inHook({ during }: Caller): string {
  return during === undefined ? "" : ` in ${during}`;
}

function who({ plugin, during }: Caller): Readonly<Record<string, string>> {
  return during === undefined ? { plugin } : { plugin, during };
}

/** What stands in the way, in the order in which it has to be mended. `isTarget`: it is the target that was refused. */
function advice(
  caller: Caller,
  capability: GrantName,
  target: string | undefined,
  { isTarget }: { readonly isTarget: boolean },
): string {
  const entry = target !== undefined && isScopeEntry(capability, target) ? target : undefined;
  if (!caller.requested.has(capability))
    return `its plugin.toml does not ask for it: add "${capability}" to required (or optional) under [capabilities], then install it again`;
  const asked = caller.standing?.asked(capability) ?? null;
  if (entry !== undefined && !reaches(capability, asked, entry))
    return `its plugin.toml asks for it for ${scopeText(asked)} only: add ${quote(entry)} to ${capability} under [capabilities.scope], then install it again`;
  const granted = grantOf(caller, capability);
  const isGranted =
    granted !== undefined && (entry === undefined ? granted === null : reaches(capability, granted, entry));
  const isBlocked = (limit: readonly string[]): boolean =>
    entry === undefined ? isTarget : !reaches(capability, limit, entry);
  const steps = blocking(caller, capability, isBlocked).map((ceiling) => raise(ceiling, capability, entry));
  // With nothing else in the way the grant is what is missing, whatever is known of it.
  if (!isGranted || steps.length === 0)
    steps.push(
      entry === undefined
        ? grantWhole(caller, capability, target === undefined)
        : grantEntry(caller, capability, granted, entry),
    );
  return steps.join("; then ");
}

/** What was granted, before ceilings. */
function grantOf({ standing, grants }: Caller, capability: GrantName): Scope | undefined {
  return standing === undefined ? grants.get(capability) : standing.granted(capability);
}

function blocking(
  { standing, withheld }: Caller,
  capability: GrantName,
  isBlocked: (limit: readonly string[]) => boolean,
): readonly Pick<Ceiling, "key">[] {
  if (standing === undefined) return withheld.has(capability) ? [{ key: "[plugins] ceiling" }] : [];
  return standing.ceilings.filter(({ scopes }) => {
    const limit = scopes.get(capability);
    if (limit === undefined) return true;
    return limit !== null && isBlocked(limit);
  });
}

function raise({ key }: Pick<Ceiling, "key">, capability: GrantName, entry: string | undefined): string {
  const line = entry === undefined ? capability : `${capability}=${entry}`;
  return `the daemon's configuration keeps it away: add ${JSON.stringify(line)} to ${key}`;
}

/** What can't be written as a scope is only open where all is: an operator must not take that for "only that". */
function grantWhole({ plugin }: Caller, capability: GrantName, isAsked: boolean): string {
  return `to allow ${isAsked ? "it" : `all of ${capability}`}: voxeltron plugin grant ${plugin} ${capability}`;
}

function grantEntry(
  { plugin }: Caller,
  capability: GrantName,
  granted: Scope | undefined,
  entry: string,
): string {
  const entries = union(capability, granted ?? [], [entry]) ?? [entry];
  return `to allow only that: voxeltron plugin grant ${plugin} ${scopedWord(capability, entries)}`;
}

/** `CAPABILITY=ENTRY,…` as one word of a shell. */
function scopedWord(capability: GrantName, entries: readonly string[]): string {
  const word = `${capability}=${entries.join(",")}`;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
