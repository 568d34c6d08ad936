/** `metrics`: what a service or the host used over a time. */
import type { MetricsAnswer } from "../../api/operations.ts";
import { formatBytes } from "../../base/text.ts";
import { METRIC_NAMES, METRICS, type MetricName } from "../../sdk/index.ts";
import { command } from "../command.ts";
import { json, table } from "../output.ts";

export const metrics = command({
  words: "metrics",
  summary: "show what a service used over a time, or the host where none is named",
  args: [{ name: "service", optional: true }],
  options: {
    metric: { type: "text", short: "m", value: "NAME", summary: "what to show (cpu_percent)" },
    from: { type: "text", value: "TIME", summary: "begin at an RFC 3339 time, or so long ago (1h)" },
    to: { type: "text", value: "TIME", summary: "end there (now)" },
    step: {
      type: "text",
      value: "DURATION",
      summary: "one value for each 30s, 5m … (so that there are some 60)",
    },
    max: { type: "flag", summary: "the highest value in each step, not the mean" },
  },
  example:
    "voxeltron metrics web --from 6h\nvoxeltron metrics web -m memory_bytes --step 5m --json\nvoxeltron metrics -m load1",
  notes: ["Metrics:", ...METRIC_NAMES.map(listed)],
  async run({ io, args, options, flags, client }) {
    const { metric = "cpu_percent", from, to, step, max } = options;
    const service = args["service"];
    const answer = await (
      await client()
    ).call("metrics.query", {
      ...(service === undefined ? {} : { service }),
      metric,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(step === undefined ? {} : { step }),
      ...(max ? { aggregate: "max" as const } : {}),
    });
    await io.stdout.write(flags.json ? json(answer) : answerText(answer));
  },
});

// --- internal ---

function listed(name: MetricName): string {
  const of = { service: " (services)", host: " (host)", both: "" };
  return `  ${name.padEnd(18)}  ${METRICS[name].summary}${of[METRICS[name].of]}`;
}

function answerText(answer: MetricsAnswer): string {
  const rows = answer.points.map(([at, value]) => [at, valueText(value, answer.unit)]);
  const header = ["TIME", answer.metric.toUpperCase()];
  return table(header, rows, `nothing was measured from ${answer.from} to ${answer.to}`);
}

function valueText(value: number, unit: string): string {
  return (TEXTS[unit] ?? String)(value);
}

const TEXTS: Readonly<Record<string, (value: number) => string>> = {
  percent: (value) => `${value.toFixed(1)} %`,
  bytes: (value) => formatBytes(Math.round(value)),
  "bytes/s": (value) => `${formatBytes(Math.round(value))}/s`,
  load: (value) => value.toFixed(2),
};
