/**
 * What a container uses, from two readings of the engine a moment apart: the share of the processors is the difference.
 * Pure. Called by containers.ts.
 */
import type { ContainerStats } from "dockerode";
import type { ContainerUsage } from "../../../../sdk/index.ts";

export function usageOf(before: ContainerStats, now: ContainerStats): ContainerUsage {
  const networks = Object.values(now.networks ?? {});
  return {
    at: new Date(now.read).toISOString(),
    cpuSeconds: cpuNs(now) / 1e9,
    cpuPercent: cpuPercent(before, now),
    memoryBytes: memory(now),
    memoryLimitBytes: whole(now.memory_stats?.limit),
    networkInBytes: sum(networks.map((network) => network.rx_bytes)),
    networkOutBytes: sum(networks.map((network) => network.tx_bytes)),
    diskReadBytes: disk(now, "read"),
    diskWriteBytes: disk(now, "write"),
    processes: whole(now.pids_stats?.current),
  };
}

// --- internal ---

function whole(value: number | undefined): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + whole(value), 0);
}

function cpuNs(stats: ContainerStats): number {
  return whole(stats.cpu_stats?.cpu_usage?.total_usage);
}

function cpuPercent(before: ContainerStats, now: ContainerStats): number {
  const passed = (Date.parse(now.read) - Date.parse(before.read)) * 1e6;
  const used = cpuNs(now) - cpuNs(before);
  return passed > 0 && used > 0 ? Math.round((1000 * used) / passed) / 10 : 0;
}

/** Without the page cache that the kernel gives back when it needs it, as `docker stats` has it. */
function memory({ memory_stats: stats }: ContainerStats): number {
  const details = stats?.stats as Partial<Record<string, number>> | undefined;
  const cache = whole(details?.["inactive_file"] ?? details?.["total_inactive_file"]);
  const usage = whole(stats?.usage);
  return cache < usage ? usage - cache : usage;
}

function disk(stats: ContainerStats, way: string): number {
  const rows = (stats.blkio_stats?.io_service_bytes_recursive ?? []) as readonly {
    readonly op: string;
    readonly value: number;
  }[];
  return sum(rows.filter(({ op }) => op.toLowerCase() === way).map(({ value }) => value));
}
