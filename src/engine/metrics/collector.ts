/**
 * Measures every live instance of every provider once an interval, and the host. Providers are asked side by side, a few instances
 * at a time, and none for longer than it may take: one that hangs costs its own numbers and nobody else's. Called by metrics.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { isVoxError, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { HostUsage } from "../../platform/host-usage.ts";
import { bounded } from "../bounded.ts";
import { fewAtATime } from "../few-at-a-time.ts";
import type { InstanceStats, Provider } from "../providers/provider.ts";
import { placeOf, placeText, type Place, type Providers } from "../providers/providers.ts";
import type { Measured } from "./recorder.ts";
import { present, roundPercent, valuesOf, type Look } from "./rates.ts";
import type { MetricValues } from "../../state/metrics.ts";

export interface Collector {
  /** One look at everything. Resolves when all providers have answered or were given up; a second one meanwhile skips who is still busy. */
  look(): Promise<void>;
  /** The last look at a service; it may be old. */
  latest(service: string): Latest | undefined;
  services(): readonly Latest[];
  host(): HostLatest | undefined;
}

export interface Latest extends Look {
  readonly service: string;
  readonly provider: string;
  /** Wall clock. */
  readonly at: number;
  readonly values: MetricValues;
}

export interface HostLatest {
  readonly at: number;
  readonly values: MetricValues;
}

export interface Target extends Place {
  readonly service: string;
  readonly instance: string;
}

export interface CollectorDeps {
  /** What should run now. */
  readonly targets: () => readonly Target[];
  readonly providers: Pick<Providers, "find">;
  readonly readHost: () => HostUsage;
  readonly cpus: number;
  readonly record: (at: number, measured: readonly Measured[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeCollector(deps: CollectorDeps): Collector {
  const { clock, log } = deps;
  const latest = new Map<string, Latest>();
  const underWay = new Set<string>();
  const troubled = new Set<string>();
  let isLosing = false;
  let host: HostLatest | undefined;
  let hostBefore: { readonly monotonicMs: number; readonly cpuSeconds: number } | undefined;

  async function round(name: string, targets: readonly Target[]): Promise<void> {
    const [first] = targets;
    const provider = first === undefined ? undefined : deps.providers.find(first);
    if (provider?.stats === undefined || underWay.has(name)) return;
    underWay.add(name);
    try {
      const found = await measureAll(provider, targets);
      const at = clock.now();
      for (const each of found) latest.set(each.service, { ...each, at });
      await deps.record(at, found);
    } finally {
      underWay.delete(name);
    }
  }

  async function measureAll(provider: Provider, targets: readonly Target[]): Promise<readonly Latest[]> {
    const found: Latest[] = [];
    let [answered, failed, isSilent] = [clock.monotonic(), false, false];
    await fewAtATime(targets, LIMITS.statsConcurrent, async (target) => {
      if (isSilent) return;
      const asked = clock.monotonic();
      try {
        const stats = await bounded(provider.stats?.(target.instance) ?? Promise.resolve(undefined), {
          clock,
          timeoutMs: LIMITS.statsMs,
          who: placeText(placeOf(provider)),
        });
        answered = clock.monotonic();
        if (stats !== undefined) found.push(lookAt(target, stats));
      } catch (error) {
        failed = true;
        // Nobody was answered meanwhile: it is not this instance, and the others need not wait as long.
        if (isVoxError(error) && error.code === "provider.unavailable" && answered <= asked) isSilent = true;
        complain(placeText(placeOf(provider)), target.instance, error);
      }
    });
    if (!failed) troubled.delete(placeText(placeOf(provider)));
    return found;
  }

  /** Once, until it answers again. */
  function complain(provider: string, instance: string, error: unknown): void {
    if (troubled.has(provider)) return;
    troubled.add(provider);
    log.warn("an instance can't be measured", { provider, instance, error: messageOf(error) });
  }

  function lookAt(target: Target, stats: InstanceStats): Latest {
    const look = { instance: target.instance, monotonicMs: clock.monotonic(), stats };
    const values = valuesOf(look, latest.get(target.service), deps.cpus);
    return { ...target, ...look, at: clock.now(), values };
  }

  async function lookAtHost(): Promise<void> {
    const counts = deps.readHost();
    const monotonicMs = clock.monotonic();
    const seconds = hostBefore === undefined ? 0 : (monotonicMs - hostBefore.monotonicMs) / 1000;
    const used = counts.cpuSeconds - (hostBefore?.cpuSeconds ?? 0);
    hostBefore = { monotonicMs, cpuSeconds: counts.cpuSeconds };
    const values = present({
      cpu_percent: seconds > 0 ? roundPercent(Math.max(0, used / seconds) * 100) : undefined,
      memory_bytes: counts.memoryBytes,
      memory_limit_bytes: counts.memoryTotalBytes,
      load1: counts.load1,
      disk_bytes: counts.diskBytes,
      disk_limit_bytes: counts.diskTotalBytes,
    });
    host = { at: clock.now(), values };
    await deps.record(host.at, [{ service: "", values }]);
  }

  return {
    async look() {
      const targets = deps.targets();
      const wanted = new Set(targets.map(({ service }) => service));
      for (const service of latest.keys()) if (!wanted.has(service)) latest.delete(service);
      const byProvider = Map.groupBy(targets, placeText);
      const looks = [lookAtHost(), ...Array.from(byProvider, ([name, group]) => round(name, group))];
      const results = await Promise.allSettled(looks);
      const lost = results.find((result) => result.status === "rejected");
      // A disk that is full stays so for a while: said once.
      if (lost !== undefined && !isLosing)
        log.warn("what was measured is lost", { error: messageOf(lost.reason) });
      isLosing = lost !== undefined;
    },
    latest: (service) => latest.get(service),
    services: () => [...latest.values()],
    host: () => host,
  };
}
