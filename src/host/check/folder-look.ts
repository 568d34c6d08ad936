/** What is in a folder, without reading it: enough to see that something was put there, changed or taken away. Called by program.ts. */
import { lstat, readdir } from "node:fs/promises";
import { join, relative } from "node:path";

/** By path: what must stay the same. */
export type FolderLook = ReadonlyMap<string, string>;

export async function lookAtFolder(root: string): Promise<FolderLook> {
  const look = new Map<string, string>();
  // A folder that is gone has nothing in it.
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (look.size >= ENTRIES_MOST) break;
    const path = join(entry.parentPath, entry.name);
    try {
      const { size, mtimeMs, mode, ino } = await lstat(path);
      // A folder's time and size change with what is in it, which is told by itself.
      look.set(relative(root, path), entry.isDirectory() ? `${mode}` : `${size} ${mtimeMs} ${mode} ${ino}`);
    } catch {
      // It went while it was looked at.
    }
  }
  return look;
}

/** In words: `cache.db is new`. */
export function folderChanges(before: FolderLook, now: FolderLook): readonly string[] {
  const changes = [...now].flatMap(([path, state]) => {
    const was = before.get(path);
    if (was === undefined) return [`${path} is new`];
    return was === state ? [] : [`${path} was changed`];
  });
  const gone = [...before.keys()].filter((path) => !now.has(path)).map((path) => `${path} was removed`);
  return [...changes, ...gone];
}

// --- internal ---

/** A program may make as many as it likes; so many are more than there could be of its own, and enough to say so. */
const ENTRIES_MOST = 100_000;
