/**
 * Loads a plugin's bundle once, before anything of it is installed: does the code load at all, and does it have a function
 * for each hook that its manifest names? The guest gets a door behind which there is nothing. Called by install.ts.
 */
import { fail } from "../base/errors.ts";
import { isHookName } from "../sdk/index.ts";
import type { Manifest } from "./manifest/manifest.ts";
import type { Guest, OpenRoom, PluginDoor } from "./runtimes/runtime.ts";

/** Throws `plugin.no_hook`, `plugin.load_failed`, and what the room throws. */
export async function loadCheck(
  openRoom: OpenRoom,
  guest: Guest,
  manifest: Manifest,
  main: string,
  methods: PluginDoor["methods"],
): Promise<void> {
  const room = await openRoom(guest, closedDoor(methods));
  const { handlers } = room;
  await room.stop();
  const missing = manifest.hooks.find(({ hook }) => !handlers.includes(hook));
  if (missing !== undefined)
    throw fail("plugin.no_hook", `plugin.toml names ${missing.hook}, and ${main} has no such function`, {
      details: { hook: missing.hook, file: main },
      hint: `add ${missing.hook} to what ${main} exports as default, or take it out of [hooks]`,
    });
}

/** Hooks that the code could handle and the manifest does not name: they are never called. */
export function unnamedHooks(manifest: Manifest, handlers: readonly string[]): readonly string[] {
  return handlers.filter((name) => isHookName(name) && !manifest.hooks.some(({ hook }) => hook === name));
}

// --- internal ---

function closedDoor(methods: PluginDoor["methods"]): PluginDoor {
  return {
    methods,
    invoke: (method) =>
      Promise.reject(fail("capability.denied", `${method} can't be used while the plugin's code is loaded`)),
    log() {},
  };
}
