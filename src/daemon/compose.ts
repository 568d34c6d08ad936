/**
 * Where the engine and the plugin host meet, on one screen: what the one needs of the other, and in which order they start and
 * end. It wires and decides nothing. Called by run.ts; the parts it returns are what the API's operations speak to.
 */
import { hostname } from "node:os";
import { timestamp } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Redact } from "../base/redact.ts";
import { databaseFile } from "../base/paths.ts";
import type { Alerts } from "../engine/alerts/alerts.ts";
import { makeChannelHealth } from "../engine/alerts/channel-health.ts";
import { parseEvent } from "../engine/events/parse-event.ts";
import { sampleEvent } from "../engine/events/samples.ts";
import { makeNotify, type Notify } from "../engine/notify/notify.ts";
import { makeContainers } from "../engine/providers/docker/containers/containers.ts";
import { makeHttpClient } from "../platform/http/http-client.ts";
import { makeNameResolver } from "../platform/http/name-resolver.ts";
import { makeHttpOpener } from "../platform/http/open-http.ts";
import { systemResolver } from "../platform/http/resolve.ts";
import { makeSmtpClient } from "../platform/smtp/smtp-client.ts";
import { makeDial } from "../platform/tcp/dial.ts";
import { makeServiceState } from "../state/service-state.ts";
import { openDatabase } from "../state/database.ts";
import { makeEventRows } from "../state/events.ts";
import { installationId } from "../state/installation.ts";
import { makeMetricRows } from "../state/metrics.ts";
import { makeProviderInstanceRows } from "../state/provider-instances.ts";
import { makeWorkspaceRows } from "../state/workspaces.ts";
import { composeAlerts } from "./compose-alerts.ts";
import { composeCerts, type Certs } from "./compose-certs.ts";
import { composeEngine, type Engine } from "./compose-engine.ts";
import { composeExporter } from "./compose-exporter.ts";
import { composeHost, type Host } from "./compose-host.ts";
import { composeProxy } from "./compose-proxy.ts";
import { composeSecrets, type Secrets } from "./compose-secrets.ts";
import { examine, type Examination } from "./doctor.ts";
import { keyPlace } from "./key-place.ts";
import { makeUploads, type Uploads } from "./uploads.ts";
import type { World } from "./world.ts";

export interface Parts
  extends
    Pick<Engine, "deploys" | "services" | "environment" | "workspaces" | "events" | "metrics" | "servers">,
    Pick<Secrets, "secrets" | "keyRotation" | "registries">,
    Pick<Certs, "certificates">,
    Pick<Host, "plugins" | "dispatcher" | "feed" | "confinement" | "configured"> {
  readonly uploads: Uploads;
  readonly notify: Pick<Notify, "list" | "send">;
  readonly alerts: Pick<Alerts, "list" | "silence" | "test">;
  /** Takes secrets out of a text that leaves the daemon. */
  readonly redact: Redact;
  /** What `voxeltron doctor` finds, as this daemon. */
  readonly examine: () => Promise<Examination>;
  /** Repairs what a crash left, then begins to deliver. */
  start(): Promise<void>;
  /** Begins nothing more and ends what is under way, so that whoever waits for it gets an answer. */
  drain(): Promise<void>;
  /** Lets go of everything; instances go on. After `drain`. */
  close(): void;
}

