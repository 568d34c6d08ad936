/** Whether anything in a folder looks touched since the last time: names, kinds, sizes, times and inodes. No proof of sameness. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export async function fingerprint(root: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const names = await readdir(root, { recursive: true }).catch(() => []);
  for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
    const found = await lstat(join(root, name), { bigint: true }).catch(() => undefined);
    hash.update(`${name}\0${found?.mode} ${found?.size} ${found?.mtimeNs} ${found?.ctimeNs} ${found?.ino}\n`);
  }
  return hash.digest("hex");
}
