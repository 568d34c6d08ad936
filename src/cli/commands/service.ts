/** `status · stop · start · remove · cancel`: what runs, and turning it off and on. */
import { printable } from "../../base/text.ts";
import { argument, command, type Command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { json, table } from "../output.ts";
import { imageText, serviceFacts, serviceLine } from "../service-text.ts";
import { memoryText, percentText } from "../usage-text.ts";

const service = [{ name: "service" }];

const status = command({
  words: "status",
  summary: "show all services with what they use, or one with its deploys",
  args: [{ name: "service", optional: true }],
  options: {},
  example: "voxeltron status\nvoxeltron status web --json",
  async run({ io, flags, args, client }) {
    const name = args["service"];
    if (name !== undefined) {
      const details = await (await client()).call("service.info", { name });
      return io.stdout.write(flags.json ? json(details) : serviceFacts(details));
    }
    const { services } = await (await client()).call("service.list", {});
    const header = ["NAME", "STATE", "PROVIDER", "IMAGE", "VERSION", "ADDRESS", "CPU", "MEMORY"];
    const rows = services.map((row) => [
      row.name,
      row.state,
      row.server === "local" ? row.provider : `${row.provider} on ${row.server}`,
      imageText(row.image),
      row.version,
      row.address,
      percentText(row.usage),
      memoryText(row.usage),
    ]);
    await io.stdout.write(flags.json ? json(services) : table(header, rows, "nothing is deployed"));
  },
});

const stop = switchCommand("stop", "stop a service; it stays stopped until it is started or deployed");
const start = switchCommand("start", "start a service that was stopped");

const remove = command({
  words: "remove",
  summary: "stop a service and remove it; its volumes stay",
  args: service,
  options: {
    yes: { type: "flag", summary: "do not ask" },
    abandon: { type: "flag", summary: "also where its server does not answer; what runs there stays" },
  },
  example: "voxeltron remove web --yes\nvoxeltron remove web --abandon",
  async run(context) {
    const { io, flags, options, client } = context;
    const name = argument(context, "service");
    await confirm(io, `remove service ${name}`, options.yes);
    await (await client()).call("service.remove", options.abandon ? { name, abandon: true } : { name });
    await io.stdout.write(flags.json ? json({ name, removed: true }) : `removed ${printable(name)}\n`);
  },
});

const cancel = command({
  words: "cancel",
  summary: "cancel the deploy of a service that is under way; the version before keeps running",
  args: service,
  options: {},
  example: "voxeltron cancel web",
  async run(context) {
    const { io, flags, client } = context;
    const name = argument(context, "service");
    await (await client()).call("deploy.cancel", { service: name });
    await io.stdout.write(
      flags.json ? json({ name, cancelled: true }) : `cancelled the deploy of ${printable(name)}\n`,
    );
  },
});

export const serviceCommands = [status, stop, start, remove, cancel];

// --- internal ---

function switchCommand(verb: "stop" | "start", summary: string): Command {
  return command({
    words: verb,
    summary,
    args: [{ name: "service" }],
    options: {},
    example: `voxeltron ${verb} web`,
    async run(context) {
      const { io, flags, client } = context;
      const answer = await (await client()).call(`service.${verb}`, { name: argument(context, "service") });
      await io.stdout.write(flags.json ? json(answer) : serviceLine(answer));
    },
  });
}
