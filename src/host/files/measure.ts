/**
 * Looks at all that stands in `files/`, and takes away what was being written when an earlier daemon died. It stops where it has
 * seen as much as the quota lets stand there: whoever planted more is told that the area is full. Called by quota.ts.
 */
import { isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { FileStore } from "./file-store.ts";
import { FILES, OWN_PREFIX } from "./area-path.ts";

export interface Measured {
  /** Bytes by path; folders, links and the like have none. */
  readonly found: ReadonlyMap<string, number>;
  /** False where there was more than was looked at. */
  readonly complete: boolean;
}

/** Nothing may be written meanwhile: what is half written looks like what a daemon left. */
export async function measureFiles(
  store: Pick<FileStore, "scan" | "removePart">,
  maxCount: number,
): Promise<Measured> {
  const found = new Map<string, number>();
  const waiting: string[][] = [[FILES]];
  let looks = 0;
  let complete = true;
  for (let names = waiting.pop(); names !== undefined; names = waiting.pop()) {
    let entries: Awaited<ReturnType<FileStore["scan"]>>;
    try {
      entries = await store.scan(names, maxCount);
    } catch (error) {
      if (!isVoxError(error) || !EXPECTED.has(error.code)) throw error;
      complete &&= error.code !== "capability.limit";
      continue;
    }
    for (const { name, type, size } of entries) {
      if (++looks > maxCount) return { found, complete: false };
      const path = [...names, name];
      if (name.startsWith(OWN_PREFIX)) {
        if (type === "file") await store.removePart(path);
        continue;
      }
      found.set(path.join("/"), size);
      if (type !== "directory") continue;
      if (path.length < MOST_LEVELS) waiting.push(path);
      else complete = false;
    }
  }
  return { found, complete };
}

// --- internal ---

/** Gone, or swapped for something else, since its name was read; and too large to be read, which is more than we count. */
const EXPECTED: ReadonlySet<string> = new Set([
  "file.not_found",
  "file.wrong_type",
  "capability.out_of_scope",
  "capability.limit",
]);

/** Plugins can't make as many; who planted them made a tree that takes long to walk. */
const MOST_LEVELS = 4 * LIMITS.fileDepth;
