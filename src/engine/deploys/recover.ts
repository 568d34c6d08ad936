/**
 * What a new daemon does about the one before it: tells the deploys that ended with it, opens the services' addresses, goes on
 * with their logs, and lets the rest be repaired in the background. Waits for no provider. Called by deploys.ts, once.
 */
import { messageOf } from "../../base/errors.ts";
import { openAddress } from "../edge/open-address.ts";
import { findLive, logTarget } from "../live.ts";
import type { Reconcile } from "../reconcile.ts";
import type { ServiceDeps } from "../service-deps.ts";
import { decodeSpec } from "./service-spec.ts";
import type { Settlement } from "./settlement.ts";

export function recoverServices(deps: ServiceDeps, settlement: Settlement, reconcile: Reconcile): void {
  const { state, log } = deps;
  for (const row of settlement.failInterrupted()) {
    const { service, version, step } = row;
    log.warn("a deploy was interrupted", { service, version, step });
    void reconcile.discard(decodeSpec(row.spec), row.instance);
  }
  for (const service of state.services.list()) {
    const live = findLive(state, service);
    // Of one that is stopped too: it may have said something while no daemon was there.
    if (live !== undefined) deps.logs.watch(logTarget(live));
    try {
      if (live !== undefined && service.desired === "running") openAddress(live, deps.edges);
    } catch (error) {
      log.error("an address could not be opened", { service: service.name, error: messageOf(error) });
    }
  }
  deps.logs.sweep().catch((error: unknown) => {
    log.warn("logs of services that are gone could not be removed", { error: messageOf(error) });
  });
  reconcile.request();
}
