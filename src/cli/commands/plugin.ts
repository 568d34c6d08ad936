/** `plugin list · info · remove · rollback · disable · logs · call`. Looking also works without a daemon. */
import { readFileSync } from "node:fs";
import type { OfflinePlugins } from "../../api/offline.ts";
import type { Output, PluginDetails } from "../../api/operations.ts";
import { fail, unreadableBecause } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { isObject } from "../../base/is-object.ts";
import { printable, quote } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { dropInNotes, unseenNotes } from "../drop-in-text.ts";
import { stateText } from "../install-plugin.ts";
import { confirm } from "../confirm.ts";
import { consume } from "../consume.ts";
import { parseHook } from "../hooks.ts";
import { withoutDaemon } from "../offline.ts";
import { json, jsonLine } from "../output.ts";
import { logLine, pluginTable, pluginText } from "../plugin-text.ts";
import { pluginEnable } from "./plugin-enable.ts";

const name = [{ name: "name" }];

const list = command({
  words: "plugin list",
  summary: "list all plugins: installed, lying in a folder of plugins, and built in",
  args: [],
  options: {
    all: {
      type: "flag",
      summary: "with --json: what is built in too; always so where this is called devbox",
    },
  },
  example: "voxeltron plugin list --json",
  notes: [
    "What was copied to DATA_DIR/plugins/NAME or ~/.config/devbox/plugins/NAME (of the daemon's user) shows at once, and runs only",
    "after voxeltron plugin enable NAME.",
  ],
  async run({ io, flags, options, place, client, advice }) {
    const found = await withoutDaemon<PluginList>(
      { io, place },
      async () => (await client()).call("plugin.list", {}),
      (offline) => offline,
    );
    const { plugins } = found;
    if (flags.json) {
      // Whoever reads it looks for what can be enabled, called and removed.
      const all = options.all || io.program === "devbox";
      return io.stdout.write(json(all ? plugins : plugins.filter(({ builtIn }) => !builtIn)));
    }
    await io.stdout.write(advice(`${pluginTable(plugins)}${dropInNotes(plugins)}`));
    const notes = unseenNotes(found, io.environment);
    if (notes !== "") await io.stderr.write(notes);
  },
});

const info = command({
  words: "plugin info",
  summary: "show a plugin, what it may do and what it was refused",
  args: name,
  options: {},
  example: "voxeltron plugin info deploy-notifier",
  async run(context) {
    const { io, flags, place, client } = context;
    const wanted = argument(context, "name");
    const plugin = await withoutDaemon(
      { io, place },
      async () => (await client()).call("plugin.info", { name: wanted }),
      ({ plugins }) => findPlugin(plugins, wanted),
    );
    await io.stdout.write(flags.json ? json(plugin) : pluginText(plugin));
  },
});

const remove = command({
  words: "plugin remove",
  summary: "remove a plugin with its grants and its own store; one from a folder of plugins with that folder",
  args: name,
  options: {
    yes: { type: "flag", summary: "do not ask" },
    force: {
      type: "flag",
      summary: "also a provider on which instances are left; they go on, and nobody looks after them",
    },
  },
  example: "voxeltron plugin remove deploy-notifier --yes",
  async run(context) {
    const { io, flags, options } = context;
    const plugin = argument(context, "name");
    const client = await context.client();
    if (!options.yes) {
      const { folder } = await client.call("plugin.info", { name: plugin });
      await confirm(
        io,
        `remove plugin ${plugin}${folder === null ? "" : ` and its folder ${folder}`}`,
        false,
      );
    }
    const { folder } = await client.call("plugin.remove", { name: plugin, force: options.force });
    const also = folder === null ? "" : ` and its folder ${printable(folder, LIMITS.uploadPathBytes)}`;
    await io.stdout.write(
      flags.json ? json({ name: plugin, removed: true, folder }) : `removed ${printable(plugin)}${also}\n`,
    );
  },
});

