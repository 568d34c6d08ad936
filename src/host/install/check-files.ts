/**
 * What can be said of a plugin's folder without running its hooks and without a daemon. The same rules that install applies, the
 * bundler's and, where it is wanted, the module loader's too. Called by check/check-plugin.ts.
 */
import { isVoxError, type Details, type VoxError } from "../../base/errors.ts";
import { HOOK_NAMES } from "../../sdk/index.ts";
import type { BundlePlugin } from "../bundle/bundle-plugin.ts";
import { guestOf } from "../installed/guest.ts";
import { mainFile } from "../manifest/main-file.ts";
import { manifestFileOf, type Manifest } from "../manifest/manifest.ts";
import { digestOf } from "../package/digest.ts";
import type { PackageFiles } from "../package/package-files.ts";
import { candidateView, type CandidateView } from "../plugin-views.ts";
import type { OpenedRoom } from "../runtimes/room-keeper.ts";
import type { OpenRoom, PluginDoor } from "../runtimes/runtime.ts";
import { checkSize, manifestProblems, readManifest } from "./candidate.ts";
import { imaginedDoor } from "./imagined-door.ts";
import { makePackage, type PluginPackage } from "./make-package.ts";
import { prepare } from "./prepare.ts";

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
  /** Where it is written, from 1. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface CheckDeps {
  readonly bundle: BundlePlugin;
  /**
   * The room of WASM modules. Its `confinement.*` errors say something of this machine, not of the plugin. Undefined: modules are not
   * loaded here.
   */
  readonly openModule: OpenRoom | undefined;
}

/** A report, with what it was made of. */
export interface Checked extends Report {
  readonly manifest: Manifest | undefined;
  /** Undefined where it can't be had. */
  readonly code: PluginPackage | undefined;
}

export async function checkFiles(files: PackageFiles, deps: CheckDeps): Promise<Checked> {
  const problems: Problem[] = [];
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!isVoxError(error)) throw error;
      problems.push(problemOf(error));
      return undefined;
    }
  };
  await attempt(() => checkSize(files));
  const manifest = await attempt(() => readManifest(files));
  if (manifest === undefined) replaceLast(problems, manifestProblems(files));
  let code: PluginPackage | undefined;
  if (manifest !== undefined) {
    const main = await attempt(() => mainFile(manifest, files));
    if (problems.length === 0)
      code = await attempt(() => makePackage(deps.bundle, manifest, files, undefined));
    const made = code;
    if (made !== undefined) await attempt(() => checkModule(made, manifest, deps));
    problems.push(...warnings(manifest, main === undefined ? undefined : files.get(main)?.bytes, main));
  }
  return {
    ok: problems.every((problem) => problem.level === "warning"),
    problems,
    candidate: manifest === undefined ? null : candidateView(manifest, digestOf(files), null),
    manifest,
    code,
  };
}

// --- internal ---

/** An install tells of the first thing that is wrong; an author mends them all at once. */
function replaceLast(problems: Problem[], all: readonly VoxError[]): void {
  if (all.length === 0) return;
  problems.pop();
  problems.push(...all.map((each) => problemOf(each)));
}

/** What a module imports and exports is no word of its author, but to be seen. */
async function checkModule(
  { code, main }: PluginPackage,
  manifest: Manifest,
  { openModule }: CheckDeps,
): Promise<void> {
  if (code.kind !== "wasm" || openModule === undefined) return;
  const kind = "wasm-process";
  const { config, timeoutMs: deadlineMs } = manifest;
  const open = async (door: PluginDoor): Promise<OpenedRoom> => {
    const room = await openModule(guestOf(manifest, code, config, undefined), door);
    return { room, kind, config, deadlineMs };
  };
  const door = imaginedDoor(manifest);
  const prepared = await prepare(open, { before: door, after: door }, { manifest, main, kind: code.kind });
  await prepared.discard();
}

/** Where this machine can't confine, the module was not looked at, and nothing is known against it. */
function problemOf({ code, message, hint, details }: VoxError): Problem {
  const isOurs = code.startsWith("confinement.");
  return {
    level: isOurs ? "warning" : "error",
    code,
    message: isOurs ? `its code was not looked at: ${message}` : message,
    ...(hint === undefined ? {} : { hint }),
    ...placeOf(details),
  };
}

function placeOf({ file, line, column }: Details): Pick<Problem, "file" | "line" | "column"> {
  return {
    ...(typeof file === "string" ? { file } : {}),
    ...(typeof line === "number" ? { line } : {}),
    ...(typeof column === "number" ? { column } : {}),
  };
}

function warnings(manifest: Manifest, bytes: Uint8Array | undefined, main: string | undefined): Problem[] {
  const warn = (code: string, message: string): Problem => ({ level: "warning", code, message });
  if (manifest.hooks.length === 0 && manifest.provider === undefined)
    return [
      warn(
        "manifest.invalid",
        `${manifestFileOf(manifest)} names no ${manifest.tier === null ? "event" : "hook"}, so the plugin is never called`,
      ),
    ];
  if (bytes === undefined || manifest.tier !== 2) return [];
  const text = new TextDecoder().decode(bytes);
  const named = new Set<string>(manifest.hooks.map((each) => each.hook));
  return HOOK_NAMES.filter((hook) => !named.has(hook) && new RegExp(`\\b${hook}\\s*[(:]`).test(text)).map(
    (hook) =>
      warn("plugin.no_hook", `${main} seems to have ${hook}, and [hooks] in plugin.toml does not name it`),
  );
}
