/** `status · logs · stop · start · remove · cancel`: what runs, and turning it off and on. */
import { systemClock } from "../../base/clock.ts";
import { parseDuration } from "../../base/duration.ts";
import { printable, quote } from "../../base/text.ts";
import { argument, command, type Command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { consume } from "../consume.ts";
import { json, jsonLine, table } from "../output.ts";
import { usage } from "../parse.ts";
import { imageText, logText, serviceFacts, serviceLine } from "../service-text.ts";

const service = [{ name: "service" }];

const status = command({
  words: "status",
  summary: "show all services, or one with its deploys",
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
    const header = ["NAME", "STATE", "PROVIDER", "IMAGE", "VERSION", "ADDRESS"];
    const rows = services.map((row) => [
      row.name,
      row.state,
      row.provider,
      imageText(row.image),
      row.version,
      row.address,
    ]);
    await io.stdout.write(flags.json ? json(services) : table(header, rows, "nothing is deployed"));
  },
});

const logs = command({
  words: "logs",
  summary: "show what a service writes",
  args: service,
  options: {
    follow: { type: "flag", short: "f", summary: "go on as more is written" },
    tail: { type: "integer", value: "N", min: 0, summary: "start at the last N lines" },
    since: { type: "text", value: "TIME", summary: "start at an RFC 3339 time, or so long ago: 10m, 2h" },
  },
  example: "voxeltron logs web -f --tail 100\nvoxeltron logs web --since 10m",
  async run(context) {
    const { io, options, flags, client } = context;
    const input = {
      name: argument(context, "service"),
      follow: options.follow,
      ...(options.tail === undefined ? {} : { tail: options.tail }),
      ...(options.since === undefined ? {} : { since: parseSince(options.since, systemClock.now()) }),
    };
    await consume((await client()).stream("service.logs", input), (line) => {
      if (flags.json) return io.stdout.write(jsonLine(line));
      const sink = line.stream === "stderr" ? io.stderr : io.stdout;
      return sink.write(`${logText(line.text, sink.isTerminal)}\n`);
    });
  },
});

const stop = switchCommand("stop", "stop a service; it stays stopped until it is started or deployed");
const start = switchCommand("start", "start a service that was stopped");

const remove = command({
  words: "remove",
  summary: "stop a service and remove it; its volumes stay",
  args: service,
  options: { yes: { type: "flag", summary: "do not ask" } },
  example: "voxeltron remove web --yes",
  async run(context) {
    const { io, flags, options, client } = context;
    const name = argument(context, "service");
    await confirm(io, `remove service ${name}`, options.yes);
    await (await client()).call("service.remove", { name });
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

export const serviceCommands = [status, logs, stop, start, remove, cancel];

/** RFC 3339 of what was typed: a time, or how long ago. Throws `usage.invalid`. */
export function parseSince(text: string, nowMs: number, words = "logs"): string {
  const ago = parseDuration(text);
  const at =
    ago === undefined && /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : nowMs - (ago ?? Number.NaN);
  if (Number.isFinite(at)) return new Date(at).toISOString();
  throw usage(`--since wants a time such as 2026-01-31T08:00:00Z or 10m, found ${quote(text)}`, { words });
}

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
