/** What is measured, with its unit: the database's columns, the command line, plugins' queries and the docs all read this table. */

export interface MetricInfo {
  readonly unit: "percent" | "bytes" | "bytes/s" | "count" | "load";
  /** Who has it: services, the host that the daemon runs on, or both. */
  readonly of: "service" | "host" | "both";
  /** What stands for a span of time: the mean of what was measured in it, or the last of it. */
  readonly span: "mean" | "last";
  readonly summary: string;
}

export const METRICS = {
  cpu_percent: {
    unit: "percent",
    of: "both",
    span: "mean",
    summary: "Processor time; 100 is one core kept busy",
  },
  memory_bytes: { unit: "bytes", of: "both", span: "mean", summary: "Memory in use, without the file cache" },
  memory_limit_bytes: {
    unit: "bytes",
    of: "both",
    span: "last",
    summary: "Memory that it may use, or that the host has",
  },
  network_rx_rate: { unit: "bytes/s", of: "service", span: "mean", summary: "Received from the network" },
  network_tx_rate: { unit: "bytes/s", of: "service", span: "mean", summary: "Sent to the network" },
  block_read_rate: { unit: "bytes/s", of: "service", span: "mean", summary: "Read from disks" },
  block_write_rate: { unit: "bytes/s", of: "service", span: "mean", summary: "Written to disks" },
  restarts: { unit: "count", of: "service", span: "last", summary: "Restarts of the instance that is live" },
  load1: { unit: "load", of: "host", span: "mean", summary: "Load average over one minute" },
  disk_bytes: {
    unit: "bytes",
    of: "host",
    span: "mean",
    summary: "In use on the disk of the data directory",
  },
  disk_limit_bytes: {
    unit: "bytes",
    of: "host",
    span: "last",
    summary: "Size of the disk of the data directory",
  },
} as const satisfies Record<string, MetricInfo>;

/** The name of something that is measured. */
export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}
