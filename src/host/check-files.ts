/**
 * `plugin check`: what can be said of a plugin's folder without running it and without a daemon. Pure. The same rules that
 * install applies; what only running the code could tell is not here.
 */
import { isVoxError } from "../base/errors.ts";
import { HOOK_NAMES } from "../sdk/index.ts";
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

export function checkFiles(files: PackageFiles): Report {
  const problems: Problem[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!isVoxError(error)) throw error;
      const { code, message, hint } = error;
      problems.push({ level: "error", code, message, ...(hint === undefined ? {} : { hint }) });
      return undefined;
    }
  };
  attempt(() => checkSize(files));
  const manifest = attempt(() => readManifest(files));
  if (manifest !== undefined) {
    attempt(() => checkSupported(manifest, undefined));
    const main = attempt(() => mainFile(manifest, files));
    problems.push(...warnings(manifest, main === undefined ? undefined : files.get(main)?.bytes, main));
  }
  return {
    ok: problems.every((problem) => problem.level === "warning"),
    problems,
    candidate: manifest === undefined ? null : candidateView(manifest, digestOf(files), null),
  };
}

// --- internal ---

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
