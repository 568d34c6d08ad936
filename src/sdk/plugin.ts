/** The shape of a plugin's default export. */
import type { PluginContext } from "./context.ts";
import type { EventOf } from "./events.ts";

/**
 * A handler for each hook that the manifest names. It may be async; it has 10 seconds unless the manifest says more.
 * A throw (or a rejection) makes the delivery fail; the daemon tries again, five times in all. Where the hook is a gate
 * (`pre_*`, or `{ gate = true }`), a throw refuses the operation and its message is what the operator reads.
 *
 * @example
 * import type { VoxeltronPlugin } from "@voxeltron/sdk";
 *
 * const plugin: VoxeltronPlugin = {
 *   async on_deploy_success(event, ctx) {
 *     await ctx.notify.send("ops", `${event.service} v${event.version} is live at ${event.domain}`);
 *   },
 * };
 *
 * export default plugin;
 */
export type VoxeltronPlugin = {
  readonly [Hook in keyof EventOf]?: (event: EventOf[Hook], ctx: PluginContext) => unknown;
};

/** Gives an object literal the plugin's types without an annotation; does nothing else. */
export function definePlugin(plugin: VoxeltronPlugin): VoxeltronPlugin {
  return plugin;
}
