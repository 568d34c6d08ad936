import { expect, test } from "bun:test";
import { METRIC_NAMES } from "../../../src/sdk/index.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { makeMetricRows, type MetricRead, type MetricRows } from "../../../src/state/metrics.ts";

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

function open(): { readonly rows: MetricRows; readonly web: number } {
  const rows = makeMetricRows(openDatabase(":memory:"));
  return { rows, web: rows.seriesOf("web") };
}

function reading(web: number, changes: Partial<MetricRead> = {}): MetricRead {
  return {
    table: "raw",
    series: web,
    metric: "cpu_percent",
    aggregate: "avg",
    from: START,
    to: START + 60 * MINUTE,
    stepMs: 1,
    limit: 1_000,
    ...changes,
  };
}

test("every metric has a column in every table", () => {
  const { rows, web } = open();
  const values = Object.fromEntries(METRIC_NAMES.map((name, index) => [name, index + 1]));
  rows.addRaw([{ series: web, at: START, values }]);
  rows.merge("minute", [{ series: web, at: START, samples: 1, values, peaks: values }]);
  rows.merge("hour", [{ series: web, at: START, samples: 1, values, peaks: values }]);
  for (const table of ["raw", "minute", "hour"] as const)
    for (const aggregate of ["avg", "max"] as const)
      for (const metric of METRIC_NAMES)
        expect(rows.read(reading(web, { table, metric, aggregate }))).toEqual([
          { at: START, value: values[metric] ?? 0 },
        ]);
});

test("two samples of one moment are both kept", () => {
  const { rows, web } = open();
  rows.addRaw([
    { series: web, at: START, values: { cpu_percent: 1 } },
    { series: web, at: START, values: { cpu_percent: 2 } },
    { series: web, at: START, values: { cpu_percent: 3 } },
  ]);
  expect(rows.read(reading(web)).map(({ value }) => value)).toEqual([1, 2, 3]);
});

test("parts of one span are joined by their samples, peaks by the higher, and what one part lacks is no zero", () => {
  const { rows, web } = open();
  const span = (samples: number, values: object, peaks: object) =>
    rows.merge("minute", [{ series: web, at: START, samples, values, peaks }]);
  span(4, { cpu_percent: 10, restarts: 1, memory_bytes: 100 }, { cpu_percent: 40, memory_bytes: 120 });
  span(1, { cpu_percent: 60, restarts: 2 }, { cpu_percent: 30 });
  const value = (metric: MetricRead["metric"], aggregate: "avg" | "max") =>
    rows.read(reading(web, { table: "minute", metric, aggregate }))[0]?.value;
  expect(value("cpu_percent", "avg")).toBe(20);
  expect(value("cpu_percent", "max")).toBe(40);
  expect(value("memory_bytes", "avg")).toBe(100);
  expect(value("restarts", "avg")).toBe(2);
  expect(value("load1", "avg")).toBeUndefined();
});

test("a step has the mean, the highest or the last of its samples", () => {
  const { rows, web } = open();
  rows.addRaw(
    [5, 1, 3].map((value, index) => ({
      series: web,
      at: START + index * 10_000,
      values: { cpu_percent: value, restarts: value },
    })),
  );
  const value = (metric: MetricRead["metric"], aggregate: "avg" | "max") =>
    rows.read(reading(web, { metric, aggregate, stepMs: MINUTE }));
  expect(value("cpu_percent", "avg")).toEqual([{ at: START, value: 3 }]);
  expect(value("cpu_percent", "max")).toEqual([{ at: START, value: 5 }]);
  expect(value("restarts", "avg")).toEqual([{ at: START, value: 3 }]);
});

test("a step may be longer than a number of 32 bits has milliseconds", () => {
  const { rows, web } = open();
  rows.addRaw([{ series: web, at: START, values: { cpu_percent: 1 } }]);
  const stepMs = 30 * 86_400_000;
  const [point] = rows.read(reading(web, { stepMs }));
  expect(point).toEqual({ at: Math.floor(START / stepMs) * stepMs, value: 1 });
});

test("pruning takes the oldest blocks first, whosever they are, and no more rows than it may", () => {
  const { rows, web } = open();
  const other = rows.seriesOf("other");
  for (const series of [web, other])
    rows.addRaw(
      Array.from({ length: 10 }, (_, index) => ({
        series,
        at: START + index * MINUTE,
        values: { cpu_percent: index },
      })),
    );
  const prune = (before: number, limit: number) => rows.prune({ table: "raw", before, limit });
  const left = (series: number) => rows.read(reading(series)).map(({ value }) => value);
  expect(prune(START, 3)).toBe(0);
  expect(prune(START + 5 * MINUTE + 59_999, 3)).toBe(3);
  expect(left(web)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  expect(left(other)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(prune(START + 5 * MINUTE + 59_999, 100)).toBe(7);
  expect(left(web)).toEqual([5, 6, 7, 8, 9]);
});

test("a time of which nothing is kept costs nothing to ask for", () => {
  const { rows, web } = open();
  const ask = () => rows.read(reading(web, { table: "hour", from: 0, to: Date.UTC(9999, 0, 1) }));
  expect(ask()).toEqual([]);
  rows.merge("hour", [{ series: web, at: START, samples: 1, values: { cpu_percent: 1 }, peaks: {} }]);
  expect(ask()).toEqual([{ at: START, value: 1 }]);
});
