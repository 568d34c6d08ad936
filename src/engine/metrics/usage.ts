/** What a service uses right now, as `status` shows it. Pure. Called by metrics.ts. */
import type { Latest } from "./collector.ts";

export interface ServiceUsage {
  /** When it was measured. */
  readonly at: string;
  /** 100 is one core kept busy; null until it was measured twice. */
  readonly cpuPercent: number | null;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** null: there is none. */
  readonly memoryLimitBytes: number | null;
  /** Since the instance was started; null where its provider can't tell. So all that follow. */
  readonly networkRxBytes: number | null;
  readonly networkTxBytes: number | null;
  readonly blockReadBytes: number | null;
  readonly blockWriteBytes: number | null;
  readonly restarts: number | null;
}

export function usageOf({ stats, values }: Latest, at: string): ServiceUsage {
  return {
    at,
    cpuPercent: values.cpu_percent ?? null,
    cpuSeconds: stats.cpuSeconds,
    memoryBytes: stats.memoryBytes,
    memoryLimitBytes: stats.memoryLimitBytes ?? null,
    networkRxBytes: stats.networkRxBytes ?? null,
    networkTxBytes: stats.networkTxBytes ?? null,
    blockReadBytes: stats.blockReadBytes ?? null,
    blockWriteBytes: stats.blockWriteBytes ?? null,
    restarts: stats.restarts ?? null,
  };
}
