/**
 * `plugin check`: what can be said of a plugin's folder without running its hooks and without a daemon. The same rules that install
 * applies, the bundler's and the module loader's too. Called by api/offline.ts.
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
import { makePackage } from "./make-package.ts";
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
  /** The room of WASM modules. Its `confinement.*` errors say something of this machine, not of the plugin. */
  readonly openModule: OpenRoom;
}

export async function checkFiles(files: PackageFiles, deps: CheckDeps): Promise<Report> {
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
  if (manifest !== undefined) {
    const main = await attempt(() => mainFile(manifest, files));
    if (problems.length === 0) await attempt(() => checkCode(files, manifest, deps));
    problems.push(...warnings(manifest, main === undefined ? undefined : files.get(main)?.bytes, main));
  }
  return {
    ok: problems.every((problem) => problem.level === "warning"),
    problems,
    candidate: manifest === undefined ? null : candidateView(manifest, digestOf(files), null),
  };
}

// --- internal ---

/** An install tells of the first thing that is wrong; an author mends them all at once. */
function replaceLast(problems: Problem[], all: readonly VoxError[]): void {
  if (all.length === 0) return;
  problems.pop();
  problems.push(...all.map((each) => problemOf(each)));
}

/** JavaScript is bundled and not run. A module is loaded: what it imports and exports is no word of its author, but to be seen. */
async function checkCode(files: PackageFiles, manifest: Manifest, deps: CheckDeps): Promise<void> {
  const { code, main } = await makePackage(deps.bundle, manifest, files, undefined);
  if (code.kind !== "wasm") return;
  const kind = "wasm-process";
  const { config, timeoutMs: deadlineMs } = manifest;
  const open = async (door: PluginDoor): Promise<OpenedRoom> => {
    const room = await deps.openModule(guestOf(manifest, code, config, undefined), door);
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
