/**
 * Who is given what to look after: what was measured, which services should run, plugins and channels in trouble, certificates. It wires and decides
 * nothing. Called by compose.ts.
 */
import { LIMITS } from "../base/limits.ts";
import { makeAlerts, type Alerts } from "../engine/alerts/alerts.ts";
import type { ChannelHealth } from "../engine/alerts/channel-health.ts";
import type { Watch } from "../engine/alerts/finding.ts";
import { makeRuleWatch, type Readings } from "../engine/alerts/rule-watch.ts";
import { makeServiceWatch } from "../engine/alerts/service-watch.ts";
import { makeTroubleWatch, type Trouble } from "../engine/alerts/trouble-watch.ts";
import type { Events } from "../engine/events/events.ts";
import type { Metrics } from "../engine/metrics/metrics.ts";
import type { Notify } from "../engine/notify/notify.ts";
import type { Services } from "../engine/services/services.ts";
import type { Plugins } from "../host/plugins.ts";
import { makeAlertRows } from "../state/alerts.ts";
import type { Database } from "../state/database.ts";
import type { ServiceState } from "../state/service-state.ts";
import type { World } from "./world.ts";

export interface AlertsNeeds {
  readonly state: Pick<ServiceState, "services">;
  readonly events: Pick<Events, "emit">;
  readonly metrics: Pick<Metrics, "latest">;
  readonly services: Pick<Services, "has" | "info">;
  readonly plugins: Pick<Plugins, "list">;
  readonly notify: Pick<Notify, "send" | "channels">;
  readonly channelHealth: ChannelHealth;
  /** Over the certificates that are served. */
  readonly expiry: Watch;
}

export function composeAlerts({ config, clock, log }: World, db: Database, needs: AlertsNeeds): Alerts {
  const { state, metrics, services, plugins, notify, channelHealth } = needs;
  const readings = (): Readings => {
    const latest = metrics.latest();
    return {
      services: new Map(latest.services.map(({ service, values }) => [service, values])),
      host: latest.host?.values,
    };
  };
  return makeAlerts({
    rows: makeAlertRows(db),
    events: needs.events,
    notify,
    watches: [
      makeRuleWatch({
        rules: () => config().alerts,
        readings,
        isService: (name) => services.has(name),
        clock,
      }),
      makeServiceWatch({
        wanted: () => state.services.list().flatMap((row) => (shouldRun(row) ? [row.name] : [])),
        readings,
        stateOf: async (name) => (await services.info(name)).state,
        clock,
      }),
      makeTroubleWatch({
        name: "plugin",
        look: async () => (await plugins.list()).flatMap(pluginTrouble),
        everyMs: LIMITS.alertPluginMs,
        clock,
      }),
      makeTroubleWatch({
        name: "notification-channel",
        look: async (firing) => channelHealth.troubles(notify.channels(), firing),
        everyMs: 0,
        clock,
      }),
      needs.expiry,
    ],
    rules: () => config().alerts,
    settings: () => config().alerting,
    clock,
    log,
  });
}

// --- internal ---

type ServiceRow = ReturnType<ServiceState["services"]["list"]>[number];

function shouldRun({ desired, currentVersion }: ServiceRow): boolean {
  return desired === "running" && currentVersion !== null;
}

/** What an operator did, such as disabling it, is no news to him. */
function pluginTrouble({ name, state, reason }: Awaited<ReturnType<Plugins["list"]>>[number]): Trouble[] {
  if (state === "enabled" || state === "disabled") return [];
  return [
    { subject: name, message: `the plugin ${name} is ${state}${reason === null ? "" : `: ${reason}`}` },
  ];
}
