/**
 * An operator's rule: something that is measured, and what is too much of it. Pure. Read by rule-schema.ts from the configuration; looked
 * after by rule-watch.ts.
 */
import { METRICS, type MetricName } from "../../sdk/index.ts";
import type { MetricValues } from "../../state/metrics.ts";
import { formatBytes } from "../../base/text.ts";

export interface AlertRule {
  readonly name: string;
  readonly metric: RuleMetric;
  readonly when: "above" | "below";
  readonly threshold: number;
  /** How long without a break. */
  readonly duration: number;
  /** A service's name; `*`: each of them; undefined: the host, or each of them where only services have the metric. */
  readonly service: string | undefined;
  /** Undefined: the channels of `[alerting]`. */
  readonly channels: readonly string[] | undefined;
}

/** What is measured, and shares of what there is at most. */
export type RuleMetric = MetricName | keyof typeof SHARES;

/** In percent. */
export const SHARES = {
  memory_percent: { part: "memory_bytes", whole: "memory_limit_bytes", of: "both" },
  disk_percent: { part: "disk_bytes", whole: "disk_limit_bytes", of: "host" },
} as const;

export const RULE_METRICS = [...Object.keys(METRICS), ...Object.keys(SHARES)] as readonly RuleMetric[];

/** How to read it: undefined where it was not measured, or there is no limit of which it could be a share. */
export function readerOf(metric: RuleMetric): (values: MetricValues) => number | undefined {
  if (!isShare(metric)) return (values) => values[metric];
  const { part, whole } = SHARES[metric];
  return (values) => {
    const [used, most] = [values[part], values[whole]];
    return used === undefined || most === undefined || most === 0 ? undefined : (100 * used) / most;
  };
}

export function isBreached({ when, threshold }: AlertRule, value: number): boolean {
  return when === "above" ? value > threshold : value < threshold;
}

/** `host`, `services`, or the service's name. */
export function targetOf({
  metric,
  service,
}: Pick<AlertRule, "metric" | "service">): "host" | "services" | { readonly service: string } {
  if (service === "*") return "services";
  if (service !== undefined) return { service };
  return ofWhom(metric) === "service" ? "services" : "host";
}

export function ofWhom(metric: RuleMetric): "service" | "host" | "both" {
  return isShare(metric) ? SHARES[metric].of : METRICS[metric].of;
}

/** A value as people read it: "93.5 %", "1.2 GiB". */
export function valueText(metric: RuleMetric, value: number): string {
  const unit = isShare(metric) ? "percent" : METRICS[metric].unit;
  return UNITS[unit](value);
}

// --- internal ---

function isShare(metric: RuleMetric): metric is keyof typeof SHARES {
  return Object.hasOwn(SHARES, metric);
}

const UNITS = {
  percent: (value: number) => `${round(value)} %`,
  bytes: (value: number) => formatBytes(Math.round(value)),
  "bytes/s": (value: number) => `${formatBytes(Math.round(value))}/s`,
  count: (value: number) => `${round(value)}`,
  load: (value: number) => `${round(value)}`,
} as const;

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
