/** A plugin that was read and is not installed: its files, and the manifest among them. Pure. */
import { dirname } from "node:path";
import { fail, isVoxError, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes, quote } from "../../base/text.ts";
import { execManifestProblems, parseExecManifest } from "../manifest/exec-manifest.ts";
import { EXEC_MANIFEST_FILE, MANIFEST_FILE, type Manifest } from "../manifest/manifest.ts";
import { manifestProblems as tomlManifestProblems, parseManifest } from "../manifest/parse-manifest.ts";
import { digestOf } from "../package/digest.ts";
import type { PackageFiles } from "../package/package-files.ts";

/** A plugin that was read and is not installed. */
export interface Candidate {
  readonly files: PackageFiles;
  readonly manifest: Manifest;
  readonly digest: string;
  /** The folder of drop-ins where it lies; undefined for one that came from elsewhere. */
  readonly dropIn?: string | undefined;
}

/** Throws what `checkSize` and `readManifest` throw. */
export function readCandidate(files: PackageFiles): Candidate {
  checkSize(files);
  return { files, manifest: readManifest(files), digest: digestOf(files) };
}

/** Throws `manifest.missing`, `manifest.invalid`, `plugin.unsupported`. */
export function readManifest(files: PackageFiles): Manifest {
  const file = files.get(MANIFEST_FILE);
  const executable = files.get(EXEC_MANIFEST_FILE);
  if (file !== undefined && executable !== undefined)
    throw fail("manifest.invalid", `the folder has a ${MANIFEST_FILE} and a ${EXEC_MANIFEST_FILE}`, {
      hint: `remove one: ${EXEC_MANIFEST_FILE} is for an executable, ${MANIFEST_FILE} for all other plugins`,
    });
  if (file !== undefined) return parseManifest(file.bytes);
  if (executable !== undefined) return parseExecManifest(executable.bytes);
  const deeper = [...files.keys()].find((path) => /\/plugin\.(?:toml|yaml)$/.test(path));
  throw fail("manifest.missing", `the folder has no ${MANIFEST_FILE} and no ${EXEC_MANIFEST_FILE}`, {
    hint:
      deeper === undefined
        ? `name the folder that ${MANIFEST_FILE} is in`
        : `there is one further down: name the folder ${quote(dirname(deeper))}`,
  });
}

/** All that is wrong with its manifest, for its author; empty where `readManifest` has to say it alone. */
export function manifestProblems(files: PackageFiles): readonly VoxError[] {
  const [file, executable] = [files.get(MANIFEST_FILE), files.get(EXEC_MANIFEST_FILE)];
  if (file !== undefined && executable !== undefined) return [];
  try {
    if (file !== undefined) return tomlManifestProblems(file.bytes);
    return executable === undefined ? [] : execManifestProblems(executable.bytes);
  } catch (error) {
    if (isVoxError(error)) return [];
    throw error;
  }
}

/** Throws `plugin.too_large`. */
export function checkSize(files: PackageFiles): void {
  let bytes = 0;
  for (const file of files.values()) bytes += file.bytes.byteLength;
  if (bytes > LIMITS.pluginUploadBytes || files.size > LIMITS.uploadFiles)
    throw fail(
      "plugin.too_large",
      `the folder has ${files.size} files with ${formatBytes(bytes)}, at most ${LIMITS.uploadFiles} with ${formatBytes(LIMITS.pluginUploadBytes)} are taken`,
    );
}
