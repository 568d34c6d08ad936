/** An uploaded plugin folder, in memory. Symbolic links are refused whole: a plugin has no use for them. */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { PackageFile, PackageFiles } from "./package-files.ts";
import { walkTar, type TarLimits } from "./walk-tar.ts";

/** Throws `upload.invalid`, `upload.too_large`. Nothing is written anywhere. */
export async function readTar(stream: ReadableStream<Uint8Array>, limits: TarLimits): Promise<PackageFiles> {
  const files = new Map<string, PackageFile>();
  await walkTar(stream, limits, async (entry) => {
    if (entry.type === "link")
      throw fail("upload.invalid", `${quote(entry.path)} is a symbolic link, a plugin may have none`, {
        hint: "put the file itself in its place",
      });
    if (entry.type !== "file") return;
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.content) chunks.push(chunk);
    files.set(entry.path, { bytes: new Uint8Array(Buffer.concat(chunks)), executable: entry.executable });
  });
  return files;
}
