/**
 * What services and the host use: measured at an interval, kept in the database, shown and asked for. Composed by the daemon, which
 * starts and closes it; asked by the API, by engine/services and, through the host's broker, by plugins.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { MetricRows } from "../../state/metrics.ts";
import type { ServiceState } from "../../state/service-state.ts";
import { makeCollector, type CollectorDeps, type HostLatest, type Latest, type Target } from "./collector.ts";
import { queryMetrics, type MetricsAnswer, type MetricsQuestion } from "./query.ts";
import { makeRecorder, type Measured, type Retention } from "./recorder.ts";
import { usageOf, type ServiceUsage } from "./usage.ts";

export interface Metrics {
  /** Measures at once, soon after (a rate needs two looks), and then at the interval. */
  start(): void;
  /** Writes what has begun; measures nothing more. */
  close(): void;
  /** Throws `metrics.unknown`, `metrics.invalid_query` and `service.not_found`. */
  query(question: MetricsQuestion): MetricsAnswer;
  /** Nothing where the instance was not measured lately. */
  usageOf(service: string, instance: string): ServiceUsage | undefined;
  /** The newest of each, for the exporter. */
  latest(): { readonly services: readonly Latest[]; readonly host: HostLatest | undefined };
}

export interface MetricsDeps {
  readonly state: Pick<ServiceState, "services" | "versions">;
  readonly rows: MetricRows;
  readonly providers: CollectorDeps["providers"];
  readonly readHost: CollectorDeps["readHost"];
  readonly cpus: number;
  /** Asked each time, so that a reload counts. */
  readonly settings: () => MetricsSettings;
  readonly clock: Clock;
  readonly log: Log;
}

export interface MetricsSettings {
  readonly interval: number;
  readonly retention: Retention;
}

export function makeMetrics(deps: MetricsDeps): Metrics {
  const { state, rows, clock, log, settings } = deps;
  const retention = (): Retention => settings().retention;
  const recorder = makeRecorder({
    rows,
    retention,
    intervalMs: () => settings().interval,
    isService: (name) => state.services.find(name) !== undefined,
    clock,
  });
  const { providers, readHost, cpus } = deps;
  const collector = makeCollector({
    targets: () => targetsOf(deps.state),
    providers,
    readHost,
    cpus,
    record,
    clock,
    log,
  });
  let closed = false;
  let cancel = (): void => {};

  async function record(at: number, measured: readonly Measured[]): Promise<void> {
    try {
      if (!closed) await recorder.record(at, measured);
    } catch (error) {
      // The database may be closed between two pieces of it.
      if (!closed) throw error;
    }
  }

  function lookAfter(ms: number): void {
    cancel = clock.after(ms, () => {
      lookAfter(settings().interval);
      void look();
    });
  }

  async function look(): Promise<void> {
    try {
      await collector.look();
      if (!closed) await recorder.prune();
    } catch (error) {
      if (!closed) log.warn("measuring failed", { error: messageOf(error) });
    }
  }

  const isFresh = ({ monotonicMs }: Latest): boolean =>
    clock.monotonic() - monotonicMs <= FRESH_INTERVALS * settings().interval + LIMITS.statsMs;

  return {
    start() {
      lookAfter(SECOND_LOOK_MS);
      void look();
    },
    close() {
      closed = true;
      cancel();
      recorder.close();
    },
    query: (question) =>
      queryMetrics(question, {
        rows,
        serviceNames: () => state.services.list().map(({ name }) => name),
        intervalMs: () => settings().interval,
        retention,
        clock,
      }),
    usageOf(service, instance) {
      const found = collector.latest(service);
      if (found === undefined || found.instance !== instance || !isFresh(found)) return undefined;
      return usageOf(found, timestamp(found.at));
    },
    latest: () => ({ services: collector.services().filter(isFresh), host: collector.host() }),
  };
}

// --- internal ---

const SECOND_LOOK_MS = 1_000;
const FRESH_INTERVALS = 3;

function targetsOf({ services, versions }: MetricsDeps["state"]): readonly Target[] {
  const running = new Map(
    services
      .list()
      .flatMap(({ name, provider, server, desired }) =>
        desired === "running" ? [[name, { provider, server }] as const] : [],
      ),
  );
  return versions.listCurrent().flatMap(({ service, instance }) => {
    const place = running.get(service);
    return place === undefined ? [] : [{ service, ...place, instance }];
  });
}
