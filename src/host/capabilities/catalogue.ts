/**
 * Joins the families to the broker's one table. A method that is not here does not exist: the guest's `ctx`, the checks and
 * the audit log are all made from this list. Called by daemon/compose-host.ts.
 */
import { dockerMethods, type ContainerPower } from "./docker.ts";
import { fsMethods, type FsOptions } from "./fs.ts";
import { logsMethods, type ServiceLogReader } from "./logs.ts";
import type { Method } from "./method.ts";
import { metricsMethods, type MetricsSource } from "./metrics.ts";
import { netMethods } from "./net.ts";
import type { NetOptions } from "./net-options.ts";
import { notifyMethods, type ChannelSender } from "./notify.ts";
import type { NotifyRate } from "./notify-rate.ts";
import { secretMethods, type SecretReader } from "./secrets.ts";
import { selfMethods, type KeyValueRows } from "./self.ts";
import { streamMethods } from "./stream.ts";

export interface CataloguePowers {
  readonly keyValues: KeyValueRows;
  readonly files: FsOptions;
  readonly net: NetOptions;
  readonly channels: ChannelSender;
  readonly containers: ContainerPower;
  readonly notifyRate: NotifyRate;
  readonly secrets: SecretReader;
  readonly serviceLogs: ServiceLogReader;
  readonly queryMetrics: MetricsSource;
}

export function makeCatalogue(powers: CataloguePowers): readonly Method[] {
  return [
    ...selfMethods(powers.keyValues),
    ...fsMethods(powers.files),
    ...netMethods(powers.net),
    ...notifyMethods(powers.channels, powers.notifyRate),
    ...dockerMethods(powers.containers),
    ...secretMethods(powers.secrets),
    ...logsMethods(powers.serviceLogs),
    ...metricsMethods(powers.queryMetrics),
    ...streamMethods(),
  ];
}
