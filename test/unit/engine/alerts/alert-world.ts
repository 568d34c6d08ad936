/** Alerts over a real database, with a clock that tests turn, channels that may refuse, and readings that they write. */
import { fail } from "../../../../src/base/errors.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeAlerts, type Alerts } from "../../../../src/engine/alerts/alerts.ts";
import { makeChannelHealth } from "../../../../src/engine/alerts/channel-health.ts";
import type { Watch } from "../../../../src/engine/alerts/finding.ts";
import type { AlertRule } from "../../../../src/engine/alerts/rule.ts";
import { makeRuleWatch } from "../../../../src/engine/alerts/rule-watch.ts";
import { makeServiceWatch } from "../../../../src/engine/alerts/service-watch.ts";
import { makeTroubleWatch, type Trouble } from "../../../../src/engine/alerts/trouble-watch.ts";
import { makeAlertRows } from "../../../../src/state/alerts.ts";
import { openDatabase, type Database } from "../../../../src/state/database.ts";
import type { MetricValues } from "../../../../src/state/metrics.ts";
import type { AlertEvent } from "../../../../src/sdk/index.ts";
import { fakeClock, type FakeClock } from "../../../harness.ts";

export interface AlertWorld {
  readonly clock: FakeClock;
  readonly alerts: Alerts;
  /** `firing cpu web`, `resolved cpu web`: what hooks are told, in order. */
  readonly told: string[];
  /** `ops: Alert: cpu (web)`: what channels took, in order. */
  readonly sent: string[];
  readonly services: Map<string, MetricValues>;
  host: MetricValues | undefined;
  rules: AlertRule[];
  wanted: string[];
  states: Record<string, string>;
  /** How long a provider takes to say one. */
  statesTakeMs: number;
  troubles: Trouble[];
  channels: string[];
  /** Channels that refuse. */
  readonly down: Set<string>;
  disabled: string[];
  defaultChannels: string[] | undefined;
  /** Looks every ten seconds for so long. */
  pass(ms: number): Promise<void>;
  /** A new daemon over the same database. */
  reborn(): AlertWorld;
}

export function makeAlertWorld(db: Database = openDatabase(":memory:"), clock = fakeClock()): AlertWorld {
  const rows = makeAlertRows(db);
  const health = makeChannelHealth();
  const readings = () => ({ services: world.services, host: world.host });
  const watches: readonly Watch[] = [
    makeRuleWatch({
      rules: () => world.rules,
      readings,
      isService: (name) => world.wanted.includes(name),
      clock,
    }),
    makeServiceWatch({
      wanted: () => world.wanted,
      readings,
      async stateOf(name) {
        if (world.statesTakeMs > 0) await clock.sleep(world.statesTakeMs);
        return world.states[name] ?? "unknown";
      },
      clock,
    }),
    makeTroubleWatch({ name: "plugin", look: async () => world.troubles, everyMs: 60_000, clock }),
    makeTroubleWatch({
      name: "notification-channel",
      look: async (firing) => health.troubles(world.channels, firing),
      everyMs: 0,
      clock,
    }),
  ];
  const world: AlertWorld = {
    clock,
    told: [],
    sent: [],
    services: new Map(),
    host: undefined,
    rules: [],
    wanted: [],
    states: {},
    statesTakeMs: 0,
    troubles: [],
    channels: [],
    down: new Set(),
    disabled: [],
    defaultChannels: undefined,
    alerts: makeAlerts({
      rows,
      events: {
        emit(_hook, data) {
          const { state, name, service } = data as unknown as Partial<AlertEvent>;
          world.told.push([state, name, service].filter((part) => part !== undefined).join(" "));
          return data as never;
        },
      },
      notify: {
        channels: () => world.channels,
        async send(channel, { title = "" }) {
          const isDown = world.down.has(channel);
          health.heard(channel, isDown ? "it answers 503" : undefined);
          if (isDown) throw fail("notify.failed", "no");
          world.sent.push(`${channel}: ${title}`);
          return { channel, type: "webhook", attempts: 1, refused: 0 };
        },
      },
      watches,
      rules: () => world.rules,
      settings: () => ({ channels: world.defaultChannels, disable: world.disabled }),
      clock,
      log: silentLog,
    }),
    async pass(ms) {
      for (let left = ms; left > 0; left -= 10_000) {
        await clock.advance(Math.min(10_000, left));
        await world.alerts.look();
        // The courier's work goes on by itself.
        await clock.advance(0);
      }
    },
    reborn() {
      const next = makeAlertWorld(db, clock);
      const { rules, wanted, states, troubles, channels, disabled, defaultChannels, host } = world;
      Object.assign(next, { rules, wanted, states, troubles, channels, disabled, defaultChannels, host });
      for (const [name, values] of world.services) next.services.set(name, values);
      for (const channel of world.down) next.down.add(channel);
      return next;
    },
  };
  return world;
}

export function rule(changes: Partial<AlertRule> = {}): AlertRule {
  return {
    name: "cpu",
    metric: "cpu_percent",
    when: "above",
    threshold: 90,
    duration: 60_000,
    service: "web",
    channels: undefined,
    ...changes,
  };
}
