/**
 * The reference plugins, inside the executable: what `plugin install NAME` takes. They are read when the program is built
 * (a macro), pass the same door as any other plugin and have no power of their own.
 */
import type { PackageFiles } from "../host/package/package-files.ts";
import type { ReferenceFile } from "./read-reference-plugins.ts";
import { readReferencePlugins } from "./read-reference-plugins.ts" with { type: "macro" };

const plugins = readReferencePlugins();

/** The files of each reference plugin by its name. */
export function embeddedPlugins(): ReadonlyMap<string, PackageFiles> {
  return new Map(Object.entries(plugins).map(([name, files]) => [name, packageOf(files)]));
}

// --- internal ---

function packageOf(files: Readonly<Record<string, ReferenceFile>>): PackageFiles {
  const encoder = new TextEncoder();
  return new Map(
    Object.entries(files).map(([path, { text, executable }]) => [
      path,
      { bytes: encoder.encode(text), executable },
    ]),
  );
}
