/**
 * Joins the families to the broker's one table. A method that is not here does not exist: the guest's `ctx`, the checks and
 * the audit log are all made from this list. Called by daemon/compose-host.ts.
 */
import { logsMethods, type ServiceLogReader } from "./logs.ts";
import type { Method } from "./method.ts";
import { netMethods, type NetOptions } from "./net.ts";
import { notifyMethods, type ChannelSender } from "./notify.ts";
import { selfMethods, type KeyValueRows } from "./self.ts";
import { streamMethods } from "./stream.ts";

export interface CataloguePowers {
  readonly keyValues: KeyValueRows;
  readonly net: NetOptions;
  readonly channels: ChannelSender;
  readonly serviceLogs: ServiceLogReader;
}

export function makeCatalogue(powers: CataloguePowers): readonly Method[] {
  return [
    ...selfMethods(powers.keyValues),
    ...netMethods(powers.net),
    ...notifyMethods(powers.channels),
    ...logsMethods(powers.serviceLogs),
    ...streamMethods(),
  ];
}
