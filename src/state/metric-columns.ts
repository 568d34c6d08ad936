/**
 * The SQL of the metrics' tables, made from the SDK's table of metrics: each metric is a column, and a span of time keeps the
 * highest value beside the mean. Pure. Called by metrics.ts.
 */
import { METRIC_NAMES, METRICS, type MetricName } from "../sdk/index.ts";

/** Metrics that have a column `NAME_max` in the tables of spans. */
export const PEAKS: readonly MetricName[] = METRIC_NAMES.filter((name) => METRICS[name].span === "mean");

export function insertRawSql(): string {
  return `INSERT INTO metrics_raw (block, series, at, ${METRIC_NAMES.join(", ")}) VALUES (${marks(METRIC_NAMES.length + 3)})
    ON CONFLICT DO NOTHING`;
}

/** What is there already is joined with what comes: means by the number of samples behind them, peaks by the higher. */
export function mergeSql(table: string): string {
  const peaks = PEAKS.map((name) => `${name}_max`);
  const columns = ["block", "series", "at", "samples", ...METRIC_NAMES, ...peaks];
  const changes = [
    "samples = samples + excluded.samples",
    ...METRIC_NAMES.map((name) => `${name} = ${joined(name)}`),
    ...peaks.map((peak) => `${peak} = coalesce(max(${peak}, excluded.${peak}), excluded.${peak}, ${peak})`),
  ];
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${marks(columns.length)})
    ON CONFLICT (block, series, at) DO UPDATE SET ${changes.join(", ")}`;
}

/**
 * One value for each step of ?2 milliseconds. A bare column beside max(at) is that of the row with the highest `at`. Each block is
 * gone to by the key; that there are blocks at all is asked first, so that a long time costs no more than what is kept of it.
 */
export function readSql(table: string, name: MetricName, aggregate: "avg" | "max"): string {
  const isRaw = table === "metrics_raw";
  const peak = isRaw ? name : `${name}_max`;
  const mean = isRaw ? `avg(${name})` : `sum(${name} * samples) / sum(samples)`;
  const isLast = METRICS[name].span === "last";
  const value = isLast ? name : aggregate === "max" ? `max(${peak})` : mean;
  return `WITH RECURSIVE blocks (block) AS (
      SELECT max(?6, (SELECT min(block) FROM ${table}))
      UNION ALL SELECT block + 1 FROM blocks WHERE block < min(?7, (SELECT max(block) FROM ${table})) LIMIT ${BLOCKS_MAX})
    SELECT at / CAST(?2 AS INTEGER) * CAST(?2 AS INTEGER) AS step, ${value} AS value, max(at) AS newest
    FROM blocks CROSS JOIN ${table} AS rows ON rows.block = blocks.block AND series = ?1
    WHERE at >= ?3 AND at < ?4 AND ${name} IS NOT NULL GROUP BY step ORDER BY step LIMIT ?5`;
}

/** Oldest first. */
export function pruneSql(table: string): string {
  return `DELETE FROM ${table} WHERE (block, series, at) IN (
    SELECT block, series, at FROM ${table} WHERE block < ?1 ORDER BY block, series, at LIMIT ?2)`;
}

// --- internal ---

/** Ten years of hours. */
const BLOCKS_MAX = 3_700;

function marks(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}

function joined(name: MetricName): string {
  if (METRICS[name].span === "last") return `coalesce(excluded.${name}, ${name})`;
  const mean = `(${name} * samples + excluded.${name} * excluded.samples) / (samples + excluded.samples)`;
  // A whole number takes half the room.
  const rounded = METRICS[name].unit.startsWith("bytes") ? `round(${mean})` : mean;
  return `coalesce(${rounded}, excluded.${name}, ${name})`;
}
