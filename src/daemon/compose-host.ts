/**
 * Who is given what in the plugin host: installed plugins with their rooms, the one door, deliveries and gates. It knows no
 * engine; of that it is given channels and the shapes of events. Called by compose.ts.
 */
import { LIMITS } from "../base/limits.ts";
import { dropInFolders, formerPackagesDir, packagesDir } from "../base/paths.ts";
import type { Redact } from "../base/redact.ts";
import { makePluginAudit } from "../host/audit/plugin-audit.ts";
import { watchDays, type WatchedDays } from "../host/audit/watch-days.ts";
import { makeBroker, type Broker } from "../host/capabilities/broker.ts";
import { makeCatalogue } from "../host/capabilities/catalogue.ts";
import { execMethods } from "../host/capabilities/exec.ts";
import type { ContainerPower } from "../host/capabilities/docker.ts";
import type { OwnEndpoint } from "../host/capabilities/notification-endpoints.ts";
import type { ServiceLogReader } from "../host/capabilities/logs.ts";
import type { MetricsSource } from "../host/capabilities/metrics.ts";
import type { ChannelSender } from "../host/capabilities/notify.ts";
import { makeNotifyRate } from "../host/capabilities/notify-rate.ts";
import type { SecretReader } from "../host/capabilities/secrets.ts";
import { makeEventFeed, type EventFeed } from "../host/deliveries/feed.ts";
import { makeDispatcher, type Dispatcher } from "../host/deliveries/dispatcher.ts";
import { makeGates, type AskGates } from "../host/deliveries/gates.ts";
import { makeFileStore } from "../host/files/file-store.ts";
import { makeFileWriter } from "../host/files/writer.ts";
import { makePackageStore } from "../host/package/package-store.ts";
import { makePluginLogs } from "../host/installed/plugin-logs.ts";
import { readLinked } from "../host/link/read-linked.ts";
import { makePlugins, type Plugins, type PluginsDeps } from "../host/plugins.ts";
import { executableEnvironment } from "../host/runtimes/exec/environment.ts";
import { makeExchange } from "../host/runtimes/exec/exchange.ts";
import { makeRunProgram, type RunProgram } from "../host/runtimes/exec/run-program.ts";
import { openExecRoom } from "../host/runtimes/exec/room.ts";
import { loadGuestModule } from "../host/runtimes/js-worker/guest-module.ts";
import { openJsWorkerRoom } from "../host/runtimes/js-worker/room.ts";
import { openProcessRoom } from "../host/runtimes/process/room.ts";
import type { OpenRoom, RoomKind } from "../host/runtimes/runtime.ts";
import { watchFolder } from "../platform/folder/watch-folder.ts";
import { makeAddressPolicy } from "../platform/http/address-policy.ts";
import type { OpenHttp } from "../platform/http/open-http.ts";
import type { Dial } from "../platform/tcp/dial.ts";
import { makeAuditRows } from "../state/audit.ts";
import { makeAuditTotalRows } from "../state/audit-totals.ts";
import { inTransaction, transactionOf, type Database } from "../state/database.ts";
import { makeDeliveryRows } from "../state/deliveries.ts";
import type { EventRows } from "../state/events.ts";
import { makeGrantRows } from "../state/grants.ts";
import { makePluginFileRows } from "../state/plugin-files.ts";
import { makePluginKvRows } from "../state/plugin-kv.ts";
import { makePluginLogRows } from "../state/plugin-logs.ts";
import { makePluginRows } from "../state/plugins.ts";
import { makePluginVersionRows } from "../state/plugin-versions.ts";
import { makePluginUidRows } from "../state/plugin-uids.ts";
import { makeWatchedDayRows } from "../state/watched-days.ts";
import { startJsWorker } from "../workers.ts";
import { ceilingsFor } from "./config-ceiling.ts";
import { makeConfinement, type Confinement } from "./confinement.ts";
import { embeddedPlugins } from "./embedded-plugins.ts";
import { redactedAuditRows, redactedDeliveryRows, redactedLogRows } from "./redacted-rows.ts";
import type { World } from "./world.ts";

export interface HostNeeds {
  readonly openHttp: OpenHttp;
  readonly dial: Dial;
  /** The operator's notification channels. */
  readonly channels: ChannelSender & { endpoints(): readonly OwnEndpoint[] };
  readonly containers: ContainerPower;
  readonly serviceLogs: ServiceLogReader;
  readonly queryMetrics: MetricsSource;
  readonly calledEvent: PluginsDeps["calledEvent"];
  readonly eventRows: EventRows;
  /** Takes secrets out of what plugins say: a plugin that may read one may also repeat it. */
  readonly redact: Redact;
  readonly secretReader: SecretReader;
  /** Of a plugin that is a provider: what runs on it, or is to, in words. */
  readonly instancesOn: PluginsDeps["instancesOn"];
}

export interface Host {
  readonly plugins: Plugins;
  readonly dispatcher: Dispatcher;
  readonly feed: EventFeed;
  readonly gates: AskGates;
  readonly days: Pick<WatchedDays, "start" | "stop">;
  readonly confinement: Pick<Confinement, "status" | "bundle">;
  /** The configuration was read again: what it no longer allows ends. */
  configured(): void;
}

