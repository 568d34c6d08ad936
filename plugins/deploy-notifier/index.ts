/** Says in a notification channel when a deploy succeeds or fails. The channel is the operator's; this never sees its address. */
import type { DeployEvent, PluginContext, VoxeltronPlugin } from "@voxeltron/sdk";

const plugin: VoxeltronPlugin = {
  async on_deploy_success(event: DeployEvent, ctx: PluginContext) {
    await ctx.notify.send(channelOf(ctx), {
      title: `✅ ${event.service} v${event.version} is live`,
      text: `${event.service} deployed to ${event.domain} in ${seconds(event)}`,
      severity: "info",
    });
  },

  async on_deploy_fail(event: DeployEvent, ctx: PluginContext) {
    const after = event.rolledBack === true ? "the previous version keeps running" : "nothing is running";
    await ctx.notify.send(channelOf(ctx), {
      title: `❌ ${event.service} deploy failed`,
      text: `${event.error ?? "unknown error"} (step ${event.step ?? "unknown"}, after ${seconds(event)}); ${after}`,
      severity: "error",
    });
  },
};

export default plugin;

function channelOf(ctx: PluginContext): string {
  return String(ctx.config["channel"]);
}

function seconds(event: DeployEvent): string {
  return `${(event.durationMs / 1000).toFixed(1)} s`;
}
