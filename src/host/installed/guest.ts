/** What a room is told of a plugin. Pure. */
import { LIMITS } from "../../base/limits.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Guest, GuestCode, GuestDisk } from "../runtimes/runtime.ts";
import type { PluginConfig } from "./plugin-config.ts";

export function guestOf(
  manifest: Manifest,
  code: GuestCode,
  config: PluginConfig,
  disk: GuestDisk | undefined,
): Guest {
  const { name, version, timeoutMs } = manifest;
  return { name, version, code, config, disk, entryMs: Math.min(timeoutMs, LIMITS.hookDefaultMs) };
}
