/** Whether anything in a folder looks touched since the last time: names, kinds, sizes, times and inodes. No proof of sameness. */
import { lstatSync, readdirSync, type BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface Fingerprint {
  readonly text: string;
  /** Files and folders that were looked at. */
  readonly entries: number;
}

export async function fingerprint(root: string): Promise<Fingerprint> {
  const names = await readdir(root, { recursive: true }).catch(() => []);
  const found: (BigIntStats | undefined)[] = [];
  // One after the other: a large folder must not take all of the pool.
  for (const name of names)
    found.push(await lstat(join(root, name), { bigint: true }).catch(() => undefined));
  return printOf(names, found);
}

/** The same while everybody else waits: for a folder of which is known that it is small, where that is a tenth of the time. */
export function fingerprintNow(root: string): Fingerprint {
  const names = attempt(() => readdirSync(root, { recursive: true, encoding: "utf8" })) ?? [];
  return printOf(
    names,
    names.map((name) => attempt(() => lstatSync(join(root, name), { bigint: true }))),
  );
}

// --- internal ---

function printOf(names: readonly string[], found: readonly (BigIntStats | undefined)[]): Fingerprint {
  const lines = names.map((name, index) => {
    const { mode, size, mtimeNs, ctimeNs, ino } = found[index] ?? {};
    return `${name}\0${mode} ${size} ${mtimeNs} ${ctimeNs} ${ino}\n`;
  });
  const text = new Bun.CryptoHasher("sha256").update(lines.toSorted().join("")).digest("hex");
  return { text, entries: names.length };
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