export function composeHost(world: World, db: Database, needs: HostNeeds): Host {
  const { config, clock, log } = world;
  const {
    openHttp,
    dial,
    channels,
    containers,
    serviceLogs,
    queryMetrics,
    calledEvent,
    eventRows: events,
    redact,
  } = needs;
  const transaction = <T>(work: () => T): T => inTransaction(db, work);
  const kv = makePluginKvRows(db);
  const uids = makePluginUidRows(db);
  const confinement = makeConfinement(world, uids);
  const logRows = makePluginLogRows(db, { rows: LIMITS.logRowsPerPlugin, bytes: LIMITS.logBytesPerPlugin });
  const logs = makePluginLogs(redactedLogRows(logRows, redact));
  const files = makeFileStore(config().data_dir);
  const fileLimits = () => ({
    maxBytes: config().plugins.files_max_bytes,
    maxCount: config().plugins.files_max_count,
  });
  const audit = makePluginAudit({
    rows: redactedAuditRows(makeAuditRows(db, LIMITS.auditRowsPerPlugin), redact),
    totals: makeAuditTotalRows(db),
    together: (work) => transactionOf(db, work),
    opens: (method) => broker.opens(method),
    pause: () => clock.sleep(0),
  });
  const days = watchDays(makeWatchedDayRows(db, LIMITS.watchedDaysKept), clock, log);
  const broker: Broker = makeBroker({
    methods: [
      ...makeCatalogue({
        keyValues: kv,
        files: {
          store: files,
          writer: makeFileWriter({ store: files, rows: makePluginFileRows(db), limits: fileLimits, clock }),
        },
        net: {
          openHttp,
          dial,
          clock,
          addressPolicy: () => makeAddressPolicy(config().network.allow_private),
          ownEndpoints: () => channels.endpoints(),
        },
        channels,
        containers,
        notifyRate: makeNotifyRate({
          clock,
          perMinute: () => config().plugins.quota.notifications_per_minute,
        }),
        secrets: needs.secretReader,
        serviceLogs,
        queryMetrics,
      }),
      ...execMethods(),
    ],
    callerOf: (plugin) => plugins.callerOf(plugin),
    audit,
    pluginLogs: logs,
    quota: () => config().plugins.quota,
    clock,
    log,
  });
  const runProgram = makeRunProgram({
    exchange: makeExchange(clock),
    environment: executableEnvironment(world.environment ?? {}),
  });
  const plugins: Plugins = makePlugins({
    rows: makePluginRows(db),
    versions: makePluginVersionRows(db),
    uids,
    grants: makeGrantRows(db),
    store: makePackageStore(packagesDir(config().data_dir), formerPackagesDir(config().data_dir)),
    dropInFolders: dropInFolders(config().data_dir, world.home),
    transaction,
    bundle: confinement.bundle,
    openRooms: openRooms(confinement, world, runProgram),
    runProgram,
    actionTimeouts: (plugin) => timeoutsFor(config().plugins.timeouts, plugin),
    instancesOn: needs.instancesOn,
    canConfine: () => confinement.canConfine,
    doorFor: (plugin, callerOf) => broker.doorFor(plugin, callerOf),
    readLinked,
    watch: (folder, onChange) => watchFolder(folder, clock, onChange),
    embedded: embeddedPlugins(),
    calledEvent,
    pendingFor: (plugin) => dispatcher.pendingFor(plugin),
    changed(plugin) {
      broker.rightsChanged(plugin);
      dispatcher.pluginChanged(plugin);
    },
    ceilings: (plugin) => ceilingsFor(config().plugins, plugin),
    configFor: (plugin) => config().plugins.config[plugin] ?? {},
    idleMs: () => config().plugins.idle_timeout,
    kv,
    logs,
    clearContainers: (plugin) => containers.clear(plugin),
    audit,
    watchedAfter: (day) => days.after(day),
    redact,
    clock,
    log,
  });
  const deliveries = redactedDeliveryRows(makeDeliveryRows(db), redact);
  const feed = makeEventFeed({ events, deliveries });
  const caughtUp = (plugin: string): Promise<void> => dispatcher.caughtUp(plugin);
  const gates = makeGates({ runner: plugins, deliveries, feed, caughtUp, clock, log });
  const dispatcher: Dispatcher = makeDispatcher({
    runner: plugins,
    events,
    deliveries,
    transaction,
    feed,
    clock,
    log,
  });
  const configured = (): void => broker.rightsChanged();
  return { plugins, dispatcher, feed, gates, days, confinement, configured };
}

// --- internal ---

/** A plugin may be called like something that every object has. */
function timeoutsFor<T extends object>(
  timeouts: Readonly<Record<string, T>>,
  plugin: string,
): T | Record<string, never> {
  return Object.hasOwn(timeouts, plugin) ? (timeouts[plugin] ?? {}) : {};
}

function openRooms(
  confinement: Confinement,
  { clock }: World,
  runProgram: RunProgram,
): Readonly<Record<RoomKind, OpenRoom>> {
  const { start, uidFor, confined } = confinement;
  const inProcess = openProcessRoom({ start, clock, uidFor, confined });
  return {
    "js-worker": openJsWorkerRoom({ startWorker: startJsWorker, guestModule: loadGuestModule, clock }),
    "js-process": inProcess,
    "wasm-process": inProcess,
    exec: openExecRoom(runProgram),
  };
}
