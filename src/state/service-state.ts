/**
 * The tables about services, and the one way to change several of them together. Passed to the parts of the engine that deploy,
 * list, stop and repair services.
 */
import { inTransaction, type Database } from "./database.ts";
import { makeDeployRows, type DeployRows } from "./deploys.ts";
import { makeServiceSecretRows, type ServiceSecretRows } from "./service-secrets.ts";
import { makeServiceEnvRows, type ServiceEnvRows } from "./service-env.ts";
import { makeServiceRows, type ServiceRows } from "./services.ts";
import { makeVersionRows, type VersionRows } from "./versions.ts";

export interface ServiceState {
  readonly services: ServiceRows;
  readonly versions: VersionRows;
  readonly deploys: DeployRows;
  readonly env: ServiceEnvRows;
  readonly secrets: ServiceSecretRows;
  /** All of `work` is on disk, or none. */
  readonly transaction: <T>(work: () => T) => T;
}

export function makeServiceState(db: Database): ServiceState {
  return {
    services: makeServiceRows(db),
    versions: makeVersionRows(db),
    deploys: makeDeployRows(db),
    env: makeServiceEnvRows(db),
    secrets: makeServiceSecretRows(db),
    transaction: (work) => inTransaction(db, work),
  };
}
