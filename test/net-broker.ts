/** The real broker with the network family for tests: what a plugin may reach is what the test says, everything else is as in the daemon. */
import { systemClock, type Clock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { makeBroker, type Broker } from "../src/host/capabilities/broker.ts";
import { netMethods } from "../src/host/capabilities/net.ts";
import type { OwnEndpoint } from "../src/host/capabilities/notification-endpoints.ts";
import { DEFAULT_QUOTA } from "../src/host/capabilities/quota.ts";
import { streamMethods } from "../src/host/capabilities/stream.ts";
import type { PluginDoor } from "../src/host/runtimes/runtime.ts";
import {
  makeAddressPolicy,
  parsePrivateRule,
  type PrivateRule,
} from "../src/platform/http/address-policy.ts";
import { makeHttpOpener } from "../src/platform/http/open-http.ts";
import type { Resolver } from "../src/platform/http/resolve.ts";
import { makeDial } from "../src/platform/tcp/dial.ts";
import type { Capability } from "../src/sdk/index.ts";
import type { AuditRow } from "../src/state/audit.ts";

export interface NetWorld {
  readonly grants?: readonly (readonly [Capability, readonly string[] | null])[];
  readonly requested?: readonly Capability[];
  readonly resolve: Resolver;
  /** Asked anew at each look. */
  readonly allowPrivate: readonly string[];
  readonly own?: readonly OwnEndpoint[];
  readonly ca?: string;
  readonly clock?: Clock;
}

export interface NetBroker {
  readonly broker: Broker;
  readonly door: PluginDoor;
  readonly audit: readonly AuditRow[];
  /** May be changed; then call `broker.rightsChanged()`. */
  readonly grants: Map<Capability, readonly string[] | null>;
}

export function netBroker(world: NetWorld): NetBroker {
  const audit: AuditRow[] = [];
  const grants = new Map<Capability, readonly string[] | null>(world.grants ?? [["network_outbound", null]]);
  const rules = () =>
    world.allowPrivate.map(parsePrivateRule).filter((rule): rule is PrivateRule => rule !== undefined);
  const powers = { resolve: world.resolve, ...(world.ca === undefined ? {} : { ca: world.ca }) };
  const clock = world.clock ?? systemClock;
  const broker = makeBroker({
    methods: [
      ...netMethods({
        openHttp: makeHttpOpener(powers),
        dial: makeDial(powers),
        addressPolicy: () => makeAddressPolicy(rules()),
        ownEndpoints: () => world.own ?? [],
        clock,
      }),
      ...streamMethods(),
    ],
    callerOf: (name) => ({
      plugin: name,
      grants,
      requested: new Set(world.requested ?? ["network_outbound", "notify_send"]),
      optional: new Set(),
      withheld: new Set(),
    }),
    audit: { append: (row) => audit.push(row) },
    pluginLogs: { append: () => 0 },
    quota: () => DEFAULT_QUOTA,
    clock: systemClock,
    log: silentLog,
  });
  return { broker, door: broker.doorFor("ding"), audit, grants };
}
