/** `plugin audit`: what plugins did with what they may, counted or call by call, and what they could do without. */
import { systemClock } from "../../base/clock.ts";
import { auditText, callLine } from "../audit-text.ts";
import { command } from "../command.ts";
import { consume } from "../consume.ts";
import { json, jsonLine } from "../output.ts";
import { momentText } from "./logs.ts";

const words = "plugin audit";

export const pluginAudit = command({
  words,
  summary: "show what plugins did with their capabilities, and which they did not use",
  args: [{ name: "name", optional: true }],
  options: {
    denied: { type: "flag", summary: "only what was refused for want of a grant" },
    since: { type: "text", value: "TIME", summary: "only from an RFC 3339 time on, or so long ago: 10m, 7d" },
    lines: { type: "integer", value: "N", min: 0, max: 100_000, summary: "the last N calls, one a line" },
    follow: { type: "flag", short: "f", summary: "go on as more is called, one a line" },
  },
  example: "voxeltron plugin audit\nvoxeltron plugin audit deploy-notifier --denied --since 7d --lines 20",
  notes: [
    "Counts are of all calls since the plugin was first seen; with --since, of those that are still kept one by one.",
    "Capabilities that were granted and not used on 30 days on which the daemon ran stand at the end, each with the command",
    "that takes it back. ALLOWED succeeded, DENIED lacked a grant or a wider one, FAILED went wrong otherwise.",
  ],
  async run({ io, flags, options, args, client }) {
    const { denied, since, lines, follow } = options;
    const which = {
      ...(args["name"] === undefined ? {} : { name: args["name"] }),
      ...(since === undefined ? {} : { since: momentText("since", since, systemClock.now(), words) }),
      ...(denied ? { deniedOnly: true } : {}),
    };
    if (lines === undefined && !follow) {
      const answer = await (await client()).call("plugin.audit", which);
      return io.stdout.write(flags.json ? json(answer) : auditText(answer));
    }
    const input = { ...which, follow, limit: lines ?? 20 };
    await consume((await client()).stream("plugin.calls", input), (call) =>
      io.stdout.write(flags.json ? jsonLine(call) : callLine(call)),
    );
  },
});
