/** `plugin grant` and `plugin revoke`: change what an installed plugin may do, by name. */
import { printable } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { parseCapability, parseGrant } from "../grants.ts";
import { json } from "../output.ts";

const grant = command({
  words: "plugin grant",
  summary: "grant an installed plugin a capability that it asks for",
  args: [{ name: "name" }, { name: "cap[=scope,…]" }],
  options: {},
  example: "voxeltron plugin grant my-plugin network_outbound=api.example.com",
  async run(context) {
    const { io, flags } = context;
    const wanted = parseGrant(argument(context, "cap[=scope,…]"));
    const input = { name: argument(context, "name"), ...wanted };
    const plugin = await (await context.client()).call("plugin.grant", input);
    const scope = wanted.scope === undefined ? "" : ` for ${printable(wanted.scope.join(", "))}`;
    await io.stdout.write(
      flags.json ? json(plugin) : `${printable(plugin.name)} may now use ${wanted.capability}${scope}\n`,
    );
  },
});

const revoke = command({
  words: "plugin revoke",
  summary: "take a capability back, from the next call on",
  args: [{ name: "name" }, { name: "cap" }],
  options: {},
  example: "voxeltron plugin revoke deploy-notifier notify_send",
  async run(context) {
    const { io, flags } = context;
    const input = {
      name: argument(context, "name"),
      capability: parseCapability(argument(context, "cap")),
    };
    const plugin = await (await context.client()).call("plugin.revoke", input);
    await io.stdout.write(
      flags.json ? json(plugin) : `${printable(plugin.name)} may no longer use ${input.capability}\n`,
    );
  },
});

export const pluginGrantCommands = [grant, revoke];
