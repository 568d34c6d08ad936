/**
 * One digest over all files of a folder: `sha256:` over the lines `path NUL x-bit NUL size NUL sha256-of-content LF`, sorted as
 * bytes; x-bit is `1` or `0` (`l` for a symbolic link, whose content is its target), size is decimal, the hash is lower-case
 * hex. Consent is bound to it, so changing it voids every consent: it is fixed. Called where folders arrive and where they run.
 */
export function contentDigest(entries: readonly DigestEntry[]): string {
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
