/**
 * Whether anything in a folder looks touched since the last time: names, kinds, sizes, times and inodes. No proof of sameness. Follows no
 * link: Bun's own recursive `readdir` does, and would leave the folder by one. What is too much to look at never looks the same.
 */
import { lstatSync, readdirSync, type BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";

export interface Fingerprint {
  readonly text: string;
  /** Files and folders that were looked at. */
  readonly entries: number;
}

export async function fingerprint(root: string): Promise<Fingerprint> {
  const print = makePrint();
  async function visit(folder: string): Promise<void> {
    const names = await readdir(join(root, folder)).catch(() => []);
    for (const name of inOrder(names)) {
      const path = join(folder, name);
      if (print.isFull()) return;
      const found = await lstat(join(root, path), { bigint: true }).catch(() => undefined);
      if (print.add(path, found)) await visit(path);
    }
  }
  await visit("");
  return print.end();
}

/** The same while everybody else waits: for a folder of which is known that it is small, where that takes a quarter of the time. */
export function fingerprintNow(root: string): Fingerprint {
  const print = makePrint();
  function visit(folder: string): void {
    for (const name of inOrder(attempt(() => readdirSync(join(root, folder))) ?? [])) {
      const path = join(folder, name);
      if (print.isFull()) return;
      if (
        print.add(
          path,
          attempt(() => lstatSync(join(root, path), { bigint: true })),
        )
      )
        visit(path);
    }
  }
  visit("");
  return print.end();
}

// --- internal ---

interface Print {
  /** Takes no more, and looks the same as nothing. */
  isFull(): boolean;
  /** True where it is a folder. */
  add(path: string, found: BigIntStats | undefined): boolean;
  end(): Fingerprint;
}

function makePrint(): Print {
  const hash = new Bun.CryptoHasher("sha256");
  let entries = 0;
  let isOver = false;
  return {
    isFull() {
      isOver ||= entries >= LIMITS.fingerprintEntries;
      return isOver;
    },
    add(path, found) {
      entries++;
      hash.update(
        `${path}\0${found?.mode} ${found?.size} ${found?.mtimeNs} ${found?.ctimeNs} ${found?.ino}\n`,
      );
      return found?.isDirectory() === true;
    },
    end() {
      if (isOver) hash.update(newId());
      return { text: hash.digest("hex"), entries };
    },
  };
}

function inOrder(names: readonly string[]): string[] {
  return names.toSorted((a, b) => (a < b ? -1 : 1));
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
