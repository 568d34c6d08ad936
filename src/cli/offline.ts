/** For commands that only look: when no daemon answers, what its data directory holds is looked at instead. */
import type { OfflinePlugins } from "../api/offline.ts";
import { isVoxError } from "../base/errors.ts";
import { printable } from "../base/text.ts";
import { homeOf } from "./drop-in-text.ts";
import type { Io } from "./io.ts";
import type { Place } from "./place.ts";

/** A socket that may not be opened is no reason to look elsewhere: a daemon may well run. */
export async function withoutDaemon<T>(
  { io, place }: { readonly io: Io; readonly place: Place },
  online: () => Promise<T>,
  offline: (found: OfflinePlugins) => T,
): Promise<T> {
  try {
    return await online();
  } catch (error) {
    if (!isAbsent(error)) throw error;
    const dataDir = await place.dataDir();
    const { offlinePlugins } = await import("../api/offline.ts");
    const found = await offlinePlugins(dataDir, homeOf(io.environment));
    if (found === undefined) throw error;
    await io.stderr.write(`note: no daemon answers; this is what ${printable(dataDir)} holds\n`);
    return offline(found);
  }
}

/** True where the error says that no daemon is there at all. */
export function isAbsent(error: unknown): boolean {
  return (
    isVoxError(error) && error.code === "daemon.not_reachable" && ABSENT.includes(error.details["reason"])
  );
}

// --- internal ---

const ABSENT: readonly unknown[] = ["ENOENT", "ENOTDIR", "ECONNREFUSED"];
