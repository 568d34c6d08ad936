/**
 * The exact name of a folder: `sha256:` over the sorted lines `path NUL x-bit NUL size NUL sha256-of-content LF` of its
 * files. Links are named by where they point, and not followed. Called by provider.ts.
 */
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, relative } from "node:path";

export async function folderDigest(root: string, signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  for await (const path of filesUnder(root)) {
    signal.throwIfAborted();
    const info = await lstat(path);
    const isLink = info.isSymbolicLink();
    const content = isLink ? sha256(await readlink(path)) : await fileDigest(path);
    const executable = !isLink && (info.mode & 0o100) !== 0 ? 1 : 0;
    lines.push(`${relative(root, path)}\0${executable}\0${info.size}\0${content}\n`);
  }
  return `sha256:${sha256(lines.toSorted().join(""))}`;
}

// --- internal ---

async function* filesUnder(dir: string): AsyncGenerator<string> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else if (entry.isFile() || entry.isSymbolicLink()) yield path;
  }
}

async function fileDigest(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk);
  return hash.digest("hex");
}

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
