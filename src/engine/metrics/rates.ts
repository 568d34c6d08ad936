/**
 * From two looks at counters to values: what was used in between, by the second. Counters that begin anew (another run, another
 * instance) are counted from 0. Pure. Called by collector.ts.
 */
import type { MetricValues } from "../../state/metrics.ts";
import type { InstanceStats } from "../providers/provider.ts";

/** One look. Times are monotonic, so that a clock that is set changes no rate. */
export interface Look {
  readonly instance: string;
  readonly monotonicMs: number;
  readonly stats: InstanceStats;
}

/** `cpus`: how many processors there are, which is more than anything can use. */
export function valuesOf(now: Look, before: Look | undefined, cpus: number): MetricValues {
  const { stats } = now;
  const rate = rateBetween(now, before);
  const cpu = rate((each) => each.cpuSeconds);
  return present({
    cpu_percent: cpu === undefined ? undefined : roundPercent(Math.min(cpu, cpus) * 100),
    memory_bytes: stats.memoryBytes,
    memory_limit_bytes: stats.memoryLimitBytes,
    network_rx_rate: whole(rate((each) => each.networkRxBytes)),
    network_tx_rate: whole(rate((each) => each.networkTxBytes)),
    block_read_rate: whole(rate((each) => each.blockReadBytes)),
    block_write_rate: whole(rate((each) => each.blockWriteBytes)),
    restarts: stats.restarts,
  });
}

/** Leaves out what is not known. */
export function present(values: { readonly [K in keyof MetricValues]: number | undefined }): MetricValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

export function roundPercent(value: number): number {
  return Math.round(value * 100) / 100;
}

// --- internal ---

type Counter = (stats: InstanceStats) => number | undefined;

function rateBetween(now: Look, before: Look | undefined): (counter: Counter) => number | undefined {
  const seconds = before === undefined ? 0 : (now.monotonicMs - before.monotonicMs) / 1000;
  // Without a look before it is not known how long the counter took to get there.
  if (before === undefined || seconds <= 0) return () => undefined;
  const isSameRun = before.instance === now.instance && before.stats.run === now.stats.run;
  return (counter) => {
    const value = counter(now.stats);
    if (value === undefined) return undefined;
    const base = isSameRun ? (counter(before.stats) ?? value) : 0;
    // A process that ended unseen takes its counters along: less than before is nothing, not a new beginning.
    return Math.max(0, value - base) / seconds;
  };
}

function whole(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}
