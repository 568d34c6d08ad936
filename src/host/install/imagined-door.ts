/**
 * What a plugin would find behind its door if all that it asks for were granted, for a look at its code without a daemon. There is
 * nothing behind it. Called by check-files.ts.
 */
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { makeAddressPolicy } from "../../platform/http/address-policy.ts";
import { makeBroker } from "../capabilities/broker.ts";
import { makeCatalogue, type CataloguePowers } from "../capabilities/catalogue.ts";
import { DEFAULT_QUOTA } from "../capabilities/quota.ts";
import { requestsOf, type Manifest } from "../manifest/manifest.ts";
import type { PluginDoor } from "../runtimes/runtime.ts";

export function imaginedDoor(manifest: Manifest): PluginDoor {
  const requested = new Set(requestsOf(manifest).map(({ capability }) => capability));
  const grants = new Map([...requested].map((capability) => [capability, null]));
  const caller = {
    plugin: manifest.name,
    grants,
    requested,
    optional: requested,
    withheld: new Set<never>(),
  };
  const { methods } = makeBroker({
    methods: makeCatalogue(NO_POWERS),
    callerOf: () => caller,
    audit: { append() {} },
    pluginLogs: { append: () => 0 },
    quota: () => DEFAULT_QUOTA,
    clock: systemClock,
    log: silentLog,
  }).doorFor(manifest.name);
  return { methods, invoke: refuse, log() {} };
}

// --- internal ---

/** Never called: only the names of the methods are looked at. */
const NO_POWERS: CataloguePowers = {
  keyValues: { get: () => undefined, set: () => false, delete: () => false, list: () => [], count: () => 0 },
  files: {
    store: { read: refuse, list: refuse, stat: nothing },
    writer: { write: refuse, append: refuse, remove: refuse, mkdir: refuse, rename: refuse },
  },
  net: {
    openHttp: refuse,
    dial: refuse,
    addressPolicy: () => makeAddressPolicy([]),
    ownEndpoints: () => [],
    clock: systemClock,
  },
  channels: { channels: () => [], send: refuse },
  containers: {
    list: refuse,
    inspect: refuse,
    stats: refuse,
    events: () => (async function* () {})(),
    create: refuse,
    start: refuse,
    stop: refuse,
    restart: refuse,
    remove: refuse,
    clear: refuse,
  },
  notifyRate: { take() {} },
  secrets: { get: () => "", names: () => [] },
  serviceLogs: { isService: () => false, read: never },
  queryMetrics: refuse,
};

// eslint-disable-next-line require-yield -- there is nothing to give
async function* never(): AsyncGenerator<never> {
  throw new Error("there is nothing behind this door");
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("there is nothing behind this door"));
}

function nothing(): never {
  throw new Error("there is nothing behind this door");
}
