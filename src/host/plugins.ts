/**
 * The plugin host's front desk: every operation on plugins, and the PluginRunner that the dispatcher and the gates use. The
 * changes of one plugin happen one after the other; grants are read anew at each call of a guest, so a change takes effect at
 * once. Made in daemon/compose.ts; `sweep` comes before anything else, `close` stops all rooms.
 */
import { timestamp } from "../base/clock.ts";
import { fail } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { didYouMean, quote } from "../base/text.ts";
import type { Capability, HookName, VoxeltronEvent } from "../sdk/index.ts";
import type { PluginKv } from "../state/plugin-kv.ts";
import type { Caller } from "./capabilities/method.ts";
import { requestOf, settleGrant, type GrantRequest } from "./grant-rules.ts";
import { installPlugin, type Consent, type InstallDeps } from "./install.ts";
import { callerFrom, hookOf, manifestOf, problemOf, stateOf, warningsOf } from "./installed-plugin.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { makeIntegrity } from "./integrity.ts";
import { makeKeyedLock } from "./keyed-lock.ts";
import type { PackageFiles } from "./package/package-files.ts";
import type { PluginLogs, TailOptions } from "./plugin-logs.ts";
import { makeRoster, type RosterDeps } from "./plugin-roster.ts";
import type { PluginRunner } from "./plugin-runner.ts";
import { candidateView, consentView, pluginView } from "./plugin-views.ts";
import type { CandidateView, LogView, PluginDetails, PluginView } from "./plugin-views.ts";
import { readCandidate, type Candidate } from "./read-manifest.ts";

