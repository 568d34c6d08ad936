/**
 * Who is given what in the engine: events, deploys, services and the providers that run instances. It knows no
 * plugins; of the host it is given who may refuse, and the uploads. Called by compose.ts.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { newId } from "../base/ids.ts";
import { makeAppFolders } from "../engine/app-folders.ts";
import { makeBusy } from "../engine/busy.ts";
import { makeDeploys, type Deploys } from "../engine/deploys/deploys.ts";
import { makeProbes } from "../engine/deploys/probes.ts";
import { makeEdges, type Edges } from "../engine/edge/edges.ts";
import type { Events, Gates } from "../engine/events/events.ts";
import { makeEvents } from "../engine/events/outbox.ts";
import { findLive, serviceAt } from "../engine/live.ts";
import { makeLogs, type ServiceLogs } from "../engine/logs/logs.ts";
import { makeMetrics, type Metrics } from "../engine/metrics/metrics.ts";
import { isFreeOnLoopback, makePorts } from "../engine/ports.ts";
import type { ServiceControl } from "../engine/providers/docker/containers/containers.ts";
import { makeDockerProvider, type DockerProvider } from "../engine/providers/docker/provider.ts";
import { makeProcessProvider, type ProcessProvider } from "../engine/providers/process/provider.ts";
import type { PluggedProvider } from "../engine/providers/plugged/plugged-provider.ts";
import {
  makePluggedProviders,
  type PluggedProviders,
} from "../engine/providers/plugged/plugged-providers.ts";
import type { Provider, SecretsOf } from "../engine/providers/provider.ts";
import { LOCAL, makeProviders } from "../engine/providers/providers.ts";
import type { Redaction } from "../engine/secrets/redaction.ts";
import { makeServers, type Servers } from "../engine/servers.ts";
import type { ServiceDeps } from "../engine/service-deps.ts";
import { makeServiceEnvironment, type ServiceEnvironment } from "../engine/services/service-environment.ts";
import { makeServices, type Services } from "../engine/services/services.ts";
import { workspaceFacts } from "../engine/workspaces/facts.ts";
import { makeWorkspaces, type Workspaces } from "../engine/workspaces/workspaces.ts";
import type { EventRows } from "../state/events.ts";
import { readHostUsage } from "../platform/host-usage.ts";
import { systemResolver } from "../platform/http/resolve.ts";
import { endProcessGroup, identifyProcess } from "../platform/process-identity.ts";
import type { ProviderInstanceRows } from "../state/provider-instances.ts";
import type { MetricRows } from "../state/metrics.ts";
import type { ServiceState } from "../state/service-state.ts";
import { serverOf } from "./config-servers.ts";
import type { WorkspaceRows } from "../state/workspaces.ts";
import type { World } from "./world.ts";

export interface EngineNeeds {
  readonly metricRows: MetricRows;
  /** The installation's id. */
  readonly owner: string;
  readonly state: ServiceState;
  readonly workspaceRows: WorkspaceRows;
  readonly eventRows: EventRows;
  readonly secretsOf: SecretsOf;
  readonly registryAuth: ServiceDeps["registryAuth"];
  readonly registryLogins: ServiceDeps["registryLogins"];
  readonly redaction: Redaction;
  readonly gates: Gates;
  readonly takeUpload: ServiceDeps["takeUpload"];
  readonly routes: ServiceDeps["routes"];
  readonly proxied: ServiceDeps["proxied"];
  readonly providerInstances: ProviderInstanceRows;
  /** Plugins that run instances; they come and go. */
  readonly pluggedProviders: () => readonly PluggedProvider[];
}

export interface Engine {
  readonly deploys: Deploys;
  readonly services: Services;
  readonly environment: ServiceEnvironment;
  readonly workspaces: Workspaces;
  readonly events: Events;
  readonly edges: Edges;
  readonly logs: ServiceLogs;
  readonly metrics: Metrics;
  readonly processes: ProcessProvider;
  readonly containers: DockerProvider;
  readonly servers: Servers;
  readonly plugged: PluggedProviders;
  /** Services, for the containers that plugins name. */
  readonly control: ServiceControl;
}

export function composeEngine({ config, clock, log }: World, needs: EngineNeeds): Engine {
  const { data_dir: dataDir, docker, providers: chosen } = config();
  const { state, secretsOf } = needs;
  const events = makeEvents({ events: needs.eventRows, gates: needs.gates, clock, newId, log });
  const processes = makeProcessProvider({ root: join(dataDir, "instances"), secretsOf, clock, log });
  const containers = makeDockerProvider({ endpoint: docker.socket, secretsOf, clock });
  const servers = makeServers({
    settings: () => config().servers,
    settingsOf: (server) => serverOf(config().servers, server),
    local: { endpoint: docker.socket, provider: containers },
    secretsOf,
    resolve: systemResolver,
    clock,
  });
  const here: readonly Provider[] = [containers, processes];
  const plugged = makePluggedProviders({
    rows: needs.providerInstances,
    installed: needs.pluggedProviders,
    identify: identifyProcess,
    endGroup: endProcessGroup,
    secretsOf,
    clock,
    log,
  });
  const providers = makeProviders(() => [...here, ...plugged.all(), ...servers.providers()]);
  const logs = makeLogs({
    root: join(dataDir, "logs"),
    providers,
    isService: (name) => state.services.find(name) !== undefined,
    maxBytes: () => config().logs.max_bytes,
    redact: (service, text) => needs.redaction.of(service)(text),
    clock,
    log,
  });
  const metrics = makeMetrics({
    state,
    rows: needs.metricRows,
    providers,
    readHost: () => readHostUsage(dataDir),
    cpus: cpus().length,
    settings: () => config().metrics,
    clock,
    log,
  });
  const edges = makeEdges(clock);
  const deps: ServiceDeps = {
    state,
    events,
    providers,
    defaultProvider: chosen.default,
    owner: needs.owner,
    edges,
    routes: needs.routes,
    proxied: needs.proxied,
    ports: makePorts({ rangeOf: (server) => servers.portsOf(server) }),
    hostOf: (server) => servers.hostOf(server),
    busy: makeBusy(),
    folders: makeAppFolders(join(dataDir, "apps")),
    workspaces: workspaceFacts(needs.workspaceRows),
    logs,
    probes: makeProbes(clock),
    registryAuth: needs.registryAuth,
    registryLogins: needs.registryLogins,
    redaction: needs.redaction,
    takeUpload: needs.takeUpload,
    usageOf: (service, instance) => metrics.usageOf(service, instance),
    clock,
    log,
  };
  const services = makeServices(deps);
  return {
    deploys: makeDeploys(deps),
    services,
    environment: makeServiceEnvironment(state),
    workspaces: makeWorkspaces({
      ...deps,
      rows: needs.workspaceRows,
      isPortFree: isFreeOnLoopback,
      serviceAt: (port) => serviceAt(state, LOCAL, port),
    }),
    events,
    edges,
    logs,
    metrics,
    processes,
    containers,
    servers,
    plugged,
    control: {
      liveInstance: (name) => findLive(state, state.services.find(name))?.row.instance,
      start: (name, signal) => services.start(name, signal),
      stop: (name) => services.stop(name),
    },
  };
}
