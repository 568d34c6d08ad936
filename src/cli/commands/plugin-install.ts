/** `plugin install`: read, show, ask, and only then install. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Client } from "../../api/client.ts";
import type { CandidateView, PluginView } from "../../api/operations.ts";
import { printable, quote } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import {
  consentTo,
  CONSENT_OPTIONS,
  installPlugin,
  parseTerms,
  stateText,
  type Source,
} from "../install-plugin.ts";
import { json } from "../output.ts";
import { usage } from "../parse.ts";
import { uploadFolder } from "../upload.ts";

const words = "plugin install";

export const pluginInstall = command({
  words,
  summary: "install a plugin from a folder, or by name, after showing what it asks for",
  args: [{ name: "dir|name" }],
  options: {
    ...CONSENT_OPTIONS,
    link: { type: "flag", summary: "have the daemon watch the folder and take over every change" },
  },
  example: [
    "voxeltron plugin install ./my-plugin",
    "voxeltron plugin install deploy-notifier --yes",
    "voxeltron plugin install ./my-plugin --grant notify_send --grant logs_read",
    "voxeltron plugin install --link ./my-plugin",
  ].join("\n"),
  notes: [
    "What contains a slash, or is a folder, is read as a folder; any other word is the name of a plugin that comes",
    "with voxeltron. A .voxeltronignore file in the folder leaves files out, in the manner of .gitignore.",
    "Optional capabilities are never granted by --yes: name them with --grant, or later with voxeltron plugin grant.",
    "A linked plugin whose plugin.toml asks for anything else is paused until you install it again; without --link that",
    "ends the link. An executable is paused at every change of its files. The daemon itself must be able to see the folder: voxeltron plugin dev sends it instead.",
  ],
  async run(context) {
    const { io, options, flags } = context;
    const terms = parseTerms(options, words);
    const client = await context.client();
    const source = await findSource(client, argument(context, "dir|name"), options.link);
    const candidate = await client.call("plugin.inspect", { source });
    const remarks = "link" in source ? [linkRemark(source.link, candidate)] : [];
    const asking = { io, client, terms, quiet: flags.json, remarks };
    const grants = await consentTo(candidate, asking);
    const plugin = await installPlugin(asking, source, candidate, grants);
    await io.stdout.write(flags.json ? json(plugin) : `${conclusion(plugin, source)}\n`);
  },
});

// --- internal ---

async function findSource(client: Client, text: string, isLinked: boolean): Promise<Source> {
  const isFolder =
    text.includes("/") ||
    text === "." ||
    text === ".." ||
    statSync(text, { throwIfNoEntry: false })?.isDirectory() === true;
  // The daemon has another working directory.
  if (isFolder && isLinked) return { link: resolve(text) };
  if (isLinked) throw usage(`--link wants a folder, found ${quote(text)}`, { words });
  return isFolder ? { upload: await uploadFolder(client, text, "plugin") } : { embedded: text };
}

function linkRemark(folder: string, { kind }: CandidateView): string {
  const what =
    kind === "exec"
      ? "pauses it until you consent again"
      : "is taken over without asking, if it asks for nothing else";
  return `linked: every later change in ${printable(folder)} ${what}`;
}

function conclusion(plugin: PluginView, source: Source): string {
  const linked = "link" in source ? `, linked to ${printable(source.link)}` : "";
  if (plugin.state === "enabled") return `✓ Plugin installed and enabled${linked}`;
  return `✓ Plugin installed${linked}, now ${stateText(plugin)}`;
}
