/** What is written and forgotten, over a real database and a clock with hands. */
import { expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import type { Clock } from "../../../../src/base/clock.ts";
import { makeRecorder, type Recorder } from "../../../../src/engine/metrics/recorder.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makeMetricRows, type MetricRows, type MetricTable } from "../../../../src/state/metrics.ts";

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Desk {
  readonly recorder: Recorder;
  readonly rows: MetricRows;
  readonly services: Set<string>;
  /** Sets the wall clock, as an operator would. */
  set(ms: number): void;
  /** Lets time pass on both clocks. */
  pass(ms: number): void;
  record(service: string, cpu: number): Promise<void>;
  read(table: MetricTable, service: string, aggregate?: "avg" | "max"): (readonly [number, number])[];
  count(table: MetricTable): number;
  /** Turns that were given to others. */
  turns(): number;
}

function makeDesk(): Desk {
  let [wall, monotonic, turns] = [START, 0, 0];
  const db = openDatabase(":memory:");
  const rows = makeMetricRows(db);
  const services = new Set(["web"]);
  const clock: Clock = {
    now: () => wall,
    monotonic: () => monotonic,
    after: () => () => {},
    sleep: async () => void turns++,
  };
  const retention = { raw: 6 * HOUR, minute: 7 * DAY, hour: 365 * DAY };
  const recorder = makeRecorder({
    rows,
    retention: () => retention,
    intervalMs: () => 10_000,
    isService: (name) => services.has(name),
    clock,
  });
  return {
    recorder,
    rows,
    services,
    set: (ms) => void (wall = ms),
    pass(ms) {
      wall += ms;
      monotonic += ms;
    },
    record: (service, cpu) => recorder.record(wall, [{ service, values: { cpu_percent: cpu } }]),
    read: (table, service, aggregate = "avg") =>
      rows
        .read({
          table,
          series: rows.seriesOf(service),
          metric: "cpu_percent",
          aggregate,
          from: 0,
          to: Number.MAX_SAFE_INTEGER,
          stepMs: 1,
          limit: 100_000,
        })
        .map(({ at, value }) => [at - START, value] as const),
    turns: () => turns,
    count: (table) =>
      db.query<{ count: number }, []>(`SELECT count(*) AS count FROM metrics_${table}`).get()?.count ?? 0,
  };
}

async function recordEvery(desk: Desk, stepMs: number, values: readonly number[]): Promise<void> {
  for (const value of values) {
    await desk.record("web", value);
    desk.pass(stepMs);
  }
}

/** Enough intervals that every service was visited, once the clock is trusted. */
async function pruneAll(desk: Desk): Promise<void> {
  await desk.recorder.prune();
  desk.pass(LIMITS.metricClockTrustMs);
  for (let round = 0; round < 50; round++) await desk.recorder.prune();
}

test("samples become minutes and minutes hours, each with mean and peak", async () => {
  const desk = makeDesk();
  await recordEvery(desk, 20_000, [10, 20, 60, 100, 100, 100, 0]);
  expect(desk.read("raw", "web")).toHaveLength(7);
  expect(desk.read("minute", "web")).toEqual([
    [0, 30],
    [MINUTE, 100],
  ]);
  expect(desk.read("minute", "web", "max")).toEqual([
    [0, 60],
    [MINUTE, 100],
  ]);
  expect(desk.read("hour", "web")).toEqual([]);
  desk.pass(10 * MINUTE);
  await desk.record("web", 10);
  expect(desk.read("hour", "web")).toEqual([[0, 50]]);
  expect(desk.read("hour", "web", "max")).toEqual([[0, 100]]);
});

test("the minute that has begun is written at the end, and goes on where it was after a restart", async () => {
  const desk = makeDesk();
  await recordEvery(desk, 10_000, [10, 20]);
  expect(desk.read("minute", "web")).toEqual([]);
  desk.recorder.close();
  expect(desk.read("minute", "web")).toEqual([[0, 15]]);
  await recordEvery(desk, 10_000, [90]);
  desk.recorder.close();
  expect(desk.read("minute", "web")).toEqual([[0, 40]]);
  expect(desk.read("hour", "web")).toEqual([[0, 40]]);
});

test("a clock that is set back loses nothing: its hour is lived and written twice", async () => {
  const desk = makeDesk();
  await recordEvery(desk, 30_000, [10, 10, 10, 10]);
  desk.set(START);
  await recordEvery(desk, 30_000, [50, 50, 50, 50]);
  desk.recorder.close();
  expect(desk.count("raw")).toBe(8);
  expect(desk.read("minute", "web")).toEqual([
    [0, 30],
    [MINUTE, 30],
  ]);
  expect(desk.read("minute", "web", "max")).toEqual([
    [0, 50],
    [MINUTE, 50],
  ]);
  expect(desk.read("hour", "web").map(([at, value]) => [at, Math.round(value)])).toEqual([[0, 30]]);
});

test("rows go when they are as old as their table keeps them", async () => {
  const desk = makeDesk();
  await recordEvery(
    desk,
    HOUR,
    Array.from({ length: 12 }, (_, hour) => hour),
  );
  await pruneAll(desk);
  // From 12 h 10 min: raw rows of the last six hours, and all minutes and hours.
  expect(desk.read("raw", "web").map(([, value]) => value)).toEqual([7, 8, 9, 10, 11]);
  expect(desk.read("minute", "web")).toHaveLength(11);
  desk.pass(8 * DAY);
  await pruneAll(desk);
  expect(desk.count("raw")).toBe(0);
  expect(desk.count("minute")).toBe(0);
  expect(desk.count("hour")).toBe(12);
});

test("a clock that jumps a year ahead and is put right makes nothing vanish", async () => {
  const desk = makeDesk();
  await recordEvery(desk, 30_000, [10, 10, 10, 10]);
  desk.set(START + 2 * 365 * DAY);
  await desk.record("web", 10);
  for (let round = 0; round < 100; round++) await desk.recorder.prune();
  desk.set(START + 3 * MINUTE);
  await desk.record("web", 10);
  for (let round = 0; round < 100; round++) await desk.recorder.prune();
  expect(desk.count("raw")).toBe(6);
  // The control: a clock that stays there for longer is believed.
  desk.set(START + 2 * 365 * DAY);
  await pruneAll(desk);
  expect(desk.read("raw", "web").map(([at]) => at)).toEqual([2 * 365 * DAY]);
});

test("a service that is gone leaves no history to its successor, and no rows in the end", async () => {
  const desk = makeDesk();
  await desk.recorder.record(START, [
    { service: "", values: { load1: 1 } },
    { service: "web", values: { cpu_percent: 1 } },
  ]);
  desk.pass(MINUTE);
  await desk.recorder.record(START + MINUTE, [{ service: "", values: { load1: 1 } }]);
  desk.services.delete("web");
  await pruneAll(desk);
  expect(desk.rows.listSeries().map(({ service }) => service)).toEqual([""]);
  desk.services.add("web");
  await desk.record("web", 5);
  expect(desk.read("raw", "web").map(([, value]) => value)).toEqual([5]);
  desk.pass(2 * 365 * DAY);
  await pruneAll(desk);
  expect([desk.count("raw"), desk.count("minute"), desk.count("hour")]).toEqual([0, 0, 0]);
});

test("many services are written in pieces, with turns for others in between", async () => {
  const desk = makeDesk();
  const measured = Array.from({ length: 3 * LIMITS.metricRowsAtOnce }, (_, index) => ({
    service: `service-${index}`,
    values: { cpu_percent: index },
  }));
  await desk.recorder.record(START, measured);
  expect(desk.count("raw")).toBe(measured.length);
  expect(desk.turns()).toBe(2);
});
