/**
 * The tables of what was measured: `metrics_raw`, `metrics_minute`, `metrics_hour`, and `metric_series`, which numbers the services.
 * What is kept in which, and for how long, is decided by engine/metrics, which calls this. No call here works on more rows than
 * it is told.
 */
import { METRIC_NAMES, type MetricName } from "../sdk/index.ts";
import { inTransaction, type Database } from "./database.ts";
import { insertRawSql, mergeSql, PEAKS, pruneSql, readSql } from "./metric-columns.ts";

export interface MetricRows {
  /** The number of the service's series; '' is the host. A new one where there is none. */
  seriesOf(service: string): number;
  findSeries(service: string): number | undefined;
  listSeries(): readonly Series[];
  /** In one transaction. One that meets another of the same time is put a millisecond later: none replaces another. */
  addRaw(samples: readonly Sample[]): void;
  /** In one transaction. What is there for that time already is joined with it. */
  merge(table: SpanTable, spans: readonly Span[]): void;
  /** Oldest first, one for each step that has any. */
  read(query: MetricRead): readonly MetricPoint[];
  /** Forgets what is older than `before` by a whole block of time, at most `limit` rows, oldest first. Gives how many. */
  prune(what: MetricPrune): number;
  /** Its rows are nobody's from then on, and go when they are old. */
  removeSeries(series: number): void;
}

export type SpanTable = "minute" | "hour";
export type MetricTable = "raw" | SpanTable;

/** Milliseconds since 1970, as all times here. */
export interface Sample {
  readonly series: number;
  readonly at: number;
  readonly values: MetricValues;
}

export type MetricValues = Readonly<Partial<Record<MetricName, number>>>;

export interface Span {
  readonly series: number;
  /** Its beginning. */
  readonly at: number;
  /** How many samples it is made of. */
  readonly samples: number;
  readonly values: MetricValues;
  readonly peaks: MetricValues;
}

export interface Series {
  readonly id: number;
  readonly service: string;
}

export interface MetricRead {
  readonly table: MetricTable;
  readonly series: number;
  readonly metric: MetricName;
  readonly aggregate: "avg" | "max";
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly limit: number;
}

export interface MetricPoint {
  readonly at: number;
  readonly value: number;
}

export interface MetricPrune {
  readonly table: MetricTable;
  readonly before: number;
  readonly limit: number;
}

export function makeMetricRows(db: Database): MetricRows {
  const find = db.prepare<{ id: number }, [string]>("SELECT id FROM metric_series WHERE service = ?");
  const add = db.prepare<{ id: number }, [string]>(
    "INSERT INTO metric_series (service) VALUES (?) RETURNING id",
  );
  const insert = db.prepare(insertRawSql());
  const merges = {
    minute: db.prepare(mergeSql(TABLES.minute)),
    hour: db.prepare(mergeSql(TABLES.hour)),
  };
  const seriesNumber = (service: string): number | undefined => find.get(service)?.id;
  return {
    findSeries: seriesNumber,
    seriesOf: (service) => seriesNumber(service) ?? add.get(service)?.id ?? 0,
    listSeries: () => db.query<Series, []>("SELECT id, service FROM metric_series ORDER BY id").all(),
    addRaw(samples) {
      inTransaction(db, () => {
        for (const { series, at, values } of samples) {
          const numbers = inColumns(METRIC_NAMES, values);
          for (let time = at; insert.run(blockOf("raw", time), series, time, ...numbers).changes === 0;)
            time++;
        }
      });
    },
    merge(table, spans) {
      inTransaction(db, () => {
        for (const { series, at, samples, values, peaks } of spans)
          merges[table].run(
            blockOf(table, at),
            series,
            at,
            samples,
            ...inColumns(METRIC_NAMES, values),
            ...inColumns(PEAKS, peaks),
          );
      });
    },
    read({ table, series, metric, aggregate, from, to, stepMs, limit }) {
      const sql = readSql(TABLES[table], metric, aggregate);
      return db
        .query<{ step: number; value: number }, number[]>(sql)
        .all(series, stepMs, from, to, limit, blockOf(table, from), blockOf(table, to))
        .map(({ step, value }) => ({ at: step, value }));
    },
    prune: ({ table, before, limit }) =>
      db.query(pruneSql(TABLES[table])).run(blockOf(table, before), limit).changes,
    removeSeries(series) {
      db.query("DELETE FROM metric_series WHERE id = ?").run(series);
    },
  };
}

// --- internal ---

const TABLES: Readonly<Record<MetricTable, string>> = {
  raw: "metrics_raw",
  minute: "metrics_minute",
  hour: "metrics_hour",
};

/** How much time lies together. A question goes to each block, a look changes the pages of one. */
const BLOCK_MS: Readonly<Record<MetricTable, number>> = { raw: 60_000, minute: 1_800_000, hour: 86_400_000 };

function blockOf(table: MetricTable, at: number): number {
  return Math.floor(at / BLOCK_MS[table]);
}

function inColumns(names: readonly MetricName[], values: MetricValues): (number | null)[] {
  return names.map((name) => values[name] ?? null);
}
