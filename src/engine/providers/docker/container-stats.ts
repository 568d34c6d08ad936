/** What the engine measured of a container, in the words that all providers share. Pure. Called by provider.ts. */
import type { ContainerInspectInfo, ContainerStats } from "dockerode";
import type { InstanceStats } from "../provider.ts";

/** Nothing where it does not run: the engine then answers with zeros. */
export function containerStats(
  info: Pick<ContainerInspectInfo, "State" | "RestartCount" | "HostConfig">,
  stats: Partial<ContainerStats>,
): InstanceStats | undefined {
  const cpu = stats.cpu_stats?.cpu_usage.total_usage ?? 0;
  if (!info.State.Running || cpu === 0) return undefined;
  const networks = Object.values(stats.networks ?? {});
  const limit = info.HostConfig.Memory ?? 0;
  return {
    run: info.State.StartedAt,
    cpuSeconds: cpu / NANOSECONDS,
    memoryBytes: memoryInUse(stats.memory_stats),
    // What the engine calls the limit of one that has none is all that the host has.
    ...(limit > 0 ? { memoryLimitBytes: limit } : {}),
    // A container in another's or the host's network has none of its own.
    ...(networks.length === 0
      ? {}
      : {
          networkRxBytes: sum(networks.map((network) => network.rx_bytes)),
          networkTxBytes: sum(networks.map((network) => network.tx_bytes)),
        }),
    blockReadBytes: blockBytes(stats, "read"),
    blockWriteBytes: blockBytes(stats, "write"),
    restarts: info.RestartCount,
  };
}

// --- internal ---

const NANOSECONDS = 1e9;

/** The file cache goes when memory is wanted, so it does not count; cgroup v2 and v1 name it differently. */
function memoryInUse(memory: Partial<ContainerStats["memory_stats"]> | undefined): number {
  const { usage = 0, stats } = memory ?? {};
  const details = (stats ?? {}) as Readonly<Record<string, number>>;
  return Math.max(0, usage - (details["inactive_file"] ?? details["total_inactive_file"] ?? 0));
}

function blockBytes({ blkio_stats: block }: Partial<ContainerStats>, wanted: "read" | "write"): number {
  const entries = (block?.io_service_bytes_recursive ?? []) as readonly BlockEntry[];
  return sum(entries.filter(({ op }) => op.toLowerCase() === wanted).map(({ value }) => value));
}

interface BlockEntry {
  readonly op: string;
  readonly value: number;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
