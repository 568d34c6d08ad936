/** What consent is bound to: the digest of a plugin's folder (see base/content-digest.ts). Pure. */
import { contentDigest, sha256 } from "../../base/content-digest.ts";
import type { PackageFiles } from "./package-files.ts";

export function digestOf(files: PackageFiles): string {
  return contentDigest(
    [...files].map(([path, file]) => ({
      path,
      bit: file.executable ? "1" : "0",
      size: file.bytes.byteLength,
      sha256: sha256(file.bytes),
    })),
  );
}
