/**
 * What the dispatcher and the gates need of the plugin host, and nothing more. Implemented by plugins.ts; tests pass a fake.
 */
import type { HookName, VoxeltronEvent } from "../../sdk/index.ts";

export interface PluginRunner {
  /** Plugins that handle `hook` now, in the order of their names. A tampered or broken one is included: running it throws. */
  subscribers(hook: HookName): readonly Subscriber[];
  /**
   * Runs the hook once and gives the guest's answer. Calls of one plugin queue up. Throws VoxErrors: `plugin.*`, `config.invalid`,
   * `confinement.*`. Some of them say that the guest did not get the event, or not by its own fault: verdict.ts lists them, and
   * treats them apart from failures.
   */
  run(plugin: string, hook: HookName, event: VoxeltronEvent, signal?: AbortSignal): Promise<unknown>;
}

export interface Subscriber {
  readonly plugin: string;
  /** True where a failure stops the operation (`pre_*`, or `{ gate = true }` in the manifest). */
  readonly gate: boolean;
}
