/**
 * Answers a question about what was measured: chooses the finest table that reaches back far enough and has no more rows than need
 * be read, and bounds how many points there are. Called by metrics.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { parseDuration } from "../../base/duration.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { nameAdvice, quote } from "../../base/text.ts";
import { isMetric, METRIC_NAMES, METRICS, type MetricName } from "../../sdk/index.ts";
import type { MetricRows, MetricTable } from "../../state/metrics.ts";
import { HOUR_MS, MINUTE_MS, reachOf, type Retention } from "./recorder.ts";

export interface MetricsQuestion {
  /** Absent: the host. */
  readonly service?: string | undefined;
  readonly metric: string;
  /** RFC 3339, or so long ago: "90m". Absent: an hour before `to`. */
  readonly from?: string | undefined;
  /** The same. Absent: now. */
  readonly to?: string | undefined;
  /** "30s", "5m". Absent: whatever gives some 60 points. */
  readonly step?: string | undefined;
  readonly aggregate?: "avg" | "max" | undefined;
}

export interface MetricsAnswer {
  readonly service: string | null;
  readonly metric: string;
  readonly unit: string;
  readonly from: string;
  readonly to: string;
  /** What a point stands for; more than was asked where nothing finer is kept. */
  readonly stepMs: number;
  /** Time of a step's beginning and its value, oldest first. Steps without a value are left out. */
  readonly points: [at: string, value: number][];
}

export interface QueryDeps {
  readonly rows: MetricRows;
  readonly serviceNames: () => readonly string[];
  readonly intervalMs: () => number;
  readonly retention: () => Retention;
  readonly clock: Clock;
}

/** Throws `metrics.unknown`, `metrics.invalid_query` and `service.not_found`. */
export function queryMetrics(question: MetricsQuestion, deps: QueryDeps): MetricsAnswer {
  const { service, aggregate = "avg" } = question;
  const metric = parseMetric(question.metric, service === undefined);
  if (service !== undefined) checkService(service, deps.serviceNames());
  const now = deps.clock.now();
  const to = parseTime("to", question.to, now) ?? now;
  const from = parseTime("from", question.from, now) ?? to - HOUR_MS;
  if (from >= to) throw invalid(`from (${timestamp(from)}) should be before to (${timestamp(to)})`);
  const interval = deps.intervalMs();
  const wanted = parseStep(question.step) ?? niceStep((to - from) / DEFAULT_POINTS, interval);
  if ((to - from) / wanted > LIMITS.metricPoints)
    throw invalid(
      `that would be ${Math.ceil((to - from) / wanted)} points, at most ${LIMITS.metricPoints} are given`,
      "choose a longer step, or less time",
    );
  const reach = reachOf(deps.retention(), interval, deps.serviceNames().length + 1);
  const table = chooseTable({ from, to, now, interval, reach, step: wanted });
  const stepMs = Math.max(wanted, LENGTHS[table]);
  const series = deps.rows.findSeries(service ?? "");
  const points =
    series === undefined
      ? []
      : deps.rows.read({
          table,
          series,
          metric,
          aggregate,
          from,
          to,
          stepMs,
          limit: LIMITS.metricPoints + 1,
        });
  return {
    service: service ?? null,
    metric,
    unit: METRICS[metric].unit,
    from: timestamp(from),
    to: timestamp(to),
    stepMs,
    points: points.map(({ at, value }) => [timestamp(at), value]),
  };
}

// --- internal ---

const DEFAULT_POINTS = 60;
const LENGTHS: Readonly<Record<MetricTable, number>> = { raw: 0, minute: MINUTE_MS, hour: HOUR_MS };
/** Steps that a person would choose. */
const STEPS = [
  1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800,
];

interface Choice {
  readonly from: number;
  readonly to: number;
  readonly now: number;
  readonly step: number;
  readonly interval: number;
  /** How far back each table goes. */
  readonly reach: Retention;
}

/** Raw rows tell of the minute that is not over, so they go first while there are few. */
function chooseTable({ from, to, now, step, interval, reach }: Choice): MetricTable {
  const age = now - from;
  const rawRows = (to - from) / interval;
  if (age <= reach.raw && (rawRows <= LIMITS.metricPoints || step < MINUTE_MS)) return "raw";
  if (age <= reach.minute && ((to - from) / MINUTE_MS <= 2 * LIMITS.metricPoints || step < HOUR_MS))
    return "minute";
  return "hour";
}

function niceStep(ms: number, interval: number): number {
  const least = Math.max(ms, interval);
  return (
    (STEPS.find((seconds) => seconds * 1000 >= least) ?? Math.ceil(least / 604_800_000) * 604_800) * 1000
  );
}

function parseMetric(name: string, isHost: boolean): MetricName {
  const who = isHost ? "host" : "service";
  const known = METRIC_NAMES.filter((each) => METRICS[each].of === who || METRICS[each].of === "both");
  if (isMetric(name) && known.includes(name)) return name;
  throw fail(
    "metrics.unknown",
    isMetric(name)
      ? `${name} is measured of ${isHost ? "services, not of the host" : "the host, not of services"}`
      : `no metric is called ${quote(name)}`,
    { hint: nameAdvice(isMetric(name) ? "" : name, known) },
  );
}

function checkService(name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw fail("service.not_found", `no service is called ${quote(name)}`, {
    hint: known.length === 0 ? "nothing is deployed" : nameAdvice(name, known),
  });
}

function parseTime(field: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  const at =
    ago === undefined && /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : now - (ago ?? Number.NaN);
  if (at >= 0 && at <= FARTHEST_MS) return at;
  throw invalid(
    `${field} wants a time such as 2026-01-31T08:00:00Z, or so long ago: 90m; found ${quote(text)}`,
  );
}

/** The last moment that a stamp of four digits for the year can name. */
const FARTHEST_MS = Date.UTC(9999, 11, 31);

function parseStep(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 1000 && ms <= FARTHEST_MS) return ms;
  throw invalid(`step wants a duration of at least a second, such as 30s or 5m; found ${quote(text)}`);
}

function invalid(message: string, hint?: string): VoxError {
  return fail("metrics.invalid_query", message, { hint });
}
