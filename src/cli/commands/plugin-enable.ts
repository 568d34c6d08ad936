/** `plugin enable`: lets an installed plugin receive events again, or asks for consent to one that lies in a folder of plugins. */
import type { Client } from "../../api/client.ts";
import type { CandidateView, PluginView } from "../../api/operations.ts";
import { isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { consentTo, CONSENT_OPTIONS, installPlugin, parseTerms, stateText } from "../install-plugin.ts";
import { json } from "../output.ts";

const words = "plugin enable";

export const pluginEnable = command({
  words,
  summary:
    "let a plugin receive events again, or run one from a folder of plugins, after showing what it asks for",
  args: [{ name: "name" }],
  options: CONSENT_OPTIONS,
  example: ["voxeltron plugin enable deploy-notifier", "voxeltron plugin enable my-provider --yes"].join(
    "\n",
  ),
  notes: [
    "A plugin that was copied to DATA_DIR/plugins/NAME or ~/.config/devbox/plugins/NAME runs only after this. Consent holds for",
    "exactly its files: when they change it does not run until you consent again. For other plugins no option counts.",
  ],
  async run(context) {
    const { io, options, flags } = context;
    const terms = parseTerms(options, words);
    const name = argument(context, "name");
    const client = await context.client();
    const enabled = await enableInstalled(client, name);
    if (enabled !== undefined)
      return io.stdout.write(
        flags.json ? json(enabled) : `${printable(enabled.name)} is ${stateText(enabled)}\n`,
      );
    const source = { dropIn: name };
    const candidate = await client.call("plugin.inspect", { source });
    const remarks = await remarksOn(client, candidate);
    const asking = { io, client, terms, quiet: flags.json, remarks };
    const grants = await consentTo(candidate, asking);
    const plugin = await installPlugin(asking, source, candidate, grants);
    await io.stdout.write(flags.json ? json(plugin) : `${conclusion(plugin)}\n`);
  },
});

// --- internal ---

/** Undefined where its files are yet to be consented to. */
async function enableInstalled(client: Client, name: string): Promise<PluginView | undefined> {
  try {
    return await client.call("plugin.enable", { name });
  } catch (error) {
    if (isVoxError(error) && error.code === "consent.needed") return undefined;
    throw error;
  }
}

async function remarksOn(client: Client, { name }: CandidateView): Promise<readonly string[]> {
  const { folder } = await client.call("plugin.info", { name });
  return folder === null
    ? []
    : [
        `from ${printable(folder, LIMITS.uploadPathBytes)}: after any change there it stops until you consent again`,
      ];
}

function conclusion(plugin: PluginView): string {
  if (plugin.state === "enabled") return "✓ Plugin installed and enabled";
  return `✓ Plugin installed, now ${stateText(plugin)}`;
}
