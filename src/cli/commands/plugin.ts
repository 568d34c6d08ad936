/** `plugin list · info · remove · rollback · enable · disable · logs · call`. Looking also works without a daemon. */
import { readFileSync } from "node:fs";
import type { PluginDetails, PluginView } from "../../api/operations.ts";
import { fail, unreadableBecause } from "../../base/errors.ts";
import { isObject } from "../../base/is-object.ts";
import { printable, quote } from "../../base/text.ts";
import { argument, command, type Command } from "../command.ts";
import { stateText } from "../install-plugin.ts";
import { confirm } from "../confirm.ts";
import { consume } from "../consume.ts";
import { parseHook } from "../hooks.ts";
import { withoutDaemon } from "../offline.ts";
import { json, jsonLine, table } from "../output.ts";
import { logLine, pluginText } from "../plugin-text.ts";

const name = [{ name: "name" }];

const list = command({
  words: "plugin list",
  summary: "list the installed plugins",
  args: [],
  options: {},
  example: "voxeltron plugin list --json",
  async run({ io, flags, place, client }) {
    const plugins: readonly PluginView[] = await withoutDaemon<readonly PluginView[]>(
      { io, place },
      async () => (await (await client()).call("plugin.list", {})).plugins,
      (offline) => offline,
    );
    const rows = plugins.map((plugin) => [
      plugin.name,
      plugin.version,
      plugin.tier,
      plugin.state,
      plugin.room,
    ]);
    await io.stdout.write(
      flags.json
        ? json(plugins)
        : table(["NAME", "VERSION", "TIER", "STATE", "ROOM"], rows, "no plugins are installed"),
    );
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
      (offline) => findPlugin(offline, wanted),
    );
    await io.stdout.write(flags.json ? json(plugin) : pluginText(plugin));
  },
});

const remove = command({
  words: "plugin remove",
  summary: "remove a plugin with its grants and its own store",
  args: name,
  options: { yes: { type: "flag", summary: "do not ask" } },
  example: "voxeltron plugin remove deploy-notifier --yes",
  async run(context) {
    const { io, flags, options, client } = context;
    const plugin = argument(context, "name");
    await confirm(io, `remove plugin ${plugin}`, options.yes);
    await (await client()).call("plugin.remove", { name: plugin });
    await io.stdout.write(
      flags.json ? json({ name: plugin, removed: true }) : `removed ${printable(plugin)}\n`,
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

const enable = switchCommand("enable", "let a plugin receive events again");
const disable = switchCommand("disable", "stop a plugin; it stays installed with its grants");

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

export const pluginCommands = [list, info, remove, rollback, enable, disable, logs, call];

// --- internal ---

function switchCommand(verb: "enable" | "disable", summary: string): Command {
  return command({
    words: `plugin ${verb}`,
    summary,
    args: [{ name: "name" }],
    options: {},
    example: `voxeltron plugin ${verb} deploy-notifier`,
    async run(context) {
      const { io, flags, client } = context;
      const plugin = await (await client()).call(`plugin.${verb}`, { name: argument(context, "name") });
      await io.stdout.write(
        flags.json ? json(plugin) : `${printable(plugin.name)} is ${stateText(plugin)}\n`,
      );
    },
  });
}

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
