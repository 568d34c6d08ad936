/** Everything a test of deploys and services needs, over a real database and fakes for what is outside. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../src/base/clock.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { newId } from "../../../src/base/ids.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import { makeAppFolders } from "../../../src/engine/app-folders.ts";
import { makeBusy } from "../../../src/engine/busy.ts";
import type { DeployInput } from "../../../src/engine/deploys/deploy-input.ts";
import type { DeployEnd, DeployProgress } from "../../../src/engine/deploys/deploy.ts";
import { makeDeploys, type Deploys } from "../../../src/engine/deploys/deploys.ts";
import type { Probes } from "../../../src/engine/deploys/probes.ts";
import { makeEdges } from "../../../src/engine/edge/edges.ts";
import { makeRoutes } from "../../../src/engine/proxy/routes.ts";
import type { Events } from "../../../src/engine/events/events.ts";
import { makeLogs } from "../../../src/engine/logs/logs.ts";
import { makePorts } from "../../../src/engine/ports.ts";
import { makeProviders } from "../../../src/engine/providers/providers.ts";
import type { ServiceDeps, Upload } from "../../../src/engine/service-deps.ts";
import { makeServices, type Services } from "../../../src/engine/services/services.ts";
import { openDatabase, type Database } from "../../../src/state/database.ts";
import { makeServiceState } from "../../../src/state/service-state.ts";
import { fakeProvider, type Cluster, type FakeProvider } from "./fake-provider.ts";

export interface World {
  readonly deps: ServiceDeps;
  readonly deploys: Deploys;
  readonly services: Services;
  readonly provider: FakeProvider;
  readonly db: Database;
  readonly progress: DeployProgress[];
  /** Hooks and data of all events, in order. */
  events(hook?: string): { readonly hook: string; readonly data: Record<string, unknown> }[];
  deploy(input: Partial<DeployInput>, signal?: AbortSignal): Promise<DeployEnd>;
  /** The same database and cluster under a new daemon; what the old one was doing is never heard of again. */
  reborn(): World;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly db?: Database;
  readonly cluster?: Cluster;
  readonly clock?: Clock;
  readonly probes?: Partial<Probes>;
  readonly gate?: () => Promise<void>;
  readonly emitting?: (hook: string) => void;
  readonly uploads?: ReadonlyMap<string, Upload>;
  readonly folders?: string;
  readonly providers?: readonly FakeProvider[];
  readonly deps?: Partial<ServiceDeps>;
}

export function makeWorld(options: WorldOptions = {}): World {
  const db = options.db ?? openDatabase(":memory:");
  const clock = options.clock ?? systemClock;
  const provider = fakeProvider("fake", options.cluster);
  const state = makeServiceState(db);
  const all = [provider, ...(options.providers ?? [])];
  const providers = makeProviders(() => all);
  const redaction: ServiceDeps["redaction"] = options.deps?.redaction ?? {
    all: (text) => text,
    of: () => (text) => text,
  };
  const logsFolder = mkdtempSync(join(tmpdir(), "voxeltron-world-"));
  const deps: ServiceDeps = {
    state,
    events: fakeEvents(db, options),
    providers,
    defaultProvider: "fake",
    owner: "owner",
    edges: makeEdges(clock),
    routes: makeRoutes(state),
    proxied: { drain: async () => {} },
    ports: makePorts(),
    hostOf: (server) => server,
    busy: makeBusy(),
    folders: makeAppFolders(options.folders ?? "/nowhere/voxeltron-test"),
    workspaces: { hasInstance: () => false, ports: () => [] },
    logs: makeLogs({
      root: logsFolder,
      providers: options.deps?.providers ?? providers,
      isService: (name) => state.services.find(name) !== undefined,
      maxBytes: () => LIMITS.serviceLogBytes,
      redact: (service, text) => redaction.of(service)(text),
      clock: systemClock,
      log: silentLog,
    }),
    probes: { tcp: async () => undefined, http: async () => undefined, ...options.probes },
    registryAuth: () => undefined,
    registryLogins: () => [],
    redaction,
    takeUpload: async (id) => {
      const upload = options.uploads?.get(id);
      if (upload === undefined) throw new Error("no such upload");
      return upload;
    },
    usageOf: () => undefined,
    clock,
    log: silentLog,
    ...options.deps,
  };
  const deploys = makeDeploys(deps);
  const progress: DeployProgress[] = [];
  return {
    deps,
    deploys,
    services: makeServices(deps),
    provider,
    db,
    progress,
    events: (hook) =>
      db
        .query<{ hook: string; data: string }, []>("SELECT hook, data FROM events ORDER BY seq")
        .all()
        .filter((event) => hook === undefined || event.hook === hook)
        .map((event) => ({ hook: event.hook, data: JSON.parse(event.data) as Record<string, unknown> })),
    deploy: (input, signal = new AbortController().signal) =>
      deploys.run({ service: "web", ...input }, { progress: (line) => void progress.push(line), signal }),
    reborn() {
      deps.edges.closeAll();
      const { gate: _, emitting: __, probes: ___, ...kept } = options;
      return makeWorld({ ...kept, db, cluster: provider.cluster });
    },
    async close() {
      await deploys.close();
      await deps.logs.close();
      rmSync(logsFolder, { recursive: true, force: true });
      deps.edges.closeAll();
    },
  };
}

// --- internal ---

function fakeEvents(db: Database, options: WorldOptions): Events {
  const events: Events = {
    emit(hook, data) {
      options.emitting?.(hook);
      const event = { id: newId(), hook, at: new Date().toISOString(), ...data };
      db.query("INSERT INTO events (id, hook, at, data) VALUES (?, ?, ?, ?)").run(
        event.id,
        hook,
        event.at,
        JSON.stringify(data),
      );
      return event as never;
    },
    async announce(hook, data) {
      const event = events.emit(hook, data);
      await options.gate?.();
      return event;
    },
    subscribe: () => () => {},
  };
  return events;
}
