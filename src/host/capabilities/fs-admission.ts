/** Which paths a plugin has: the areas, what may be done in them, and the scope of its grant. Called by fs.ts at each look at the disk. */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { BACKUPS, parseAreaPath } from "../files/area-path.ts";
import { denied, outOfScope } from "./denial.ts";
import type { Caller } from "./method.ts";

/** The names on the way. Throws `capability.invalid_params`, `capability.out_of_scope`, `capability.denied`. */
export function admit(caller: Caller, capability: "fs_read" | "fs_write", path: string): readonly string[] {
  const names = parseAreaPath(path);
  if (capability === "fs_write") refuseToChange(names, path);
  const scope = caller.grants.get(capability);
  // Revoked while the call was under way.
  if (scope === undefined) throw denied(caller, { name: "fs", anyOf: [capability] }, commandSafe(path));
  if (scope !== null && !isInFileScope(scope, path))
    throw outOfScope(
      caller,
      capability,
      `${quote(path)} is in none of the places that it may ${capability === "fs_read" ? "read" : "write"} (${scope.join(", ") || "none"})`,
      commandSafe(path),
    );
  return names;
}

/** A path that may stand in a command an operator pastes. */
export function commandSafe(path: string): string | undefined {
  if (!/^[\w./-]{1,200}$/.test(path)) return undefined;
  try {
    parseAreaPath(path);
    return path;
  } catch {
    return undefined;
  }
}

/** An entry covers itself and all that is below it. */
export function isInFileScope(scope: readonly string[], path: string): boolean {
  return scope.some((entry) => path === entry || path.startsWith(`${entry}/`));
}

// --- internal ---

function refuseToChange(names: readonly string[], path: string): void {
  if (names[0] === BACKUPS)
    throw fail(
      "capability.out_of_scope",
      `${quote(path)} is a backup: plugins may read those and change nothing`,
    );
  if (names.length === 1)
    throw fail(
      "capability.out_of_scope",
      `${quote(path)} itself is not a plugin's: only what is in it can be changed`,
    );
}
