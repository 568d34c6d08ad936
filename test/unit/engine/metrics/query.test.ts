import { beforeAll, describe, expect, test } from "bun:test";
import {
  queryMetrics,
  type MetricsAnswer,
  type MetricsQuestion,
} from "../../../../src/engine/metrics/query.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makeMetricRows, type MetricRows, type MetricTable } from "../../../../src/state/metrics.ts";
import { fakeClock } from "../../../harness.ts";

const NOW = Date.UTC(2026, 5, 15, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("a question about metrics", () => {
  let rows: MetricRows;

  beforeAll(() => {
    rows = makeMetricRows(openDatabase(":memory:"));
    // One value a table, so that an answer tells where it is from.
    const web = rows.seriesOf("web");
    const ages = Array.from({ length: (6 * HOUR) / 10_000 }, (_, index) => (index + 1) * 10_000);
    rows.addRaw(ages.map((age) => ({ series: web, at: NOW - age, values: { cpu_percent: 1 } })));
    const spans = (table: "minute" | "hour", value: number, length: number, count: number) =>
      rows.merge(
        table,
        Array.from({ length: count }, (_, index) => ({
          series: web,
          at: NOW - (index + 1) * length,
          samples: 1,
          values: { cpu_percent: value },
          peaks: { cpu_percent: value * 10 },
        })),
      );
    spans("minute", 2, MINUTE, 7 * 24 * 60);
    spans("hour", 3, HOUR, 365 * 24);
    rows.addRaw([{ series: rows.seriesOf(""), at: NOW - MINUTE, values: { load1: 0.5, cpu_percent: 7 } }]);
  });

  function ask(question: Partial<MetricsQuestion>): MetricsAnswer {
    return queryMetrics(
      { service: "web", metric: "cpu_percent", ...question },
      {
        rows,
        serviceNames: () => ["web", "worker"],
        intervalMs: () => 10_000,
        retention: () => ({ raw: 6 * HOUR, minute: 7 * DAY, hour: 365 * DAY }),
        clock: fakeClock(NOW),
      },
    );
  }

  function refusal(question: Partial<MetricsQuestion>): unknown {
    try {
      return ask(question);
    } catch (error) {
      return error;
    }
  }

  const tableOf = ({ points }: MetricsAnswer): MetricTable | undefined =>
    ([undefined, "raw", "minute", "hour"] as const)[points[0]?.[1] ?? 0];

  test("is about the last hour where nothing else is said", () => {
    const answer = ask({});
    expect(answer).toMatchObject({
      service: "web",
      metric: "cpu_percent",
      unit: "percent",
      from: "2026-06-15T11:00:00.000Z",
      to: "2026-06-15T12:00:00.000Z",
      stepMs: MINUTE,
    });
    expect(answer.points).toHaveLength(60);
    expect(answer.points[0]).toEqual(["2026-06-15T11:00:00.000Z", 1]);
    expect(answer.points.at(-1)).toEqual(["2026-06-15T11:59:00.000Z", 1]);
  });

  test.each([
    ["5m", "10s", "raw", 10_000, 30],
    ["6h", "1m", "raw", MINUTE, 360],
    ["7h", undefined, "minute", 10 * MINUTE, 42],
    ["7d", undefined, "hour", 3 * HOUR, 56],
    ["3d", "10s", undefined, 0, 0],
    ["2d", "1m", "minute", MINUTE, 2_880],
    ["2d", "40s", "minute", MINUTE, 2_880],
    ["30d", "1h", "hour", HOUR, 720],
    ["30d", "10m", "hour", HOUR, 720],
    ["300d", undefined, "hour", 7 * DAY, 43],
  ] as const)("from %p ago by %p is answered by the table %p", (from, step, table, stepMs, count) => {
    if (table === undefined)
      return expect(refusal({ from, step })).toMatchObject({ code: "metrics.invalid_query" });
    const answer = ask({ from, ...(step === undefined ? {} : { step }) });
    expect(tableOf(answer)).toBe(table);
    expect(answer.stepMs).toBe(stepMs);
    expect(Math.abs(answer.points.length - count)).toBeLessThanOrEqual(1);
  });

  test("can be about the highest values", () => {
    expect(ask({ from: "2d", step: "1h", aggregate: "max" }).points[0]?.[1]).toBe(20);
  });

  test("can be about the host, which has metrics of its own", () => {
    const answer = ask({ service: undefined, metric: "load1" });
    expect(answer).toMatchObject({ service: null, unit: "load" });
    expect(answer.points.map(([, value]) => value)).toEqual([0.5]);
  });

  test("of a service that was never measured has no points", () => {
    expect(ask({ service: "worker" }).points).toEqual([]);
  });

  test.each([
    [{ metric: "cpu_percnt" }, "metrics.unknown", "did you mean cpu_percent?"],
    [{ metric: "load1" }, "metrics.unknown", "there are: cpu_percent"],
    [{ metric: "constructor" }, "metrics.unknown", "there are: cpu_percent"],
    [{ service: undefined, metric: "restarts" }, "metrics.unknown", "load1"],
    [{ service: "wep" }, "service.not_found", "did you mean web?"],
    [{ service: "" }, "service.not_found", "there are: web, worker"],
  ] as const)("with an unknown name is refused with advice: %p", (question, code, hint) => {
    expect(refusal(question)).toMatchObject({ code, hint: expect.stringContaining(hint) });
  });

  test.each([
    [{ from: "yesterday" }],
    [{ from: "2026-99-01" }],
    [{ from: "-1h" }],
    [{ to: "100000000d" }],
    [{ from: "5m", to: "10m" }],
    [{ from: "2026-06-15T12:00:00Z", to: "2026-06-15T12:00:00Z" }],
    [{ step: "0s" }],
    [{ step: "1ms" }],
    [{ step: "fast" }],
    [{ step: "99999999999d" }],
    [{ from: "6h", step: "1s" }],
    [{ from: "365d", step: "1h" }],
  ])("with an impossible time is refused: %p", (question) => {
    expect(refusal(question)).toMatchObject({ code: "metrics.invalid_query" });
  });

  test("at other times than the clock's is answered all the same", () => {
    expect(ask({ from: "2026-06-15T11:58:00Z", to: "2099-01-01T00:00:00Z" }).points).toHaveLength(0);
    expect(ask({ from: "1970-01-01", to: "1970-02-01" }).points).toHaveLength(0);
  });
});
