/** What is in a folder, without reading it: enough to see that something was put there, changed or taken away. Called by program.ts. */
import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** By path: what must stay the same. */
export type FolderLook = ReadonlyMap<string, string>;

/** Follows no link, and goes on where something can't be looked at, or is gone. */
export async function lookAtFolder(root: string): Promise<FolderLook> {
  const look = new Map<string, string>();
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await entriesOf(join(root, folder))) {
      if (look.size >= ENTRIES_MOST) return look;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      look.set(path, await stateOf(join(root, path), entry.isDirectory()));
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
const ENTRIES_MOST = 50_000;

function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}

async function stateOf(path: string, isFolder: boolean): Promise<string> {
  try {
    const { size, mtimeMs, mode, ino } = await lstat(path);
    // A folder's time and size change with what is in it, which is told by itself.
    return isFolder ? `${mode}` : `${size} ${mtimeMs} ${mode} ${ino}`;
  } catch {
    return "gone";
  }
}