export function compose(world: World): Parts {
  const { config, clock, log } = world;
  const dataDir = config().data_dir;
  const db = openDatabase(databaseFile(dataDir));
  const eventRows = makeEventRows(db);
  const state = makeServiceState(db);
  const { box, redaction, secretReader, ...secrets } = composeSecrets(world, db, state);
  const uploads = makeUploads(dataDir, clock);
  const proxy = composeProxy(world, {
    state,
    certificates: {
      find: (host) => certificates.find(host),
      changed: (listener) => certificates.changed(listener),
    },
    challenge: (token) => certificates.challenge(token),
  });
  const http = makeHttpClient(makeHttpOpener({ resolve: systemResolver }), clock);
  const resolve = makeNameResolver();
  const owner = installationId(db, newId);
  const pluginContainers = makeContainers({
    endpoint: config().docker.socket,
    clock,
    owner,
    rules: () => config().docker,
    own: [dataDir, config().socket],
    services: {
      liveInstance: (service) => control.liveInstance(service),
      start: (service, signal) => control.start(service, signal),
      stop: (service) => control.stop(service),
    },
  });
  const channelHealth = makeChannelHealth();
  const notify = makeNotify({
    channels: () => config().notify,
    host: hostname(),
    http,
    smtp: makeSmtpClient({ resolve: systemResolver, clock }),
    heard: (channel, problem) => channelHealth.heard(channel, problem),
    clock,
    log,
  });
  const { gates, ...host } = composeHost(world, db, {
    openHttp: makeHttpOpener({ resolve }),
    dial: makeDial({ resolve }),
    containers: pluginContainers,
    channels: notify,
    serviceLogs: {
      isService: (name) => engine.services.has(name),
      read: (name, query) => engine.services.logs(name, query),
    },
    calledEvent(hook, given) {
      const stamp = { id: newId(), at: timestamp(clock.now()) };
      return given === undefined ? sampleEvent(hook, stamp) : parseEvent(hook, given, stamp);
    },
    eventRows,
    redact: (text) => redaction.forOperators(text),
    secretReader,
    instancesOn: (provider) => providerPlugins.instancesOn(provider),
    queryMetrics: (question) => engine.metrics.query(question),
  });
  const {
    edges,
    logs,
    processes,
    containers,
    control,
    plugged: providerPlugins,
    ...engine
  }: Engine = composeEngine(world, {
    owner,
    metricRows: makeMetricRows(db),
    state,
    workspaceRows: makeWorkspaceRows(db),
    eventRows,
    gates,
    secretsOf: (service) => secrets.secrets.values(service),
    registryAuth: (image) => secrets.registries.authFor(image),
    registryLogins: () => secrets.registries.logins(),
    redaction,
    takeUpload: async (id) => uploads.takeApp(id),
    routes: proxy.routes,
    proxied: proxy.pool,
    providerInstances: makeProviderInstanceRows(db),
    pluggedProviders: () => host.plugins.providers(),
  });
  const { metrics, services, events } = engine;
  const { certificates, expiry } = composeCerts(world, db, {
    state,
    box,
    events,
    listener: () => config().proxy.https,
  });
  const alerts = composeAlerts(world, db, {
    state,
    events,
    metrics,
    services,
    plugins: host.plugins,
    notify,
    channelHealth,
    expiry,
  });
  const exporter = composeExporter(world, db, { metrics, plugins: host.plugins, events: eventRows });

  return {
    ...engine,
    ...host,
    ...secrets,
    certificates,
    uploads,
    notify,
    alerts,
    redact: (text) => redaction.forOperators(text),
    examine: () =>
      examine({
        plugins: config().plugins,
        bundle: host.confinement.bundle,
        key: keyPlace(config(), world.credentials),
        servers: { settings: config().servers, nowMs: clock.now(), look: () => engine.servers.look() },
      }),
    async start() {
      certificates.open();
      secrets.keyRotation.finish();
      exporter.open();
      await proxy.open();
      await host.plugins.sweep();
      await processes.supervise();
      providerPlugins.recover();
      engine.deploys.recover();
      engine.events.subscribe(() => host.dispatcher.wake());
      engine.events.subscribe(({ hook }) => {
        if (hook === "on_deploy_success") certificates.look();
      });
      certificates.start();
      host.days.start();
      host.dispatcher.start();
      host.plugins.start();
      engine.workspaces.recover();
      metrics.start();
      alerts.start();
    },
    configured() {
      host.configured();
      engine.servers.configured();
      engine.deploys.repair();
      exporter.follow();
      // What is ordered is asked for where the proxy listens by then.
      void proxy.follow().then(() => certificates.look());
    },
    async drain() {
      await proxy.close();
      await alerts.close();
      await Promise.all([engine.deploys.close(), engine.workspaces.close()]);
      await certificates.close();
      await logs.close();
      await host.dispatcher.stop(LIMITS.shutdownMs);
      await host.plugins.close();
    },
    close() {
      host.days.stop();
      expiry.close();
      exporter.close();
      proxy.stop();
      metrics.close();
      edges.closeAll();
      processes.close();
      containers.close();
      engine.servers.close();
      pluginContainers.close();
      uploads.close();
      db.close();
    },
  };
}
