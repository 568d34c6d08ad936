/**
 * What the network family is given: the powers to connect, and who may be reached with them. Filled in by the daemon's composition;
 * read by net.ts, net-fetch.ts and net-connect.ts.
 */
import type { Clock } from "../../base/clock.ts";
import type { AddressPolicy } from "../../platform/http/address-policy.ts";
import type { OpenHttp } from "../../platform/http/open-http.ts";
import type { Dial } from "../../platform/tcp/dial.ts";
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
