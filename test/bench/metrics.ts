/**
 * Questions about metrics over the rows of 1,000 services, beside the same question answered by reading all rows; and how
 * long the daemon's thread is held up while as many are written and forgotten.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { queryMetrics, type MetricsQuestion } from "../../src/engine/metrics/query.ts";
import { makeRecorder } from "../../src/engine/metrics/recorder.ts";
import { openDatabase } from "../../src/state/database.ts";
import { makeMetricRows } from "../../src/state/metrics.ts";
import { heldUp, interleaved, median, quantile, timed, type Row } from "./measure.ts";

const SERVICES = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const QUESTIONS = 1_000;
const SCANS = 5;
const LOOKS = 12;

export async function benchMetrics(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "voxeltron-bench-"));
  const file = join(folder, "state.db");
  const db = openDatabase(file);
  try {
    const rows = makeMetricRows(db);
    const names = Array.from({ length: SERVICES }, (_, index) => `service-${index}`);
    const numbers = names.map((name) => rows.seriesOf(name));
    const now = Date.now();
    fill(db, "metrics_raw", now, 10_000, (6 * HOUR) / 10_000);
    fill(db, "metrics_minute", now, 60_000, DAY / 60_000);
    const retention = { raw: 6 * HOUR, minute: 7 * DAY, hour: 365 * DAY };
    const deps = {
      rows,
      serviceNames: () => names,
      intervalMs: () => 10_000,
      retention: () => retention,
      clock: systemClock,
    };
    const some = (): string => names[Math.floor(Math.random() * SERVICES)] ?? "";
    const ask = (question: Omit<MetricsQuestion, "metric">) =>
      timed(() => queryMetrics({ service: some(), metric: "cpu_percent", ...question }, deps));
    const hour: number[] = [];
    const day: number[] = [];
    for (let index = 0; index < QUESTIONS; index++) {
      hour.push(await ask({ from: "1h", step: "1m" }));
      day.push(await ask({ from: "23h", step: "15m" }));
    }

    const sql = (where: string) =>
      `SELECT at / 60000 * 60000 AS step, avg(cpu_percent) FROM metrics_raw
       WHERE ${where} AND at >= ${now - HOUR} GROUP BY step ORDER BY step`;
    const number = numbers[500] ?? 0;
    const beside = await interleaved(SCANS, {
      ours: () =>
        timed(() =>
          queryMetrics({ service: "service-500", metric: "cpu_percent", from: "1h", step: "1m" }, deps),
        ),
      scan: () => timed(() => db.query(sql(`series + 0 = ${number}`)).all()),
      ...(Bun.which("sqlite3") === null
        ? {}
        : {
            cli: () =>
              timed(
                () => Bun.spawn(["sqlite3", file, sql(`series = ${number}`)], { stdout: "ignore" }).exited,
              ),
          }),
    } as Record<"ours" | "scan" | "cli", () => Promise<number>>);

    const recorder = makeRecorder({
      rows,
      retention: () => retention,
      intervalMs: () => 10_000,
      isService: () => true,
      clock: systemClock,
    });
    const writes: number[] = [];
    const holds = await heldUp(async () => {
      for (let look = 1; look <= LOOKS; look++) {
        const values = { cpu_percent: 1.5, memory_bytes: 123_456_789, restarts: 0, network_rx_rate: 12_345 };
        writes.push(
          await timed(() =>
            recorder.record(
              now + look * 10_000,
              names.map((service) => ({ service, values })),
            ),
          ),
        );
      }
    });
    const total = SERVICES * ((6 * HOUR) / 10_000 + DAY / 60_000);
    return [
      {
        what: "1,000 services' metrics: rows on disk",
        value: statSync(file).size / 1e6,
        unit: "MB",
        runs: total,
      },
      {
        what: "an hour of one by the minute, p50",
        value: median(hour),
        unit: "ms",
        runs: QUESTIONS,
        aim: "≤ 5 ms",
      },
      { what: "an hour of one by the minute, p99", value: quantile(hour, 0.99), unit: "ms", runs: QUESTIONS },
      {
        what: "a day of one by the quarter of an hour, p50",
        value: median(day),
        unit: "ms",
        runs: QUESTIONS,
      },
      { what: "the same hour by reading all rows", value: median(beside.scan), unit: "ms", runs: SCANS },
      {
        what: "an hour of one / reading all rows",
        value: median(beside.ours) / median(beside.scan),
        unit: "×",
        runs: SCANS,
      },
      { what: "writing a look at 1,000 services", value: median(writes), unit: "ms", runs: LOOKS },
      {
        what: "of that, the thread is held up at most",
        value: Math.max(...holds),
        unit: "ms",
        runs: holds.length,
      },
    ];
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** So many rows of every service, the newest at `now`, made by the database itself: a minute instead of ten. */
function fill(db: Database, table: string, now: number, length: number, count: number): void {
  const isRaw = table === "metrics_raw";
  const [more, values] = isRaw
    ? ["", ""]
    : [", samples, cpu_percent_max, memory_bytes_max", ", 6, 99.5, 234567890"];
  db.run(
    `INSERT INTO ${table} (block, series, at, cpu_percent, memory_bytes, memory_limit_bytes, network_rx_rate,
       network_tx_rate, block_read_rate, block_write_rate, restarts${more})
     SELECT (${now} - step * ${length}) / ${isRaw ? 60_000 : 1_800_000}, id, ${now} - step * ${length}, abs(random()) % 10000 / 100.0, abs(random()) % 1000000000, 2147483648,
       abs(random()) % 1000000, abs(random()) % 1000000, 0, abs(random()) % 100000, 0${values}
     FROM metric_series,
       (WITH RECURSIVE n(step) AS (SELECT ${count} UNION ALL SELECT step - 1 FROM n WHERE step > 1) SELECT step FROM n)
     ORDER BY step DESC, id`,
  );
}
