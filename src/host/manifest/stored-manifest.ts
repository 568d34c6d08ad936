/** The manifest of an installed plugin, from the text that its row keeps. Pure. */
import type { PluginRow } from "../../state/plugins.ts";
import { parseExecManifest } from "./exec-manifest.ts";
import type { Manifest } from "./manifest.ts";
import { parseManifest } from "./parse-manifest.ts";

/** Throws `manifest.invalid` where this version of voxeltron can't read what an earlier one installed. */
export function manifestFrom({ kind, manifest }: Pick<PluginRow, "kind" | "manifest">): Manifest {
  return PARSERS[kind](new TextEncoder().encode(manifest));
}

// --- internal ---

const PARSERS: Readonly<Record<PluginRow["kind"], (bytes: Uint8Array) => Manifest>> = {
  js: parseManifest,
  wasm: parseManifest,
  exec: parseExecManifest,
};
