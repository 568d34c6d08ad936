/** The versions that install-loop.ts installs, and what each must look like afterwards. */
import type { PackageFiles } from "../../../src/host/package/package-files.ts";
import { samplePlugin } from "./world.ts";

/** The same one twice in a row now and then: that replaces a folder by another of the same name. */
export const loopVersions = ["1.0.0", "2.0.0", "2.0.0", "3.0.0"] as const;

export function versionOf(version: string): PackageFiles {
  const files = Array.from({ length: 12 }, (_, index) => [`lib/${index}.ts`, `${version} `.repeat(500)]);
  return samplePlugin({
    version,
    required: version === "2.0.0" ? ["notify_send"] : ["logs_read"],
    files: Object.fromEntries(files) as Record<string, string>,
  });
}
