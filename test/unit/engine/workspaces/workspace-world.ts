/** Everything a test of workspaces needs, over a real database and fakes for what is outside. */
import type { Clock } from "../../../../src/base/clock.ts";
import { systemClock } from "../../../../src/base/clock.ts";
import { newId } from "../../../../src/base/ids.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeEvents } from "../../../../src/engine/events/outbox.ts";
import type { WorkspaceDeps } from "../../../../src/engine/workspaces/workspace-deps.ts";
import type { WorkspaceInput } from "../../../../src/engine/workspaces/workspace-input.ts";
import { makeWorkspaces, type Workspaces } from "../../../../src/engine/workspaces/workspaces.ts";
import { makeProviders } from "../../../../src/engine/providers/providers.ts";
import type { VoxeltronEvent } from "../../../../src/sdk/index.ts";
import { openDatabase, type Database } from "../../../../src/state/database.ts";
import { makeEventRows } from "../../../../src/state/events.ts";
import { makeWorkspaceRows, type WorkspaceRow } from "../../../../src/state/workspaces.ts";
import { fakeProvider, type Cluster, type FakeProvider } from "../fake-provider.ts";

export interface World {
  readonly deps: WorkspaceDeps;
  readonly workspaces: Workspaces;
  readonly provider: FakeProvider;
  readonly db: Database;
  readonly progress: string[];
  /** "pre_create shop", in order. */
  events(): string[];
  event(hook: string): Record<string, unknown> | undefined;
  row(name?: string): WorkspaceRow | undefined;
  create(input?: Partial<WorkspaceInput>): ReturnType<Workspaces["create"]>;
  start(name?: string): ReturnType<Workspaces["start"]>;
  /** What its provider has. */
  state(name?: string): string;
  /** The same database and cluster under a new daemon; what the old one was doing is never heard of again. */
  reborn(changes?: WorldOptions): World;
}

export interface WorldOptions {
  readonly db?: Database;
  readonly cluster?: Cluster;
  readonly clock?: Clock;
  readonly plain?: boolean;
  readonly gate?: (event: VoxeltronEvent, signal: AbortSignal) => Promise<void>;
  readonly deps?: Partial<WorkspaceDeps>;
}

export function makeWorld(options: WorldOptions = {}): World {
  const db = options.db ?? openDatabase(":memory:");
  const clock = options.clock ?? quickClock;
  const provider: FakeProvider = Object.assign(
    fakeProvider("fake", options.cluster),
    options.plain === true ? { plainNames: true as const } : {},
  );
  const rows = makeWorkspaceRows(db);
  const deps: WorkspaceDeps = {
    rows,
    events: makeEvents({
      events: makeEventRows(db),
      gates: options.gate ?? (async () => {}),
      clock: systemClock,
      newId,
      log: silentLog,
    }),
    providers: makeProviders(() => [provider]),
    defaultProvider: "fake",
    owner: "owner",
    hostOf: (server) => server,
    registryAuth: () => undefined,
    redaction: { all: (text) => text.replaceAll("hunter2", "***") },
    isPortFree: () => true,
    serviceAt: () => undefined,
    clock,
    log: silentLog,
    ...options.deps,
  };
  const workspaces = makeWorkspaces(deps);
  const progress: string[] = [];
  const report = ({ text }: { readonly text: string }): void => void progress.push(text);
  const stored = () =>
    db
      .query<{ hook: string; data: string }, []>("SELECT hook, data FROM events ORDER BY seq")
      .all()
      .map(({ hook, data }) => ({ hook, data: JSON.parse(data) as Record<string, unknown> }));
  return {
    deps,
    workspaces,
    provider,
    db,
    progress,
    events: () => stored().map(({ hook, data }) => `${hook} ${String(data["workspace"])}`),
    event: (hook) => stored().find((event) => event.hook === hook)?.data,
    row: (name = "shop") => rows.find(name),
    create: (input) => workspaces.create({ name: "shop", image: "node:22", ...input }, report),
    start: (name = "shop") => workspaces.start(name, report),
    state: (name = "shop") =>
      provider.cluster.get(rows.find(name)?.instance ?? "")?.status.state ?? "missing",
    reborn(changes = {}) {
      const { gate: _, ...kept } = options;
      return makeWorld({ ...kept, db, cluster: provider.cluster, ...changes });
    },
  };
}

// --- internal ---

/** Nothing here is about how long a moment is. */
const quickClock: Clock = { ...systemClock, sleep: (_ms, signal) => systemClock.sleep(0, signal) };
