/** What a service uses, as people read it. Pure. Called by the commands that show services. */
import type { ServiceUsage } from "../api/operations.ts";
import { formatDuration } from "../base/duration.ts";
import { formatBytes } from "../base/text.ts";
import type { Cell } from "./output.ts";

/** "12.5 %"; null where it is not known. */
export function percentText(usage: ServiceUsage | null): string | null {
  const percent = usage?.cpuPercent ?? null;
  return percent === null ? null : `${percent.toFixed(1)} %`;
}

/** "12.5 MiB", or "12.5 MiB of 64 MiB". */
export function memoryText(usage: ServiceUsage | null): string | null {
  if (usage === null) return null;
  const limit = usage.memoryLimitBytes;
  return `${formatBytes(usage.memoryBytes)}${limit === null ? "" : ` of ${formatBytes(limit)}`}`;
}

/** For `facts`. */
export function usageRows(usage: ServiceUsage | null): readonly (readonly [string, Cell])[] {
  if (usage === null) return [];
  return [
    ["uses cpu", percentText(usage)],
    ["cpu time", formatDuration(usage.cpuSeconds * 1000)],
    ["uses memory", memoryText(usage)],
    ["network", pair(usage.networkRxBytes, "received", usage.networkTxBytes, "sent")],
    ["block I/O", pair(usage.blockReadBytes, "read", usage.blockWriteBytes, "written")],
  ];
}

// --- internal ---

function pair(first: number | null, one: string, second: number | null, other: string): string | null {
  if (first === null || second === null) return null;
  return `${formatBytes(first)} ${one}, ${formatBytes(second)} ${other}`;
}
