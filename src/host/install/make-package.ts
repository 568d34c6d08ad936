/**
 * What of a plugin's files is run: JavaScript's bundle, or the WASM module or the executable as its author built it. Reads no byte of code here: the
 * bundler does that, and the module's room. Called by install.ts and, without a daemon, by check-files.ts.
 */
import { fail } from "../../base/errors.ts";
import type { BundlePlugin } from "../bundle/bundle-plugin.ts";
import { mainFile } from "../manifest/main-file.ts";
import { hookNames, type Isolation, type Manifest } from "../manifest/manifest.ts";
import type { PackageFiles } from "../package/package-files.ts";
import type { Bundle } from "../package/package-store.ts";
import type { GuestCode } from "../runtimes/runtime.ts";

export interface PluginPackage {
  /** The file that is run first. */
  readonly main: string;
  readonly code: GuestCode;
  /** What is stored beside the files; undefined where one of them is all that is run. */
  readonly bundle: Bundle | undefined;
  readonly builtins: readonly string[];
}

/** `isolation`: what the operator asks for. Throws `plugin.invalid`, `plugin.unsupported` and what the bundler throws. */
export async function makePackage(
  bundlePlugin: BundlePlugin,
  manifest: Manifest,
  files: PackageFiles,
  isolation: Isolation | undefined,
  signal?: AbortSignal,
): Promise<PluginPackage> {
  const main = mainFile(manifest, files);
  const wanted = isolation ?? manifest.isolation;
  if (manifest.tier === null) {
    if (isolation !== undefined) throw noIsolation();
    return {
      main,
      code: { kind: "exec", entrypoint: main, hooks: hookNames(manifest) },
      bundle: undefined,
      builtins: [],
    };
  }
  if (manifest.tier === 1) {
    if (wanted === "worker") throw noWorker(isolation);
    const bytes = files.get(main)?.bytes ?? new Uint8Array();
    return { main, code: { kind: "wasm", bytes }, bundle: undefined, builtins: [] };
  }
  const sources = new Map([...files].map(([path, file]) => [path, file.bytes]));
  const { code, sourceMap, builtins } = await bundlePlugin(sources, main, signal, wanted);
  return {
    main,
    code: { kind: "js", text: code, sourceMap },
    bundle: { code, sourceMap },
    builtins,
  };
}

// --- internal ---

function noIsolation(): Error {
  return fail("plugin.unsupported", "it is an executable, which nothing isolates", {
    hint: "leave --isolation out",
  });
}

function noWorker(isolation: Isolation | undefined): Error {
  return fail(
    "plugin.unsupported",
    "it is a WASM module, which always runs in a process of its own, never in a Worker",
    {
      hint:
        isolation === undefined
          ? 'take isolation = "worker" out of [runtime] in its plugin.toml'
          : "leave --isolation worker out",
    },
  );
}
