/** `workspace exec · logs`: what is done inside, and what it wrote. */
import { systemClock } from "../../base/clock.ts";
import { argument, command } from "../command.ts";
import { consume } from "../consume.ts";
import { runInside, STDIN_OPTION } from "../exec-stream.ts";
import { makeLineOutput } from "../line-output.ts";
import { jsonLine } from "../output.ts";
import { terminalLine } from "../terminal-line.ts";

const exec = command({
  words: "workspace exec",
  summary: "run a command inside a workspace",
  args: [{ name: "name" }, { name: "-- command", rest: true }],
  options: { stdin: STDIN_OPTION },
  example:
    "voxeltron workspace exec shop -- npm test\nvoxeltron workspace exec -i shop -- tar x -C /work < app.tar",
  notes: ["The exit status is the command's own. It has no terminal."],
  run: (context) => runInside(context, "workspace.exec", argument(context, "name"), context.options.stdin),
});

const logs = command({
  words: "workspace logs",
  summary: "show what a workspace wrote, as far as its provider keeps it",
  args: [{ name: "name" }],
  options: {
    follow: { type: "flag", short: "f", summary: "go on as more is written, until it stops" },
    lines: { type: "integer", short: "n", value: "N", min: 0, summary: "start at the last N lines" },
    tail: { type: "integer", value: "N", min: 0, summary: "the same" },
  },
  example: "voxeltron workspace logs shop -f --lines 100",
  notes: [
    "What came from stderr goes to stderr. It is gone with the workspace, or when it is made again: unlike a service's log it",
    "is kept by the provider alone.",
  ],
  async run(context) {
    const { io, options, flags, client } = context;
    const lines = options.lines ?? options.tail;
    const output = makeLineOutput(systemClock);
    const stream = (await client()).stream("workspace.logs", {
      name: argument(context, "name"),
      follow: options.follow,
      ...(lines === undefined ? {} : { lines }),
    });
    try {
      await consume(stream, (line) => {
        if (flags.json) return output.add(io.stdout, jsonLine(line));
        const sink = line.stream === "stderr" ? io.stderr : io.stdout;
        return output.add(sink, `${sink.isTerminal ? terminalLine(line.text) : line.text}\n`);
      });
    } finally {
      await output.flush();
    }
  },
});

export const workspaceUse = [exec, logs];
