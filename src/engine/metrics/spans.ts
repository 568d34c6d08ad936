/**
 * Makes one span of many samples: a minute's mean, peak and last. Spans are kept apart by their beginning, so that a clock that is
 * set back or forth loses none; one that is given out in two parts is joined in the table. Pure. Called by recorder.ts.
 */
import { METRICS, type MetricName } from "../../sdk/index.ts";
import type { MetricValues, Sample, Span } from "../../state/metrics.ts";

export interface Spans {
  add(sample: Sample): void;
  /** Gives out all but those that this time is in; without one all of them. */
  take(now?: number): readonly Span[];
}

export function makeSpans(lengthMs: number): Spans {
  const open = new Map<string, Sums>();
  return {
    add({ series, at, values }) {
      const begin = spanStart(at, lengthMs);
      const key = `${series} ${begin}`;
      const sums = open.get(key) ?? { series, at: begin, samples: 0, metrics: new Map() };
      open.set(key, sums);
      count(sums, values);
    },
    take(now) {
      const current = now === undefined ? undefined : spanStart(now, lengthMs);
      const ended = [...open].filter(([, { at }]) => at !== current);
      for (const [key] of ended) open.delete(key);
      return ended.map(([, sums]) => spanOf(sums));
    },
  };
}

/** The beginning of the span that a time is in. */
export function spanStart(at: number, lengthMs: number): number {
  return Math.floor(at / lengthMs) * lengthMs;
}

// --- internal ---

interface Sums {
  readonly series: number;
  readonly at: number;
  samples: number;
  readonly metrics: Map<MetricName, { sum: number; count: number; peak: number; last: number }>;
}

function count(sums: Sums, values: MetricValues): void {
  sums.samples++;
  for (const [name, value] of Object.entries(values) as [MetricName, number][]) {
    const found = sums.metrics.get(name) ?? { sum: 0, count: 0, peak: value, last: value };
    sums.metrics.set(name, found);
    found.sum += value;
    found.count++;
    found.peak = Math.max(found.peak, value);
    found.last = value;
  }
}

function spanOf({ series, at, samples, metrics }: Sums): Span {
  const entries = [...metrics];
  const valueOf = (
    name: MetricName,
    { sum, count: times, last }: { sum: number; count: number; last: number },
  ) => (METRICS[name].span === "last" ? last : mean(name, sum / times));
  return {
    series,
    at,
    samples,
    values: Object.fromEntries(entries.map(([name, sums]) => [name, valueOf(name, sums)])),
    peaks: Object.fromEntries(entries.map(([name, { peak }]) => [name, peak])),
  };
}

/** A whole number takes half the room in the database. */
function mean(name: MetricName, value: number): number {
  return METRICS[name].unit.startsWith("bytes") ? Math.round(value) : value;
}
