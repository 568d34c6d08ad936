/**
 * The network family: `net.fetch`, which the guest knows as the global `fetch`, and `net.connect`. It decides where a plugin may go
 * and how much it may move; the clients below it hold the connections. Called by catalogue.ts.
 */
import type { Clock } from "../../base/clock.ts";
import type { AddressPolicy } from "../../platform/http/address-policy.ts";
import type { OpenHttp } from "../../platform/http/open-http.ts";
import type { Dial } from "../../platform/tcp/dial.ts";
import type { Method } from "./method.ts";
import { connectMethod } from "./net-connect.ts";
import { fetchMethod } from "./net-fetch.ts";
import type { OwnEndpoint } from "./notification-endpoints.ts";

export interface NetOptions {
  readonly openHttp: OpenHttp;
  readonly dial: Dial;
  /** Asked at each connection, so that a reload of the configuration counts. */
  readonly addressPolicy: () => AddressPolicy;
  /** The operator's own webhooks, which notify_send opens too. */
  readonly ownEndpoints: () => readonly OwnEndpoint[];
  readonly clock: Clock;
}

export function netMethods(options: NetOptions): readonly Method[] {
  return [fetchMethod(options), connectMethod(options)];
}