const rollback = command({
  words: "plugin rollback",
  summary: "go back to an earlier version of a plugin, with what was granted to it",
  args: name,
  options: {
    to: {
      type: "text",
      value: "VERSION",
      summary: "which one, or the beginning of its digest (the one before)",
    },
  },
  example: "voxeltron plugin rollback deploy-notifier --to 1.0.0",
  notes: [
    "voxeltron plugin info lists the versions that are kept. What was revoked since stays revoked. The version that runs now",
    "can be gone back to in its turn. A linked plugin is no longer linked.",
  ],
  async run(context) {
    const { io, flags, options, client } = context;
    const to = options.to === undefined ? {} : { to: options.to };
    const plugin = await (await client()).call("plugin.rollback", { name: argument(context, "name"), ...to });
    await io.stdout.write(
      flags.json
        ? json(plugin)
        : `${printable(plugin.name)} is back at ${printable(plugin.version)}, ${stateText(plugin)}\n`,
    );
  },
});

const disable = command({
  words: "plugin disable",
  summary: "stop a plugin; it stays installed with its grants",
  args: name,
  options: {},
  example: "voxeltron plugin disable deploy-notifier",
  async run(context) {
    const { io, flags, client } = context;
    const plugin = await (await client()).call("plugin.disable", { name: argument(context, "name") });
    await io.stdout.write(flags.json ? json(plugin) : `${printable(plugin.name)} is ${stateText(plugin)}\n`);
  },
});

const logs = command({
  words: "plugin logs",
  summary: "show what a plugin logged",
  args: name,
  options: {
    follow: { type: "flag", short: "f", summary: "go on as more is logged" },
    limit: { type: "integer", value: "N", min: 0, max: 100_000, summary: "at most the last N (100)" },
  },
  example: "voxeltron plugin logs deploy-notifier -f",
  async run(context) {
    const { io, flags, options, client } = context;
    const input = {
      name: argument(context, "name"),
      follow: options.follow,
      limit: options.limit ?? 100,
    };
    await consume((await client()).stream("plugin.logs", input), (entry) =>
      io.stdout.write(flags.json ? jsonLine(entry) : logLine(entry)),
    );
  },
});

const call = command({
  words: "plugin call",
  summary: "run one hook of a plugin now, with an event from a file or a made-up one",
  args: [{ name: "name" }, { name: "hook" }],
  options: { event: { type: "text", value: "FILE", summary: "the event's fields as a JSON object" } },
  example: "voxeltron plugin call deploy-notifier on_deploy_success --event event.json",
  notes: [
    "The file has all fields of the event but id, hook and at: the data of a line of voxeltron events --json is one.",
    "A call by hand is not an event: it is not recorded and never tried again.",
  ],
  async run(context) {
    const { io, flags, options, client } = context;
    const hook = parseHook(argument(context, "hook"));
    const event = options.event === undefined ? {} : { event: readEvent(options.event) };
    const input = { name: argument(context, "name"), hook, ...event };
    const answer = await (await client()).call("plugin.call", input);
    if (flags.json) return io.stdout.write(json(answer));
    for (const entry of answer.logs) await io.stderr.write(logLine(entry));
    const result =
      answer.result === null ? "" : `result: ${printable(JSON.stringify(answer.result), 2000)}\n`;
    await io.stdout.write(`${result}${hook} ran in ${Math.round(answer.durationMs)} ms\n`);
  },
});

export const pluginCommands = [list, info, remove, rollback, pluginEnable, disable, logs, call];

// --- internal ---

type PluginList = Output<"plugin.list"> | OfflinePlugins;

function findPlugin(offline: readonly PluginDetails[], wanted: string): PluginDetails {
  const found = offline.find((plugin) => plugin.name === wanted);
  if (found === undefined) throw fail("plugin.not_found", `no plugin is called ${quote(wanted)}`);
  return found;
}

function readEvent(file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw fail("event.invalid", `the event file ${quote(file)} can't be used: ${unreadableBecause(error)}`);
  }
  if (isObject(value)) return value;
  throw fail("event.invalid", `the event file ${quote(file)} should hold a JSON object`);
}
