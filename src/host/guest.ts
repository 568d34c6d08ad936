/** What a room is told of a plugin. Pure. */
import { LIMITS } from "../base/limits.ts";
import type { Manifest } from "./manifest/manifest.ts";
import type { Bundle } from "./package/package-store.ts";
import type { PluginConfig } from "./plugin-config.ts";
import type { Guest } from "./runtimes/runtime.ts";

export function guestOf(manifest: Manifest, bundle: Bundle, config: PluginConfig): Guest {
  const { name, version, timeoutMs } = manifest;
  const code = { kind: "js", text: bundle.code, sourceMap: bundle.sourceMap } as const;
  return { name, version, code, config, entryMs: Math.min(timeoutMs, LIMITS.hookDefaultMs) };
}
