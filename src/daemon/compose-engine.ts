/**
 * Who is given what in the engine: events, deploys, services, registries and the providers that run instances. It knows no
 * plugins; of the host it is given who may refuse, and the uploads. Called by compose.ts.
 */
import { join } from "node:path";
import { newId } from "../base/ids.ts";
import { makeAppFolders } from "../engine/app-folders.ts";
import { makeBusy } from "../engine/busy.ts";
import { makeDeploys, type Deploys } from "../engine/deploys/deploys.ts";
import { makeProbes } from "../engine/deploys/probes.ts";
import { makeEdges, type Edges } from "../engine/edge/edges.ts";
import type { Events, Gates } from "../engine/events/events.ts";
import { makeEvents } from "../engine/events/outbox.ts";
import { makeLogs, type ServiceLogs } from "../engine/logs/logs.ts";
import { makePorts } from "../engine/ports.ts";
import { makeDockerProvider, type DockerProvider } from "../engine/providers/docker/provider.ts";
import { makeProcessProvider, type ProcessProvider } from "../engine/providers/process/provider.ts";
import type { Provider } from "../engine/providers/provider.ts";
import { makeRegistries, type Registries } from "../engine/registries.ts";
import { openSecretBox } from "../engine/secret-box.ts";
import type { ServiceDeps } from "../engine/service-deps.ts";
import { makeServiceEnvironment, type ServiceEnvironment } from "../engine/services/service-environment.ts";
import { makeServices, type Services } from "../engine/services/services.ts";
import type { Database } from "../state/database.ts";
import type { EventRows } from "../state/events.ts";
import { installationId } from "../state/installation.ts";
import { makeRegistryRows } from "../state/registries.ts";
import { makeServiceState } from "../state/service-state.ts";
import type { World } from "./world.ts";

export interface EngineNeeds {
  readonly eventRows: EventRows;
  readonly gates: Gates;
  readonly takeUpload: ServiceDeps["takeUpload"];
}

export interface Engine {
  readonly deploys: Deploys;
  readonly services: Services;
  readonly environment: ServiceEnvironment;
  readonly registries: Registries;
  readonly events: Events;
  readonly edges: Edges;
  readonly logs: ServiceLogs;
  readonly processes: ProcessProvider;
  readonly containers: DockerProvider;
}

export function composeEngine({ config, clock, log }: World, db: Database, needs: EngineNeeds): Engine {
  const { data_dir: dataDir, docker, providers: chosen } = config();
  const state = makeServiceState(db);
  const events = makeEvents({ events: needs.eventRows, gates: needs.gates, clock, newId, log });
  const registries = makeRegistries(makeRegistryRows(db), openSecretBox(join(dataDir, "secret.key")), clock);
  const processes = makeProcessProvider({ root: join(dataDir, "instances"), clock, log });
  const containers = makeDockerProvider({ endpoint: docker.socket, clock });
  const providers = new Map<string, Provider>([containers, processes].map((each) => [each.name, each]));
  const logs = makeLogs({
    root: join(dataDir, "logs"),
    providers,
    isService: (name) => state.services.find(name) !== undefined,
    maxBytes: () => config().logs.max_bytes,
    redact: (_service, text) => text,
    clock,
    log,
  });
  const edges = makeEdges(clock);
  const deps: ServiceDeps = {
    state,
    events,
    providers,
    defaultProvider: chosen.default,
    owner: installationId(db, newId),
    edges,
    ports: makePorts(),
    busy: makeBusy(),
    folders: makeAppFolders(join(dataDir, "apps")),
    logs,
    probes: makeProbes(clock),
    registryAuth: (image) => registries.authFor(image),
    takeUpload: needs.takeUpload,
    clock,
    log,
  };
  return {
    deploys: makeDeploys(deps),
    services: makeServices(deps),
    environment: makeServiceEnvironment(state),
    registries,
    events,
    edges,
    logs,
    processes,
    containers,
  };
}
