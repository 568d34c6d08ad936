/**
 * The plugin host's front desk: every operation on plugins, and the PluginRunner that the dispatcher and the gates use. Made in
 * daemon/compose-host.ts; `sweep` comes before anything else, `close` stops all rooms.
 */
import { redactData } from "../base/redact.ts";
import type { GrantName } from "../base/grant-names.ts";
import type { HookName, VoxeltronEvent } from "../sdk/index.ts";
import type { AuditCallView, PluginAudit, Uses } from "./audit/plugin-audit.ts";
import { unusedGrants, type UnusedView } from "./audit/unused.ts";
import type { Caller } from "./capabilities/method.ts";
import type { PluginRunner } from "./deliveries/plugin-runner.ts";
import { makeApprovedFolders } from "./drop-in/approved-folders.ts";
import { makeDropIns, type DropInsDeps } from "./drop-in/drop-ins.ts";
import { makeNotInstalled, type NotInstalled } from "./drop-in/not-installed.ts";
import type { SearchedFolder } from "./drop-in/find-drop-ins.ts";
import { makeTies, type TiesDeps } from "./drop-in/ties.ts";
import { makeDropInWatch } from "./drop-in/watch-drop-ins.ts";
import type { GrantRequest } from "./grant-rules.ts";
import type { Consent } from "./install/install.ts";
import { makePluginChanges, type ChangesDeps, type RemoveOptions } from "./install/plugin-changes.ts";
import { makeReadSource, type PluginSource, type SourceDeps } from "./install/plugin-source.ts";
import { keptRows } from "./install/switch-version.ts";
import { makeAnnounce } from "./installed/announce.ts";
import { hookOf, type InstalledPlugin } from "./installed/installed-plugin.ts";
import { makeIntegrity } from "./installed/integrity.ts";
import { makeOpenVersion, type OpenVersionDeps } from "./installed/open-version.ts";
import type { PluginLogs, TailOptions } from "./installed/plugin-logs.ts";
import { makeProviderOffers, type ProviderOfferHandle } from "./installed/provider-offers.ts";
import { makePluginStatus, type StatusDeps } from "./installed/plugin-status.ts";
import { makeRoster, type RosterDeps } from "./installed/roster.ts";
import { makeStrikeOut } from "./installed/strike-out.ts";
import { makeLinks, type Links, type LinksDeps } from "./link/links.ts";
import type { PackageFiles } from "./package/package-files.ts";
import type { WhichRows } from "../state/audit.ts";
import { candidateView, inListOrder } from "./plugin-views.ts";
import type { CandidateView, LogView, PluginDetails, PluginView } from "./plugin-views.ts";

