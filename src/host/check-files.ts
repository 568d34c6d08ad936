/**
 * `plugin check`: what can be said of a plugin's folder without running it and without a daemon. The same rules that install
 * applies, the bundler's too; what only running the code could tell is not here. Called by api/offline.ts.
 */
import { isVoxError } from "../base/errors.ts";
import { HOOK_NAMES } from "../sdk/index.ts";
import type { BundlePlugin } from "./bundle/bundle-plugin.ts";
import { mainFile } from "./manifest/main-file.ts";
import type { Manifest } from "./manifest/manifest.ts";
import { digestOf } from "./package/digest.ts";
import type { PackageFiles } from "./package/package-files.ts";
import { candidateView, type CandidateView } from "./plugin-views.ts";
import { checkSize, checkSupported, readManifest } from "./read-manifest.ts";

export interface Report {
  /** False where an install would be refused. */
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  /** What the operator would be asked; null where the manifest can't be read. */
  readonly candidate: CandidateView | null;
}

export interface Problem {
  readonly level: "error" | "warning";
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export async function checkFiles(files: PackageFiles, bundle: BundlePlugin): Promise<Report> {
  const problems: Problem[] = [];
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!isVoxError(error)) throw error;
      const { code, message, hint } = error;
      problems.push({ level: "error", code, message, ...(hint === undefined ? {} : { hint }) });
      return undefined;
    }
  };
  await attempt(() => checkSize(files));
  const manifest = await attempt(() => readManifest(files));
  if (manifest !== undefined) {
    await attempt(() => checkSupported(manifest, undefined));
    const main = await attempt(() => mainFile(manifest, files));
    if (main !== undefined && problems.length === 0) await attempt(() => bundle(sourcesOf(files), main));
    problems.push(...warnings(manifest, main === undefined ? undefined : files.get(main)?.bytes, main));
  }
  return {
    ok: problems.every((problem) => problem.level === "warning"),
    problems,
    candidate: manifest === undefined ? null : candidateView(manifest, digestOf(files), null),
  };
}

// --- internal ---

function sourcesOf(files: PackageFiles): ReadonlyMap<string, Uint8Array> {
  return new Map([...files].map(([path, { bytes }]) => [path, bytes]));
}

function warnings(manifest: Manifest, bytes: Uint8Array | undefined, main: string | undefined): Problem[] {
  const warn = (code: string, message: string): Problem => ({ level: "warning", code, message });
  if (manifest.hooks.length === 0)
    return [warn("manifest.invalid", "plugin.toml names no hook, so the plugin is never called")];
  if (bytes === undefined || manifest.tier !== 2) return [];
  const text = new TextDecoder().decode(bytes);
  const named = new Set<string>(manifest.hooks.map((each) => each.hook));
  return HOOK_NAMES.filter((hook) => !named.has(hook) && new RegExp(`\\b${hook}\\s*[(:]`).test(text)).map(
    (hook) =>
      warn("plugin.no_hook", `${main} seems to have ${hook}, and [hooks] in plugin.toml does not name it`),
  );
}
