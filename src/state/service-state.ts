/**
 * The tables about services, and the one way to change several of them together. Passed to the parts of the engine that deploy,
 * list, stop and repair services.
 */
import { inTransaction, type Database } from "./database.ts";
import { makeDeployRows, type Deploys } from "./deploys.ts";
import { makeServiceEnv, type ServiceEnv } from "./service-env.ts";
import { makeServiceRows, type Services } from "./services.ts";
import { makeVersionRows, type Versions } from "./versions.ts";

export interface ServiceState {
  readonly services: Services;
  readonly versions: Versions;
  readonly deploys: Deploys;
  readonly env: ServiceEnv;
  /** All of `work` is on disk, or none. */
  readonly transaction: <T>(work: () => T) => T;
}

export function makeServiceState(db: Database): ServiceState {
  return {
    services: makeServiceRows(db),
    versions: makeVersionRows(db),
    deploys: makeDeployRows(db),
    env: makeServiceEnv(db),
    transaction: (work) => inTransaction(db, work),
  };
}