export function makePlugins(deps: PluginsDeps): Plugins {
  const { rows, store, uids } = deps;
  const folders = makeApprovedFolders();
  const integrity = makeIntegrity(store, folders);
  const openVersion = makeOpenVersion({ ...deps, disk: (row) => integrity.disk(row) });
  const announce = makeAnnounce(deps);
  const strikeOut = makeStrikeOut({ ...deps, announce });
  const roster = makeRoster({ ...deps, integrity, openVersion, strikeOut, announce });
  const dropIns = makeDropIns({ ...deps, installed: (name) => roster.find(name)?.row });
  const others = makeNotInstalled(dropIns);
  const remove: TiesDeps["remove"] = (name, options) => changes.remove(name, options);
  const ties = makeTies({ roster, integrity, folders, dropIns, remove });
  const read = makeReadSource({ ...deps, roster, readDropIn: (name) => dropIns.read(name) });
  const changes = makePluginChanges({ ...deps, roster, integrity, openVersion, read, changed });
  const links: Links = makeLinks({
    ...deps,
    roster,
    announce,
    reload: (name, folder) => changes.reload(name, { link: folder }),
  });
  const dropInWatch = makeDropInWatch({ ...deps, dropIns, folders, roster, announce });
  const status = makePluginStatus({
    ...deps,
    integrity,
    renew: (plugin) => roster.renew(plugin),
    linkProblem: (name) => links.problemOf(name),
    lastUse: (name) => deps.audit.lastUse(name),
  });

  function changed(name: string): void {
    links.follow(name);
    deps.changed(name);
  }

  const providers = makeProviderOffers(roster, deps);
  const explain: NotInstalled["explain"] = (name, work) => others.explain(name, work);
  const isInstalled = (name: string): boolean => roster.find(name) !== undefined;
  /** Renewed, and its folder is as it was consented to. At once where it has none: who calls first must be in line first. */
  const ready = (name: string): InstalledPlugin | Promise<InstalledPlugin> => {
    const plugin = roster.toRun(name);
    return plugin.row.dropIn === null ? plugin : ties.refuseChanged(plugin).then(() => plugin);
  };
  const summary = async (name: string): Promise<PluginView> => status.summary(roster.get(name));
  const details = async (name: string): Promise<PluginDetails> => status.details(roster.get(name));

  async function installed(): Promise<PluginView[]> {
    const views: PluginView[] = [];
    for (const plugin of roster.all()) views.push(await status.summary(plugin));
    return views;
  }

  return {
    async sweep() {
      const names = rows.list().map((row) => row.name);
      await store.sweep(new Map(names.map((name) => [name, keptRows(deps, name)])));
      uids.retain(names);
    },
    start() {
      for (const { row } of roster.all()) links.follow(row.name);
      dropInWatch.start();
    },
    async inspect(source) {
      const { manifest, digest } =
        "embedded" in source ? await explain(source.embedded, () => read(source)) : await read(source);
      return candidateView(manifest, digest, roster.find(manifest.name)?.row.version ?? null);
    },
    async install({ source, ...consent }) {
      const candidate = await read(source);
      await changes.install(candidate, source, consent);
      return summary(candidate.manifest.name);
    },
    async reload(name, files) {
      const changed = await changes.reload(name, { files });
      return { ...(await summary(name)), changed };
    },
    rollback: (name, to, by) => explain(name, () => changes.rollback(name, to, by).then(() => summary(name))),
    list: installed,
    async survey() {
      const { views, folders: searched } = await others.all();
      return { plugins: inListOrder([...(await installed()), ...views]), folders: [...searched] };
    },
    async info(name) {
      return isInstalled(name) ? details(name) : ((await others.find(name)) ?? details(name));
    },
    remove: (name, options = {}) => explain(name, () => ties.remove(name, options)),
    enable: (name) =>
      explain(name, async () => {
        await ties.refuseUnseen(name);
        await changes.setEnabled(name, true);
        return summary(name);
      }),
    disable: (name) => explain(name, () => changes.setEnabled(name, false).then(() => summary(name))),
    grant: (name, request, by) =>
      explain(name, () => changes.grant(name, request, by).then(() => details(name))),
    revoke: (name, capability) =>
      explain(name, () => changes.revoke(name, capability).then(() => details(name))),
    async *logs(name, options) {
      await explain(name, async () => roster.get(name));
      yield* deps.logs.tail(name, options);
    },
    async audit(name, which) {
      const { uses, keptSince } = await deps.audit.uses(name, which, isInstalled);
      const meant = roster.all().filter(({ row }) => name === undefined || row.name === name);
      const unused = meant.flatMap(({ row, grants }) =>
        unusedGrants(row.name, grants, deps.audit.lastUse(row.name), deps.watchedAfter),
      );
      return { uses, keptSince, unused };
    },
    calls: (name, which, options) => deps.audit.calls(name, which, options, isInstalled),
    call: (name, hook, request = {}) =>
      explain(name, async () => callByHand(await ready(name), hook, request, deps)),
    providers,
    callerOf: (name) => roster.callerOf(name),
    subscribers: (hook) =>
      roster.all().flatMap(({ row, manifest }) => {
        const request = row.enabled ? manifest?.hooks.find((each) => each.hook === hook) : undefined;
        return request === undefined ? [] : [{ plugin: row.name, gate: request.gate }];
      }),
    async run(name, hook, event, signal) {
      const found = ready(name);
      const plugin = found instanceof Promise ? await found : found;
      hookOf(plugin, hook);
      // While it waited for its turn, another version may have come that does not ask for it.
      const onStart = (): void => void hookOf(roster.get(name), hook);
      return plugin.supervisor.call(hook, event, { signal, onStart });
    },
    async close() {
      links.close();
      dropInWatch.close();
      // A change that is under way may wait for a call, and may have made a plugin when it ends.
      await Promise.all([changes.close(), roster.close()]);
      await roster.close();
    },
  };
}

