/**
 * What the daemon tells of itself to who reads its metrics: events, deliveries, plugins, and its own process. Called by
 * compose-exporter.ts.
 */
import type { Clock } from "../base/clock.ts";
import { VERSION } from "../base/version.ts";
import type { Family } from "../engine/metrics/exposition.ts";
import type { Plugins } from "../host/plugins.ts";
import type { DeliveryRows } from "../state/deliveries.ts";
import type { EventRows } from "../state/events.ts";

export interface OwnDeps {
  readonly events: Pick<EventRows, "countEver">;
  readonly deliveries: Pick<DeliveryRows, "countOpen">;
  readonly plugins: Pick<Plugins, "list">;
  readonly clock: Clock;
}

export async function ownFamilies({ events, deliveries, plugins, clock }: OwnDeps): Promise<Family[]> {
  const { pending, dead } = deliveries.countOpen();
  const states = Map.groupBy(await plugins.list(), ({ state }) => state);
  const { user, system } = process.cpuUsage();
  return [
    one("voxeltron_build_info", "gauge", "Always 1; the label has the version.", 1, { version: VERSION }),
    one("voxeltron_events_total", "counter", "Events that were emitted.", events.countEver()),
    {
      name: "voxeltron_deliveries",
      type: "gauge",
      help: "Deliveries of events to plugins that wait (pending) or were given up (dead).",
      samples: [
        { labels: { state: "pending" }, value: pending },
        { labels: { state: "dead" }, value: dead },
      ],
    },
    {
      name: "voxeltron_plugins",
      type: "gauge",
      help: "Installed plugins by their state.",
      samples: PLUGIN_STATES.map((state) => ({ labels: { state }, value: states.get(state)?.length ?? 0 })),
    },
    one(
      "process_cpu_seconds_total",
      "counter",
      "Processor time that the daemon has used.",
      (user + system) / 1e6,
    ),
    one(
      "process_resident_memory_bytes",
      "gauge",
      "Resident memory of the daemon.",
      process.memoryUsage.rss(),
    ),
    one(
      "process_start_time_seconds",
      "gauge",
      "When the daemon was started, in seconds since 1970.",
      Math.round(clock.now() / 1000 - process.uptime()),
    ),
  ];
}

// --- internal ---

const PLUGIN_STATES = ["enabled", "disabled", "tampered", "broken", "suspended", "paused"] as const;

function one(
  name: string,
  type: Family["type"],
  help: string,
  value: number,
  labels: Readonly<Record<string, string>> = {},
): Family {
  return { name, type, help, samples: [{ labels, value }] };
}
