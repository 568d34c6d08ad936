/** `alert list · silence · test`: what is wrong now, and who is told. */
import type { AlertView } from "../../api/operations.ts";
import { printable } from "../../base/text.ts";
import { argument, command, type Command } from "../command.ts";
import { json, table } from "../output.ts";

const list = command({
  words: "alert list",
  summary: "show what fires",
  args: [],
  options: { all: { type: "flag", short: "a", summary: "also what is over" } },
  example: "voxeltron alert list\nvoxeltron alert list --all --json",
  notes: [
    "Alerts are rules of the configuration ([[alerts]]), and built-in ones: service-down, restart-loop, disk, plugin,",
    "notification-channel, certificate-expiry.",
  ],
  async run({ io, flags, options, client }) {
    const { alerts } = await (await client()).call("alert.list", options.all ? { all: true } : {});
    const header = ["ALERT", "ABOUT", "STATE", "SINCE", "MESSAGE"];
    await io.stdout.write(flags.json ? json(alerts) : table(header, alerts.map(row), "nothing fires"));
  },
});

const silence = command({
  words: "alert silence",
  summary: "tell nobody of an alert for a while; it goes on being watched",
  args: [{ name: "name" }, { name: "duration" }],
  options: {
    subject: {
      type: "text",
      value: "NAME",
      summary: "only what it says of this service, plugin, channel or domain",
    },
  },
  example:
    "voxeltron alert silence service-down 2h --subject web\nvoxeltron alert silence service-down off --subject web",
  notes: ["If it still fires when the silence ends, people and plugins are told then."],
  async run(context) {
    const { io, flags, options, client } = context;
    const subject = options.subject === undefined ? {} : { subject: options.subject };
    const input = { name: argument(context, "name"), duration: argument(context, "duration"), ...subject };
    const answer = await (await client()).call("alert.silence", input);
    const until = answer.until === null ? "no longer silenced" : `silenced until ${answer.until}`;
    await io.stdout.write(flags.json ? json(answer) : `${printable(answer.name)} is ${until}\n`);
  },
});

const test = command({
  words: "alert test",
  summary: "send a test message to the channels of an alert",
  args: [{ name: "name" }],
  options: {},
  example: "voxeltron alert test service-down",
  async run(context) {
    const { io, flags, client } = context;
    const answer = await (await client()).call("alert.test", { name: argument(context, "name") });
    const names = answer.channels.map((channel) => printable(channel)).join(", ");
    await io.stdout.write(flags.json ? json(answer) : `delivered to ${names}\n`);
  },
});

export const alertCommands: readonly Command[] = [list, silence, test];

// --- internal ---

function row({ name, subject, state, since, message, silencedUntil }: AlertView): readonly string[] {
  return [
    name,
    subject === "" ? "the host" : subject,
    silencedUntil === null ? state : "silenced",
    since,
    message,
  ];
}