export type PluginsDeps = Omit<ChangesDeps, "roster" | "integrity" | "openVersion" | "read"> &
  Omit<RosterDeps, "integrity" | "openVersion" | "strikeOut" | "announce"> &
  Omit<StatusDeps, "integrity" | "renew" | "linkProblem" | "lastUse"> &
  Omit<SourceDeps, "roster" | "readDropIn"> &
  Pick<DropInsDeps, "dropInFolders"> &
  Omit<OpenVersionDeps, "disk"> &
  Pick<LinksDeps, "watch"> & {
    readonly logs: PluginLogs;
    readonly audit: Pick<PluginAudit, "uses" | "calls" | "lastUse">;
    readonly uids: { retain(plugins: readonly string[]): void };
    /** The event of a `plugin call`: what was written for it, or a made-up one. Throws `event.invalid`. */
    readonly calledEvent: (hook: HookName, given: CallRequest["event"]) => VoxeltronEvent;
  };

/** All but `run` and `subscribers` are the API's operations; their errors are `plugin.*`, `grant.*` and `manifest.*`. */
export interface Plugins extends PluginRunner {
  /** Removes what a crash left over. */
  sweep(): Promise<void>;
  /** Begins to watch the folders that plugins are linked to. */
  start(): void;
  /** Reads a plugin and changes nothing. */
  inspect(source: PluginSource): Promise<CandidateView>;
  install(request: InstallRequest): Promise<PluginView>;
  /** The next state of an installed plugin. Throws `consent.needed` where it asks for anything else. */
  reload(name: string, files: PackageFiles): Promise<PluginView & { changed: boolean }>;
  /** `to`: a version or the beginning of a digest; absent: the one that was replaced last. */
  rollback(name: string, to: string | undefined, by: string): Promise<PluginView>;
  /** What is installed. */
  list(): Promise<PluginView[]>;
  /** That, what lies in the folders of drop-ins, and what is built in, which comes last. */
  survey(): Promise<PluginSurvey>;
  info(name: string): Promise<PluginDetails>;
  /**
   * With its files, grants, store and logs; a drop-in with its folder, which is given. Throws `plugin.built_in`, `plugin.folder_kept`, and
   * `plugin.in_use` where instances of it are left, unless that is forced.
   */
  remove(name: string, options?: RemoveOptions): Promise<string | null>;
  /** Throws `plugin.tampered`, and `consent.needed` for what lies in a folder of drop-ins and was not consented to as it is. */
  enable(name: string): Promise<PluginView>;
  /** A running call may end. */
  disable(name: string): Promise<PluginView>;
  grant(name: string, request: GrantRequest, by: string): Promise<PluginDetails>;
  revoke(name: string, capability: GrantName): Promise<PluginDetails>;
  logs(name: string, options: TailOptions): AsyncGenerator<LogView>;
  /** What one plugin or all did with what they may, and what they did not use for a long time. Throws `plugin.not_found`. */
  audit(name: string | undefined, which: WhichRows): Promise<AuditView>;
  /** What they asked the broker for, call by call. */
  calls(name: string | undefined, which: WhichRows, options: TailOptions): AsyncGenerator<AuditCallView>;
  call(name: string, hook: HookName, request?: CallRequest): Promise<CallAnswer>;
  /** Those that run instances, whether they may be asked now or not. */
  providers(): readonly ProviderOfferHandle[];
  /** For the broker: who the guest of this plugin is and what it may do, now; undefined where it is installed no more. */
  callerOf(name: string): Caller | undefined;
  close(): Promise<void>;
}

export interface PluginSurvey {
  readonly plugins: PluginView[];
  readonly folders: SearchedFolder[];
}

export interface AuditView extends Uses {
  readonly unused: UnusedView[];
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
  { calledEvent, logs, redact, clock }: PluginsDeps,
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
  return { result: redactData(result ?? null, redact, redact), durationMs, logs: logs.since(name, mark) };
}
