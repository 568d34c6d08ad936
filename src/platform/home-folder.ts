/**
 * The home of who runs this: HOME, or what the system knows where a service manager set none; undefined where there is none to be had.
 */
import { userInfo } from "node:os";
import { isAbsolute } from "node:path";
import type { Environment } from "../base/paths.ts";

export function homeFolder(environment: Environment): string | undefined {
  const named = environment["HOME"] ?? known();
  return named !== undefined && isAbsolute(named) ? named : undefined;
}

// --- internal ---

function known(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}
