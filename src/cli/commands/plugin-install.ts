/** `plugin install`: read, show, ask, and only then install. */
import { statSync } from "node:fs";
import type { Client } from "../../api/client.ts";
import type { CandidateView, Input, PluginDetails, PluginView } from "../../api/operations.ts";
import { isVoxError } from "../../base/errors.ts";
import { printable, quote } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { obtainConsent } from "../consent.ts";
import { parseGrants } from "../grants.ts";
import { json } from "../output.ts";
import { usage } from "../parse.ts";
import { uploadFolder } from "../upload.ts";

export const pluginInstall = command({
  words: "plugin install",
  summary: "install a plugin from a folder, or by name, after showing what it asks for",
  args: [{ name: "dir|name" }],
  options: {
    yes: { type: "flag", summary: "grant every required capability without asking" },
    grant: {
      type: "list",
      value: "CAP[=SCOPE,…]",
      summary: "grant exactly this without asking; a missing required one is refused",
    },
    isolation: { type: "text", value: "worker", summary: "the room that the plugin's code runs in" },
  },
  example: [
    "voxeltron plugin install ./my-plugin",
    "voxeltron plugin install deploy-notifier --yes",
    "voxeltron plugin install ./my-plugin --grant notify_send --grant logs_read",
  ].join("\n"),
  notes: [
    "What contains a slash, or is a folder, is read as a folder; any other word is the name of a plugin that comes",
    "with voxeltron. A .voxeltronignore file in the folder leaves files out, in the manner of .gitignore.",
    "Optional capabilities are never granted by --yes: name them with --grant, or later with voxeltron plugin grant.",
  ],
  async run(context) {
    const { io, options, flags } = context;
    const grants = parseGrants(options.grant);
    if (options.yes && grants.length > 0)
      throw usage("--yes and --grant exclude each other", { words: "plugin install" });
    const isolation = parseIsolation(options.isolation);
    const client = await context.client();
    const source = await findSource(client, argument(context, "dir|name"));
    const candidate = await client.call("plugin.inspect", { source });
    const installed = await installedVersion(client, candidate);
    const consent = await obtainConsent(io, candidate, installed, {
      yes: options.yes,
      grants,
      quiet: flags.json,
    });
    const plugin = await client.call("plugin.install", {
      source,
      digest: candidate.digest,
      grants: consent,
      ...isolation,
    });
    await io.stdout.write(flags.json ? json(plugin) : `${conclusion(plugin)}\n`);
  },
});

// --- internal ---

type Source = Input<"plugin.inspect">["source"];

async function findSource(client: Client, text: string): Promise<Source> {
  const isFolder =
    text.includes("/") ||
    text === "." ||
    text === ".." ||
    statSync(text, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? { upload: await uploadFolder(client, text, "plugin") } : { embedded: text };
}

function parseIsolation(text: string | undefined): { readonly isolation?: "worker" } {
  if (text === undefined) return {};
  if (text === "worker") return { isolation: "worker" };
  throw usage(`--isolation wants worker, found ${quote(text)}`, { words: "plugin install" });
}

async function installedVersion(
  client: Client,
  candidate: CandidateView,
): Promise<PluginDetails | undefined> {
  if (candidate.replaces === null) return undefined;
  try {
    return await client.call("plugin.info", { name: candidate.name });
  } catch (error) {
    // Removed in between: then it replaces nothing, and everything it asks for is shown anyway.
    if (isVoxError(error) && error.code === "plugin.not_found") return undefined;
    throw error;
  }
}

function conclusion(plugin: PluginView): string {
  if (plugin.state === "enabled") return "✓ Plugin installed and enabled";
  const reason = plugin.reason === null ? "" : `: ${printable(plugin.reason)}`;
  return `✓ Plugin installed, now ${printable(plugin.state)}${reason}`;
}
