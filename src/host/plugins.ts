/**
 * The plugin host's front desk: every operation on plugins, and the PluginRunner that the dispatcher and the gates use. Made in
 * daemon/compose-host.ts; `sweep` comes before anything else, `close` stops all rooms.
 */
import { fail } from "../base/errors.ts";
import type { Capability, HookName, VoxeltronEvent } from "../sdk/index.ts";
import type { Caller } from "./capabilities/method.ts";
import type { GrantRequest } from "./grant-rules.ts";
import type { Consent } from "./install.ts";
import { callerFrom, hookOf, type InstalledPlugin } from "./installed-plugin.ts";
import { makeIntegrity } from "./integrity.ts";
import { makePluginChanges, type ChangesDeps } from "./plugin-changes.ts";
import type { PluginLogs, TailOptions } from "./plugin-logs.ts";
import { makeRoster, type RosterDeps } from "./plugin-roster.ts";
import type { PluginRunner } from "./plugin-runner.ts";
import { makeReadSource, type PluginSource, type SourceDeps } from "./plugin-source.ts";
import { makePluginStatus, type StatusDeps } from "./plugin-status.ts";
import { candidateView } from "./plugin-views.ts";
import type { CandidateView, LogView, PluginDetails, PluginView } from "./plugin-views.ts";

export function makePlugins(deps: PluginsDeps): Plugins {
  const { rows, store } = deps;
  const integrity = makeIntegrity(store);
  const roster = makeRoster({ ...deps, integrity });
  const read = makeReadSource({ ...deps, roster });
  const status = makePluginStatus({ ...deps, integrity });
  const changes = makePluginChanges({ ...deps, roster, integrity });
  const closing = new AbortController();

  const summary = (name: string): Promise<PluginView> => status.summary(roster.get(name));
  const details = (name: string): Promise<PluginDetails> => status.details(roster.get(name));

  return {
    async sweep() {
      await store.sweep(new Map(rows.list().map((row) => [row.name, row])));
    },
    async inspect(source) {
      const { manifest, digest } = await read(source);
      return candidateView(manifest, digest, roster.find(manifest.name)?.row.version ?? null);
    },
    async install({ source, ...consent }) {
      const candidate = await read(source);
      await changes.install(candidate, source, consent, closing.signal);
      return summary(candidate.manifest.name);
    },
    async list() {
      const views: PluginView[] = [];
      for (const plugin of roster.all()) views.push(await status.summary(plugin));
      return views;
    },
    info: async (name) => details(name),
    remove: (name) => changes.remove(name),
    enable: (name) => changes.setEnabled(name, true).then(() => summary(name)),
    disable: (name) => changes.setEnabled(name, false).then(() => summary(name)),
    grant: (name, request, by) => changes.grant(name, request, by).then(() => details(name)),
    revoke: (name, capability) => changes.revoke(name, capability).then(() => details(name)),
    async *logs(name, options) {
      roster.get(name);
      yield* deps.logs.tail(name, options);
    },
    call: async (name, hook, request = {}) => callByHand(roster.toRun(name), hook, request, deps),
    callerOf(name) {
      const plugin = roster.find(name);
      return plugin === undefined ? undefined : callerFrom(plugin, deps.ceiling());
    },
    subscribers: (hook) =>
      roster.all().flatMap(({ row, manifest }) => {
        const request = row.enabled ? manifest?.hooks.find((each) => each.hook === hook) : undefined;
        return request === undefined ? [] : [{ plugin: row.name, gate: request.gate }];
      }),
    async run(name, hook, event, signal) {
      const plugin = roster.toRun(name);
      hookOf(plugin, hook);
      return plugin.supervisor.call(hook, event, { signal });
    },
    async close() {
      closing.abort(fail("daemon.stopping", "the daemon is stopping"));
      await roster.close();
    },
  };
}

export interface PluginsDeps
  extends
    Omit<ChangesDeps, "roster" | "integrity">,
    Omit<RosterDeps, "integrity">,
    Omit<StatusDeps, "integrity">,
    Pick<SourceDeps, "embedded"> {
  readonly logs: PluginLogs;
  /** The event of a `plugin call`: what was written for it, or a made-up one. Throws `event.invalid`. */
  readonly calledEvent: (hook: HookName, given: CallRequest["event"]) => VoxeltronEvent;
}

/** All but `run` and `subscribers` are the API's operations; their errors are `plugin.*`, `grant.*` and `manifest.*`. */
export interface Plugins extends PluginRunner {
  /** Removes what a crash left over. */
  sweep(): Promise<void>;
  /** Reads a plugin and changes nothing. */
  inspect(source: PluginSource): Promise<CandidateView>;
  install(request: InstallRequest): Promise<PluginView>;
  list(): Promise<PluginView[]>;
  info(name: string): Promise<PluginDetails>;
  /** With its files, grants, store and logs. */
  remove(name: string): Promise<void>;
  /** Throws `plugin.tampered`. */
  enable(name: string): Promise<PluginView>;
  /** A running call may end. */
  disable(name: string): Promise<PluginView>;
  grant(name: string, request: GrantRequest, by: string): Promise<PluginDetails>;
  revoke(name: string, capability: Capability): Promise<PluginDetails>;
  logs(name: string, options: TailOptions): AsyncGenerator<LogView>;
  call(name: string, hook: HookName, request?: CallRequest): Promise<CallAnswer>;
  /** For the broker: who the guest of this plugin is and what it may do, now; undefined where it is installed no more. */
  callerOf(name: string): Caller | undefined;
  close(): Promise<void>;
}

export interface InstallRequest extends Consent {
  readonly source: PluginSource;
}

export interface CallAnswer {
  /** What the handler returned; null for nothing. */
  readonly result: unknown;
  readonly durationMs: number;
  /** What it logged meanwhile. */
  readonly logs: LogView[];
}

export interface CallRequest {
  /** In place of a sample; `id`, `hook` and `at` are added where they are missing. */
  readonly event?: Readonly<Record<string, unknown>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

// --- internal ---

/** What waited in line before it is not part of the answer: neither its time nor its log. */
async function callByHand(
  plugin: InstalledPlugin,
  hook: HookName,
  request: CallRequest,
  { calledEvent, logs, clock }: PluginsDeps,
): Promise<CallAnswer> {
  const { name } = plugin.row;
  hookOf(plugin, hook);
  const event = calledEvent(hook, request.event);
  let mark = 0;
  let startedAt = 0;
  const onStart = (): void => {
    mark = logs.mark(name);
    startedAt = clock.monotonic();
  };
  const result = await plugin.supervisor.call(hook, event, { signal: request.signal, onStart });
  const durationMs = Math.round(clock.monotonic() - startedAt);
  return { result: result ?? null, durationMs, logs: logs.since(name, mark) };
}
