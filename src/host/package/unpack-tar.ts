/**
 * An uploaded app folder, onto disk. Links are made last and only after all of them together were followed in memory, so
 * nothing is ever written through one and none leads out. What fails leaves nothing behind. Called for `deploy --path`.
 */
import { mkdir, open, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { contentDigest, sha256, type DigestEntry } from "../../base/content-digest.ts";
import { diskFull } from "../../base/disk-full.ts";
import { checkLinks } from "./link-check.ts";
import { walkTar, type TarEntry, type TarLimits } from "./walk-tar.ts";

export interface Unpacked {
  readonly files: number;
  readonly bytes: number;
  /** Over all files and links (see base/content-digest.ts). */
  readonly digest: string;
}

/** Makes `intoDir`, which must not exist yet. Throws `upload.invalid`, `upload.too_large`, `disk.full`. */
export async function unpackTar(
  stream: ReadableStream<Uint8Array>,
  intoDir: string,
  limits: TarLimits,
): Promise<Unpacked> {
  await mkdir(intoDir, { mode: 0o700 });
  try {
    return await unpack(stream, intoDir, limits);
  } catch (error) {
    await rm(intoDir, { recursive: true, force: true });
    throw diskFull(error);
  }
}

// --- internal ---

async function unpack(
  stream: ReadableStream<Uint8Array>,
  root: string,
  limits: TarLimits,
): Promise<Unpacked> {
  const entries: DigestEntry[] = [];
  const links = new Map<string, string>();
  await walkTar(stream, limits, async (entry) => {
    const path = join(root, entry.path);
    if (entry.type === "link") links.set(entry.path, entry.target);
    else if (entry.type === "folder") await mkdir(path, { recursive: true, mode: 0o755 });
    else entries.push(await writeEntry(path, entry));
  });
  checkLinks(links);
  for (const [path, target] of links) {
    await mkdir(dirname(join(root, path)), { recursive: true, mode: 0o755 });
    await symlink(target, join(root, path));
    entries.push({ path, bit: "l", size: Buffer.byteLength(target), sha256: sha256(target) });
  }
  const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
  return { files: entries.length, bytes, digest: contentDigest(entries) };
}

async function writeEntry(path: string, entry: TarEntry): Promise<DigestEntry> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const hash = new Bun.CryptoHasher("sha256");
  const file = await open(path, "wx", entry.executable ? 0o755 : 0o644);
  try {
    for await (const chunk of entry.content) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return {
    path: entry.path,
    bit: entry.executable ? "1" : "0",
    size: entry.size,
    sha256: hash.digest("hex"),
  };
}
