/** Which paths a plugin has: the areas, what may be done in them, and the scope of its grant. Called by fs.ts. */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { BACKUPS, parseAreaPath } from "../files/area-path.ts";
import { outOfScope } from "./denial.ts";
import type { Caller } from "./method.ts";
import { inScope } from "./scopes.ts";

/** Throws `capability.invalid_params`, `capability.out_of_scope`. */
export function admit(caller: Caller, capability: "fs_read" | "fs_write", path: string): void {
  const names = parseAreaPath(path);
  if (capability === "fs_write") refuseToChange(names, path);
  if (inScope(caller, capability, path)) return;
  const places = caller.grants.get(capability)?.join(", ") ?? "";
  throw outOfScope(
    caller,
    capability,
    `${quote(path)} is in none of the places that it may ${capability === "fs_read" ? "read" : "write"} (${places || "none"})`,
    commandSafe(path),
  );
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
