/** `logs`: what a service's versions wrote, the newest lines or all that are kept, and what comes. */
import { systemClock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import { parseMoment } from "../../base/moment.ts";
import { nameAdvice, quote } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { consume } from "../consume.ts";
import { makeLineOutput } from "../line-output.ts";
import { jsonLine } from "../output.ts";
import { usage } from "../parse.ts";
import { terminalLine } from "../terminal-line.ts";

export const logs = command({
  words: "logs",
  summary: "show what a service writes, over restarts and versions",
  args: [{ name: "service" }],
  options: {
    follow: { type: "flag", short: "f", summary: "go on as more is written, by the next version too" },
    lines: { type: "integer", short: "n", value: "N", min: 0, summary: "start at the last N lines" },
    tail: { type: "integer", value: "N", min: 0, summary: "the same" },
    since: { type: "text", value: "TIME", summary: "start at an RFC 3339 time, or so long ago: 10m, 2h" },
    until: { type: "text", value: "TIME", summary: "end there" },
    search: { type: "text", value: "TEXT", summary: "only lines with this text in them" },
    "ignore-case": { type: "flag", short: "i", summary: "capital letters or not: --search finds both" },
    level: {
      type: "text",
      value: "LEVEL",
      summary: `only lines of this level or worse: ${LOG_LEVELS.join(", ")}`,
    },
  },
  example:
    "voxeltron logs web -f --lines 100\nvoxeltron logs web --since 10m --level warn\nvoxeltron logs web --search timeout --json",
  notes: [
    "What came from stderr goes to stderr. A line's level is what its own text says, else that of its stream.",
    "On a terminal, control characters other than colours are left out; --json and a pipe get all of them.",
  ],
  async run(context) {
    const { io, options, flags, client } = context;
    const now = systemClock.now();
    const lines = options.lines ?? options.tail;
    const input = {
      name: argument(context, "service"),
      follow: options.follow,
      ...(lines === undefined ? {} : { lines }),
      ...(options.since === undefined ? {} : { since: momentText("since", options.since, now) }),
      ...(options.until === undefined ? {} : { until: momentText("until", options.until, now) }),
      ...(options.search === undefined ? {} : { search: searchText(options.search) }),
      ...(options["ignore-case"] ? { ignoreCase: true } : {}),
      ...(options.level === undefined ? {} : { level: levelNamed(options.level) }),
    };
    if (options.follow && options.until !== undefined)
      throw usage("--follow has no end, so --until can't be with it", { words: "logs" });
    const output = makeLineOutput(systemClock);
    try {
      await consume((await client()).stream("service.logs", input), (line) => {
        if (flags.json) return output.add(io.stdout, jsonLine(line));
        const sink = line.stream === "stderr" ? io.stderr : io.stdout;
        return output.add(sink, `${sink.isTerminal ? terminalLine(line.text) : line.text}\n`);
      });
    } finally {
      await output.flush();
    }
  },
});

/** RFC 3339 of what was typed: a time, or how long ago. Throws `usage.invalid`. */
export function momentText(option: string, text: string, nowMs: number, words = "logs"): string {
  const at = parseMoment(text, nowMs);
  if (at !== undefined) return new Date(at).toISOString();
  throw usage(`--${option} wants a time such as 2026-01-31T08:00:00Z or 10m, found ${quote(text)}`, {
    words,
  });
}

// --- internal ---

function searchText(text: string): string {
  if (text.length <= LIMITS.logSearchChars) return text;
  throw usage(`--search wants at most ${LIMITS.logSearchChars} characters`, { words: "logs" });
}

function levelNamed(text: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text);
  if (level !== undefined) return level;
  throw usage(`--level: no level is called ${quote(text)}; ${nameAdvice(text, LOG_LEVELS)}`, {
    words: "logs",
  });
}
