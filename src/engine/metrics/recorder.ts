/**
 * Writes what was measured and forgets what is old, in pieces small enough that nobody notices. Samples go to the raw table at
 * once, a minute when it is over, an hour in parts of ten minutes, and all of it at the daemon's end. Called by metrics.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { MetricRows, MetricTable, MetricValues, Sample, Series } from "../../state/metrics.ts";
import { makeSpans, spanStart } from "./spans.ts";

export interface Recorder {
  /** Of one look at many services; '' is the host. */
  record(at: number, measured: readonly Measured[]): Promise<void>;
  /** Forgets a few old rows. Called once an interval. */
  prune(): Promise<void>;
  /** Writes what has begun. */
  close(): void;
}

export interface Measured {
  readonly service: string;
  readonly values: MetricValues;
}

export type Retention = Readonly<Record<MetricTable, number>>;

export interface RecorderDeps {
  readonly rows: MetricRows;
  /** How long rows are kept, in milliseconds. Asked each time. */
  readonly retention: () => Retention;
  readonly intervalMs: () => number;
  readonly isService: (name: string) => boolean;
  readonly clock: Clock;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

export function makeRecorder(deps: RecorderDeps): Recorder {
  const { rows, clock } = deps;
  const minutes = makeSpans(MINUTE_MS);
  const hours = makeSpans(HOUR_MS);
  let partOfHour: number | undefined;
  const numbers = new Map<string, number>();
  const trust = makeClockTrust(clock);
  let toVisit: Series[] = [];

  function numberOf(service: string): number {
    const number = numbers.get(service) ?? rows.seriesOf(service);
    numbers.set(service, number);
    return number;
  }

  /** Parts of one hour are joined in the table. */
  async function writeHours(at: number): Promise<void> {
    const part = spanStart(at, HOUR_PART_MS);
    partOfHour ??= part;
    if (part === partOfHour) return;
    partOfHour = part;
    await inPieces(hours.take(), (piece) => rows.merge("hour", piece));
  }

  async function inPieces<T>(items: readonly T[], work: (piece: readonly T[]) => void): Promise<void> {
    for (let from = 0; from < items.length; from += LIMITS.metricRowsAtOnce) {
      if (from > 0) await clock.sleep(0);
      work(items.slice(from, from + LIMITS.metricRowsAtOnce));
    }
  }

  /** Of a service that is gone: one that comes later under its name begins anew. */
  function forgetIfGone({ id, service }: Series): void {
    if (service === "" || deps.isService(service)) return;
    rows.removeSeries(id);
    numbers.delete(service);
  }

  async function pruneTable(table: MetricTable, reachMs: number): Promise<void> {
    const before = clock.now() - reachMs;
    for (let step = 0; step < LIMITS.metricPruneSteps; step++) {
      if (rows.prune({ table, before, limit: LIMITS.metricRowsAtOnce }) < LIMITS.metricRowsAtOnce) return;
      await clock.sleep(0);
    }
  }

  return {
    async record(at, measured) {
      await inPieces(measured, (piece) => {
        const samples: Sample[] = piece.map(({ service, values }) => ({
          series: numberOf(service),
          at,
          values,
        }));
        rows.addRaw(samples);
        for (const sample of samples) {
          minutes.add(sample);
          hours.add(sample);
        }
      });
      await inPieces(minutes.take(at), (piece) => rows.merge("minute", piece));
      await writeHours(at);
    },
    async prune() {
      const all = rows.listSeries();
      if (toVisit.length === 0) toVisit = [...all];
      for (const series of toVisit.splice(-Math.ceil(all.length / LIMITS.metricPruneRounds)))
        forgetIfGone(series);
      if (!trust()) return;
      const reach = reachOf(deps.retention(), deps.intervalMs(), all.length);
      for (const table of TABLES) await pruneTable(table, reach[table]);
    },
    close() {
      rows.merge("minute", minutes.take());
      rows.merge("hour", hours.take());
    },
  };
}

/** How far back each table goes. With very many services the bound on rows comes before the bound on age. */
export function reachOf(retention: Retention, intervalMs: number, services: number): Retention {
  const rowsEach = LIMITS.metricRowsMax / Math.max(1, services);
  return {
    raw: Math.min(retention.raw, rowsEach * intervalMs),
    minute: Math.min(retention.minute, rowsEach * MINUTE_MS),
    hour: Math.min(retention.hour, rowsEach * HOUR_MS),
  };
}

// --- internal ---

const HOUR_PART_MS = 600_000;

const TABLES: readonly MetricTable[] = ["raw", "minute", "hour"];

/** Whether the clock went evenly for some time: what a wrong clock calls old may be of today. */
function makeClockTrust(clock: Clock): () => boolean {
  const offset = (): number => clock.now() - clock.monotonic();
  let last = offset();
  let since = clock.monotonic();
  return () => {
    if (Math.abs(offset() - last) > LIMITS.metricClockJumpMs) since = clock.monotonic();
    last = offset();
    return clock.monotonic() - since >= LIMITS.metricClockTrustMs;
  };
}
