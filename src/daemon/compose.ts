/**
 * Who is given what: the only file that knows both the engine and the plugin host, and the only one that hands out power.
 * It wires and decides nothing. Called by run.ts; the parts it returns are what the API's operations speak to.
 */
import { join } from "node:path";
import { timestamp, type Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { databaseFile, pluginsDir } from "../base/paths.ts";
import { makeAppFolders } from "../engine/app-folders.ts";
import { makeBusy } from "../engine/busy.ts";
import { makeDeploys, type Deploys } from "../engine/deploys/deploys.ts";
import { makeProbes } from "../engine/deploys/probes.ts";
import { makeEdges } from "../engine/edge/edges.ts";
import { makeEvents } from "../engine/events/outbox.ts";
import type { Events } from "../engine/events/events.ts";
import { parseEvent } from "../engine/events/parse-event.ts";
import { sampleEvent } from "../engine/events/samples.ts";
import { makeNotify } from "../engine/notify/notify.ts";
import { makePorts } from "../engine/ports.ts";
import { makeDockerProvider } from "../engine/providers/docker/provider.ts";
import { makeProcessProvider } from "../engine/providers/process/provider.ts";
import { makeRegistries, type Registries } from "../engine/registries.ts";
import { openSecretBox } from "../engine/secret-box.ts";
import { makeEnvironment, type Environment } from "../engine/services/environment.ts";
import { makeServices, type Services as ServiceDesk } from "../engine/services/services.ts";
import { bundlePlugin } from "../host/bundle/bundle-plugin.ts";
import { makeBroker, type Broker } from "../host/capabilities/broker.ts";
import { makeCatalogue } from "../host/capabilities/catalogue.ts";
import { makeDispatcher, type Dispatcher } from "../host/dispatcher.ts";
import { makeEventFeed, type EventFeed } from "../host/deliveries/feed.ts";
import { makeGates } from "../host/gates.ts";
import { makePackageStore } from "../host/package/package-store.ts";
import { makePluginLogs } from "../host/plugin-logs.ts";
import { makePlugins, type Plugins } from "../host/plugins.ts";
import { loadGuestModule } from "../host/runtimes/js-worker/guest-module.ts";
import { openJsWorkerRoom } from "../host/runtimes/js-worker/room.ts";
import { makeAddressPolicy } from "../platform/http/address-policy.ts";
import { makeHttpClient } from "../platform/http/http-client.ts";
import { systemResolver } from "../platform/http/resolve.ts";
import { makeAuditRecords } from "../state/audit.ts";
import { inTransaction, openDatabase, type Database } from "../state/database.ts";
import { makeDeliveryRows } from "../state/deliveries.ts";
import { makeEventRows } from "../state/events.ts";
import { makeGrantRecords } from "../state/grants.ts";
import { installationId } from "../state/installation.ts";
import { makePluginKv } from "../state/plugin-kv.ts";
import { makePluginLogRecords } from "../state/plugin-logs.ts";
import { makePluginRecords } from "../state/plugins.ts";
import { makeRegistryRows } from "../state/registries.ts";
import { makeServiceState } from "../state/service-state.ts";
import { startJsWorker } from "../workers.ts";
import type { Config } from "./config.ts";
import { embeddedPlugins } from "./embedded-plugins.ts";
import { makeUploads, type Uploads } from "./uploads.ts";

export interface World {
  /** Asked each time, so that a reload counts. */
  readonly config: () => Config;
  readonly log: Log;
  readonly clock: Clock;
}

export interface Services {
  readonly plugins: Plugins;
  readonly deploys: Deploys;
  readonly services: ServiceDesk;
  readonly environment: Environment;
  readonly registries: Registries;
  readonly events: Events;
  readonly feed: EventFeed;
  readonly dispatcher: Dispatcher;
  readonly uploads: Uploads;
  /** Repairs what a crash left, then begins to deliver. */
  start(): Promise<void>;
  /** Begins nothing more and ends what is under way, so that whoever waits for it gets an answer. */
  drain(): Promise<void>;
  /** Lets go of everything; instances go on. After `drain`. */
  close(): void;
}

export function compose(world: World): Services {
  const dataDir = world.config().data_dir;
  const db = openDatabase(databaseFile(dataDir));
  const uploads = makeUploads(dataDir, world.clock);
  const deliveries = composeDeliveries(db);
  const host = composeHost(world, db, deliveries);
  const engine = composeEngine(world, db, host, uploads);

  return {
    ...engine.desks,
    plugins: host.plugins,
    feed: deliveries.feed,
    dispatcher: host.dispatcher,
    uploads,
    async start() {
      await host.plugins.sweep();
      await engine.processes.supervise();
      engine.desks.deploys.recover();
      engine.desks.events.subscribe(() => host.dispatcher.wake());
      host.dispatcher.start();
    },
    async drain() {
      await engine.desks.deploys.close();
      await host.dispatcher.stop(LIMITS.shutdownMs);
      await host.plugins.close();
    },
    close() {
      engine.edges.closeAll();
      engine.processes.close();
      uploads.close();
      db.close();
    },
  };
}

// --- internal ---

type Deliveries = ReturnType<typeof composeDeliveries>;

function composeDeliveries(db: Database) {
  const events = makeEventRows(db);
  const deliveries = makeDeliveryRows(db);
  return { events, deliveries, feed: makeEventFeed({ events, deliveries }) };
}

interface Host {
  readonly plugins: Plugins;
  readonly dispatcher: Dispatcher;
  readonly gates: ReturnType<typeof makeGates>;
}

/** The plugin host. What it needs of the engine is channels and sample events. */
function composeHost(
  { config, clock, log }: World,
  db: Database,
  { events, deliveries, feed }: Deliveries,
): Host {
  const kv = makePluginKv(db);
  const logs = makePluginLogs(makePluginLogRecords(db, LIMITS.logRowsPerPlugin));
  const http = makeHttpClient({ resolve: systemResolver, clock });
  const notify = makeNotify({ channels: () => config().notify, http, clock, log });
  const broker: Broker = makeBroker({
    methods: makeCatalogue({
      keyValues: kv,
      net: {
        http,
        addressPolicy: () => makeAddressPolicy(config().network.allow_private),
        ownEndpoints: () => notify.endpoints(),
      },
      channels: notify,
    }),
    callerOf: (plugin) => plugins.callerOf(plugin),
    audit: makeAuditRecords(db, LIMITS.auditRows),
    pluginLogs: logs,
    clock,
    log,
  });
  const plugins: Plugins = makePlugins({
    records: makePluginRecords(db),
    grants: makeGrantRecords(db),
    store: makePackageStore(pluginsDir(config().data_dir)),
    transaction: (work) => inTransaction(db, work),
    bundle: bundlePlugin,
    openRoom: openJsWorkerRoom({ startWorker: startJsWorker, guestModule: loadGuestModule, clock }),
    doorFor: (plugin) => broker.doorFor(plugin),
    embedded: embeddedPlugins(),
    calledEvent(hook, given) {
      const stamp = { id: newId(), at: timestamp(clock.now()) };
      return given === undefined ? sampleEvent(hook, stamp) : parseEvent(hook, given, stamp);
    },
    pendingFor: (plugin) => dispatcher.pendingFor(plugin),
    changed: (plugin) => dispatcher.pluginChanged(plugin),
    ceiling: () => config().plugins.ceiling,
    configFor: (plugin) => config().plugins.config[plugin] ?? {},
    idleMs: () => config().plugins.idle_timeout,
    kv,
    logs,
    clock,
    log,
  });
  const transaction = <T>(work: () => T): T => inTransaction(db, work);
  const dispatcher: Dispatcher = makeDispatcher({
    runner: plugins,
    events,
    deliveries,
    transaction,
    feed,
    clock,
    log,
  });
  return { plugins, dispatcher, gates: makeGates({ runner: plugins, deliveries, feed, clock, log }) };
}

/** The engine. What it needs of the host is who may refuse. */
function composeEngine({ config, clock, log }: World, db: Database, { gates }: Host, uploads: Uploads) {
  const {
    data_dir: dataDir,
    docker,
    providers: { default: defaultProvider },
  } = config();
  const state = makeServiceState(db);
  const events = makeEvents({ events: makeEventRows(db), gates, clock, newId, log });
  const registries = makeRegistries(makeRegistryRows(db), openSecretBox(join(dataDir, "secret.key")), clock);
  const processes = makeProcessProvider({ root: join(dataDir, "instances"), clock, log });
  const providers = [makeDockerProvider({ endpoint: docker.socket, clock }), processes];
  const edges = makeEdges(clock);
  const deps = {
    state,
    events,
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    defaultProvider,
    owner: installationId(db, newId),
    edges,
    ports: makePorts(),
    busy: makeBusy(),
    folders: makeAppFolders(join(dataDir, "apps")),
    probes: makeProbes(clock),
    registryAuth: (image: string) => registries.authFor(image),
    takeUpload: async (id: string) => uploads.takeApp(id),
    clock,
    log,
  };
  const desks = {
    deploys: makeDeploys(deps),
    services: makeServices(deps),
    environment: makeEnvironment(state),
    registries,
    events,
  };
  return { desks, edges, processes };
}