export function makePlugins(deps: PluginsDeps): Plugins {
  const { records, store, log, clock } = deps;
  const integrity = makeIntegrity(store);
  const roster = makeRoster({ ...deps, integrity });
  const lock = makeKeyedLock();
  const closing = new AbortController();

  async function read(source: PluginSource): Promise<Candidate> {
    if ("files" in source) return readCandidate(source.files);
    if ("embedded" in source) return readCandidate(embedded(source.embedded));
    const { name, digest } = roster.get(source.installed).record;
    return readCandidate(await store.readFiles(name, digest));
  }

  function embedded(name: string): PackageFiles {
    const files = deps.embedded.get(name);
    if (files !== undefined) return files;
    const names = [...deps.embedded.keys()];
    const meant = didYouMean(name, names);
    throw fail("plugin.not_found", `no plugin called ${quote(name)} comes with voxeltron`, {
      hint: meant === undefined ? `these do: ${names.join(", ") || "none"}` : `did you mean ${quote(meant)}?`,
    });
  }

  async function install({ source, ...consent }: InstallRequest): Promise<PluginView> {
    const candidate = await read(source);
    const { name, version } = candidate.manifest;
    await lock(name, async () => {
      const from = sourceName(source, roster.find(name)?.record.source);
      await installPlugin({ ...deps, alone }, candidate, consent, from, closing.signal);
    });
    deps.changed(name);
    log.info("plugin installed", { plugin: name, version, digest: candidate.digest, by: consent.by });
    return view(roster.get(name));
  }

  function alone(name: string, work: () => Promise<void>): Promise<void> {
    return roster.alone(name, async () => {
      await work();
      roster.refresh(name);
    });
  }

  async function view(plugin: InstalledPlugin): Promise<PluginView> {
    const tampered = await integrity.tamperedBecause(plugin.record);
    if (tampered !== undefined) plugin.supervisor.restart();
    const { state, reason } = stateOf(plugin, tampered, problemOf(plugin, deps.configFor));
    return pluginView(plugin.record, state, reason);
  }

  async function info(name: string): Promise<PluginDetails> {
    const plugin = roster.get(name);
    const summary = await view(plugin);
    const { digest, installedAt, source } = plugin.record;
    const { strikes, running } = plugin.supervisor.status();
    return {
      ...summary,
      ...consentView(plugin.manifest, plugin.grants),
      digest,
      installedAt,
      source,
      room: ROOM,
      strikes,
      running,
      pending: deps.pendingFor(name),
      warnings: warningsOf(plugin, deps.ceiling()),
    };
  }

  async function remove(name: string): Promise<void> {
    await lock(name, async () => {
      const { supervisor } = roster.get(name);
      await alone(name, async () =>
        deps.transaction(() => {
          records.remove(name);
          deps.grants.clear(name);
          deps.kv.clear(name);
          deps.logs.clear(name);
        }),
      );
      await supervisor.close();
      integrity.forget(name);
      await store.settle(name, undefined);
    });
    deps.changed(name);
    log.info("plugin removed", { plugin: name });
  }

  async function setEnabled(name: string, enabled: boolean): Promise<PluginView> {
    await lock(name, async () => {
      const { record } = roster.get(name);
      if (enabled) await integrity.verified(record);
      records.setEnabled(name, enabled);
      roster.refresh(name);
      await roster.alone(name, async () => {});
    });
    deps.changed(name);
    log.info(enabled ? "plugin enabled" : "plugin disabled", { plugin: name });
    return view(roster.get(name));
  }

  async function changeGrants(name: string, change: () => void): Promise<PluginDetails> {
    await lock(name, async () => {
      change();
      roster.refresh(name);
      roster.get(name).supervisor.restart();
    });
    return info(name);
  }

  async function grant(name: string, request: GrantRequest, by: string): Promise<PluginDetails> {
    const details = await changeGrants(name, () => {
      const plugin = roster.get(name);
      const settled = settleGrant(manifestOf(plugin), request);
      const grantedAt = timestamp(clock.now());
      deps.grants.put(name, plugin.record.digest, { ...settled, grantedBy: by, grantedAt });
    });
    log.info("capability granted", {
      plugin: name,
      capability: request.capability,
      scope: request.scope,
      by,
    });
    return details;
  }

  async function revoke(name: string, capability: Capability): Promise<PluginDetails> {
    const details = await changeGrants(name, () => {
      requestOf(manifestOf(roster.get(name)), capability);
      deps.grants.remove(name, capability);
    });
    log.info("capability revoked", { plugin: name, capability });
    return details;
  }

  async function call(name: string, hook: HookName, options: CallRequest = {}): Promise<CallAnswer> {
    const plugin = roster.get(name);
    hookOf(plugin, hook);
    const event = deps.calledEvent(hook, options.event);
    let mark = 0;
    let startedAt = 0;
    const onStart = (): void => {
      mark = deps.logs.mark(name);
      startedAt = clock.monotonic();
    };
    const result = await plugin.supervisor.call(hook, event, { signal: options.signal, onStart });
    const durationMs = Math.round(clock.monotonic() - startedAt);
    return { result: result ?? null, durationMs, logs: deps.logs.since(name, mark) };
  }

  return {
    async sweep() {
      await store.sweep(new Map(records.list().map((record) => [record.name, record])));
    },
    async inspect(source) {
      const { manifest, digest } = await read(source);
      return candidateView(manifest, digest, roster.find(manifest.name)?.record.version ?? null);
    },
    install,
    async list() {
      const views: PluginView[] = [];
      for (const plugin of roster.all()) views.push(await view(plugin));
      return views;
    },
    info,
    remove,
    enable: (name) => setEnabled(name, true),
    disable: (name) => setEnabled(name, false),
    grant,
    revoke,
    async *logs(name, options) {
      roster.get(name);
      yield* deps.logs.tail(name, options);
    },
    call,
    callerOf(name) {
      const plugin = roster.find(name);
      return plugin === undefined ? undefined : callerFrom(plugin, deps.ceiling());
    },
    subscribers: (hook) =>
      roster.all().flatMap(({ record, manifest }) => {
        const request = record.enabled ? manifest?.hooks.find((each) => each.hook === hook) : undefined;
        return request === undefined ? [] : [{ plugin: record.name, gate: request.gate }];
      }),
    async run(name, hook, event, signal) {
      const plugin = roster.get(name);
      hookOf(plugin, hook);
      return plugin.supervisor.call(hook, event, { signal });
    },
    async close() {
      closing.abort(fail("daemon.stopping", "the daemon is stopping"));
      await roster.close();
    },
  };
}

export interface PluginsDeps extends Omit<InstallDeps, "alone">, Omit<RosterDeps, "integrity"> {
  readonly kv: Pick<PluginKv, "clear">;
  readonly logs: PluginLogs;
  readonly log: Log;
  /** `[plugins] ceiling`: what the operator allows to any plugin; asked each time. */
  readonly ceiling: () => readonly Capability[];
  /** The event of a `plugin call`: what was written for it, or a made-up one. Throws `event.invalid`. */
  readonly calledEvent: (hook: HookName, given: CallRequest["event"]) => VoxeltronEvent;
  /** Deliveries that wait for the plugin. */
  readonly pendingFor: (plugin: string) => number;
  /** Told after a plugin was installed, enabled, disabled or removed: what its deliveries wait for may have passed. */
  readonly changed: (plugin: string) => void;
  /** The plugins that the executable carries, by name. */
  readonly embedded: ReadonlyMap<string, PackageFiles>;
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

export type PluginSource =
  | { readonly files: PackageFiles }
  | { readonly embedded: string }
  /** What stands on disk for an installed plugin, as it is now. */
  | { readonly installed: string };

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

const ROOM = "js-worker";

function sourceName(source: PluginSource, before: string | undefined): string {
  if ("files" in source) return "folder";
  return "embedded" in source ? "embedded" : (before ?? "folder");
}
