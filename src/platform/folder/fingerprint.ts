/**
 * Whether anything in a folder looks touched since the last time: names, kinds, sizes, times and inodes. No proof of sameness. Follows no
 * link: Bun's own recursive `readdir` does, and would leave the folder by one. What is too much to look at never looks the same.
 */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";

export async function fingerprint(root: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  let left: number = LIMITS.fingerprintEntries;

  async function visit(folder: string): Promise<void> {
    const names = await readdir(join(root, folder)).catch(() => []);
    for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
      if (left-- <= 0) return;
      const path = join(folder, name);
      const found = await lstat(join(root, path), { bigint: true }).catch(() => undefined);
      hash.update(
        `${path}\0${found?.mode} ${found?.size} ${found?.mtimeNs} ${found?.ctimeNs} ${found?.ino}\n`,
      );
      if (found?.isDirectory() === true) await visit(path);
    }
  }

  await visit("");
  if (left < 0) hash.update(newId());
  return hash.digest("hex");
}
