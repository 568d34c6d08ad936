/**
 * Before there were drop-ins, installed packages lay where these are now: in `<data dir>/plugins`. Once, at the first start after that,
 * those that a row names are moved to their own place; whatever else is there stays. What is moved is checked as ever before it runs.
 * A crash in between leaves the rest for the next start. Called by package-store.ts.
 */
import { mkdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "./write-folder.ts";
import { shortDigest } from "./short-digest.ts";

export async function adoptPackages(
  former: string,
  packagesDir: string,
  kept: ReadonlyMap<string, readonly { readonly digest: string }[]>,
): Promise<void> {
  if ((await isThere(packagesDir)) || !(await isThere(former))) return;
  // It gets its name when all are in it: until then this is repeated.
  const aside = `${packagesDir}.new`;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  for (const [name, versions] of kept) {
    for (const { digest } of versions) {
      const from = join(former, name, shortDigest(digest));
      if (!(await isThere(join(from, "files")))) continue;
      await mkdir(join(aside, name), { recursive: true, mode: 0o700 });
      await rename(from, join(aside, name, shortDigest(digest)));
      await syncFolder(join(aside, name));
    }
    // Not where something else is in it.
    await rmdir(join(former, name)).catch(() => {});
  }
  await rm(join(former, ".staging"), { recursive: true, force: true });
  await syncFolder(aside);
  await rename(aside, packagesDir);
  await syncFolder(dirname(packagesDir));
}

// --- internal ---

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
