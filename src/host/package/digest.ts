/**
 * What consent is bound to: one digest over all files of a folder. `sha256:` over the lines
 * `path NUL x-bit NUL size NUL sha256-of-content LF`, sorted as bytes; x-bit is `1` or `0` (`l` for a symbolic link, whose
 * content is its target), size is decimal, the hash is lower-case hex. Changing this voids every consent: it is fixed.
 */
import type { PackageFiles } from "./package-files.ts";

export function digestOf(files: PackageFiles): string {
  return digestOfEntries(
    [...files].map(([path, file]) => ({
      path,
      bit: file.executable ? "1" : "0",
      size: file.bytes.byteLength,
      sha256: sha256(file.bytes),
    })),
  );
}

/** For what is too large to be held in memory: the hashes were taken on the way. */
export function digestOfEntries(entries: readonly DigestEntry[]): string {
  const lines = entries.map(({ path, bit, size, sha256 }) =>
    Buffer.from(`${path}\0${bit}\0${size}\0${sha256}\n`, "utf8"),
  );
  const hash = new Bun.CryptoHasher("sha256");
  for (const line of lines.toSorted((a, b) => Buffer.compare(a, b))) hash.update(line);
  return `sha256:${hash.digest("hex")}`;
}

export interface DigestEntry {
  readonly path: string;
  readonly bit: "0" | "1" | "l";
  readonly size: number;
  readonly sha256: string;
}

export function sha256(bytes: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}
