/** The families that the exporter offers of services and the host, made from the last look at them. Pure. Called by daemon/compose-exporter.ts. */
import type { MetricName } from "../../sdk/index.ts";
import type { InstanceStats } from "../providers/provider.ts";
import type { HostLatest, Latest } from "./collector.ts";
import type { Family } from "./exposition.ts";

/** Counters begin anew with every instance, as Prometheus expects of a process that was started again. */
export function serviceFamilies(services: readonly Latest[]): Family[] {
  return SERVICE.map(({ name, type, help, of }) => ({
    name: `voxeltron_service_${name}`,
    type,
    help,
    samples: services.flatMap(({ service, provider, stats }) => {
      const value = of(stats);
      return value === undefined ? [] : [{ labels: { service, provider }, value }];
    }),
  }));
}

export function hostFamilies(host: HostLatest | undefined): Family[] {
  return HOST.map(({ name, help, metric }) => {
    const value = host?.values[metric];
    return {
      name: `voxeltron_host_${name}`,
      type: "gauge",
      help,
      samples: value === undefined ? [] : [{ labels: {}, value }],
    };
  });
}

// --- internal ---

interface ServiceRow extends Pick<Family, "name" | "type" | "help"> {
  readonly of: (stats: InstanceStats) => number | undefined;
}

const SERVICE: readonly ServiceRow[] = [
  {
    name: "cpu_seconds_total",
    type: "counter",
    help: "Processor time that the live instance has used.",
    of: (stats) => stats.cpuSeconds,
  },
  {
    name: "memory_bytes",
    type: "gauge",
    help: "Memory that the live instance uses, without the file cache.",
    of: (stats) => stats.memoryBytes,
  },
  {
    name: "memory_limit_bytes",
    type: "gauge",
    help: "Memory that the live instance may use.",
    of: (stats) => stats.memoryLimitBytes,
  },
  {
    name: "network_receive_bytes_total",
    type: "counter",
    help: "Bytes that the live instance received from the network.",
    of: (stats) => stats.networkRxBytes,
  },
  {
    name: "network_transmit_bytes_total",
    type: "counter",
    help: "Bytes that the live instance sent to the network.",
    of: (stats) => stats.networkTxBytes,
  },
  {
    name: "block_read_bytes_total",
    type: "counter",
    help: "Bytes that the live instance read from disks.",
    of: (stats) => stats.blockReadBytes,
  },
  {
    name: "block_written_bytes_total",
    type: "counter",
    help: "Bytes that the live instance wrote to disks.",
    of: (stats) => stats.blockWriteBytes,
  },
  {
    name: "restarts_total",
    type: "counter",
    help: "Restarts of the live instance.",
    of: (stats) => stats.restarts,
  },
];

const HOST: readonly { readonly name: string; readonly help: string; readonly metric: MetricName }[] = [
  { name: "load1", help: "Load average of the host over one minute.", metric: "load1" },
  {
    name: "memory_bytes",
    help: "Memory of the host in use, without the file cache.",
    metric: "memory_bytes",
  },
  { name: "memory_size_bytes", help: "Memory of the host.", metric: "memory_limit_bytes" },
  { name: "disk_bytes", help: "In use on the disk of the data directory.", metric: "disk_bytes" },
  { name: "disk_size_bytes", help: "Size of the disk of the data directory.", metric: "disk_limit_bytes" },
];
