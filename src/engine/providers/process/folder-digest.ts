/**
 * The exact name of a folder on disk: the same digest that its upload had. Links are named by where they point, and not
 * followed. Called by provider.ts.
 */
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { contentDigest, sha256, type DigestEntry } from "../../../base/content-digest.ts";

export async function folderDigest(root: string, signal: AbortSignal): Promise<string> {
  const entries: DigestEntry[] = [];
  for await (const path of filesUnder(root)) {
    signal.throwIfAborted();
    entries.push({ ...(await entryAt(path)), path: relative(root, path) });
  }
  return contentDigest(entries);
}

// --- internal ---

async function* filesUnder(dir: string): AsyncGenerator<string> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else if (entry.isFile() || entry.isSymbolicLink()) yield path;
  }
}

async function entryAt(path: string): Promise<Omit<DigestEntry, "path">> {
  const info = await lstat(path);
  if (info.isSymbolicLink()) return { bit: "l", size: info.size, sha256: sha256(await readlink(path)) };
  return { bit: (info.mode & 0o100) === 0 ? "0" : "1", size: info.size, sha256: await fileDigest(path) };
}

async function fileDigest(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk);
  return hash.digest("hex");
}
