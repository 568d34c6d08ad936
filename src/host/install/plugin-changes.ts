/**
 * All that changes an installed plugin: install, reload, roll back, remove, enable, disable, grant, revoke. The changes of one plugin
 * happen one after the other; grants are read anew at each call of a guest, so a change takes effect at once. Called by plugins.ts.
 */
import { timestamp } from "../../base/clock.ts";
import { fail, messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { GrantName } from "../../base/grant-names.ts";
import type { PluginKvRows } from "../../state/plugin-kv.ts";
import type { PluginAudit } from "../audit/plugin-audit.ts";
import { requestOf, settleGrant, type GrantRequest } from "../grant-rules.ts";
import { versionOf, type InstalledPlugin } from "../installed/installed-plugin.ts";
import type { Integrity } from "../installed/integrity.ts";
import type { PluginLogs } from "../installed/plugin-logs.ts";
import { requestsOf, type CapabilityRequest, type Manifest } from "../manifest/manifest.ts";
import type { Candidate } from "./candidate.ts";
import { installPlugin, type Consent } from "./install.ts";
import { makeKeyedLock } from "./keyed-lock.ts";
import { originOf, type PluginSource } from "./plugin-source.ts";
import { rollbackPlugin } from "./rollback.ts";
import { makeTakeOver, type NextState, type TakeOverDeps } from "./take-over.ts";

export interface PluginChanges {
  install(candidate: Candidate, source: PluginSource, consent: Consent): Promise<void>;
  /**
   * Takes over the next state of an installed plugin; false where that is what runs. Throws `consent.needed` where it asks for anything
   * else than was consented to; a plugin that is linked to the folder is paused then.
   */
  reload(name: string, source: NextState): Promise<boolean>;
  /** Gives the version that it went back to. Throws `plugin.version_not_found`, `plugin.tampered`. */
  rollback(name: string, to: string | undefined, by: string): Promise<string>;
  /**
   * With its files, grants, store and logs, and with the containers and volumes that it made. Throws `plugin.in_use` where instances
   * of a provider are left: without it nobody could look at them, or stop them.
   */
  remove(name: string, options: RemoveOptions): Promise<void>;
  /** Enabling throws `plugin.tampered`; when disabled, a running call may end. */
  setEnabled(name: string, enabled: boolean): Promise<void>;
  grant(name: string, request: GrantRequest, by: string): Promise<void>;
  revoke(name: string, capability: GrantName): Promise<void>;
  /** Begins nothing more; resolves when nothing is under way. */
  close(): Promise<void>;
}

export interface RemoveOptions {
  /** Also where instances are left. */
  readonly force?: boolean | undefined;
}

export interface ChangesDeps extends TakeOverDeps {
  readonly integrity: Integrity;
  readonly kv: Pick<PluginKvRows, "clear">;
  readonly logs: Pick<PluginLogs, "clear">;
  /** Containers and volumes that it made. Throws where the engine can't be reached. */
  readonly clearContainers: (plugin: string) => Promise<void>;
  /** Of a provider: what runs on it, or is to, in words. */
  readonly instancesOn: (provider: string) => readonly string[];
  readonly audit: Pick<PluginAudit, "lastUse">;
  readonly log: Log;
}

export function makePluginChanges(deps: ChangesDeps): PluginChanges {
  const { roster, integrity, rows, grants, log } = deps;
  const lock = makeKeyedLock();
  const takeOver = makeTakeOver(deps);
  const closing = new AbortController();

  /** What is under way for one plugin ends before the next begins. */
  async function change<T>(name: string, work: () => Promise<T>): Promise<T> {
    const result = await lock.run(name, work);
    deps.changed(name);
    return result;
  }

  async function changeGrants(name: string, work: () => void): Promise<void> {
    await change(name, async () => {
      work();
      roster.refresh(name);
      const { supervisor, actions } = roster.get(name);
      supervisor.restart();
      actions.forgive();
    });
  }

  /** An earlier version may have made them, whatever the last one asks for. */
  function mayHaveContainers(name: string, manifest: Manifest | undefined): boolean {
    if (manifest === undefined || requestsOf(manifest).some(isDockerWrite)) return true;
    return didMakeContainers(name);
  }

  /** As far as is known: what was done is still written down when a plugin is gone. */
  function didMakeContainers(name: string): boolean {
    return deps.audit.lastUse(name)("docker_write") !== undefined;
  }

  /** The next plugin of that name must not find them. */
  async function clearContainers(name: string): Promise<void> {
    try {
      await deps.clearContainers(name);
    } catch (error) {
      log.warn("containers that a plugin made may still be there", {
        plugin: name,
        problem: messageOf(error),
        look: `docker ps -a --filter label=voxeltron.plugin=${name}`,
      });
    }
  }

  return {
    async install(candidate, source, consent) {
      const { name, version } = candidate.manifest;
      await change(name, async () => {
        const before = roster.find(name);
        // When the one before it was removed, the engine may have been down, or still at work for it.
        if (before === undefined && didMakeContainers(name)) await clearContainers(name);
        const origin = originOf(source, before?.row, candidate.dropIn);
        await installPlugin(deps, candidate, consent, origin, closing.signal);
      });
      log.info("plugin installed", { plugin: name, version, digest: candidate.digest, by: consent.by });
    },
    async reload(name, source) {
      const isNew = await lock.run(name, () => takeOver(name, source, closing.signal));
      // What changes in a linked folder is told by who watches it.
      if (isNew && "files" in source) log.info("plugin reloaded", { plugin: name });
      return isNew;
    },
    async rollback(name, to, by) {
      const { version, digest } = await change(name, () =>
        rollbackPlugin(deps, roster.get(name), to, closing.signal),
      );
      log.info("plugin rolled back", { plugin: name, version, digest, by });
      return version;
    },
    async remove(name, { force = false }) {
      await change(name, async () => {
        if (!force) refuseInUse(name, deps.instancesOn(name));
        const { supervisor, actions, manifest } = roster.get(name);
        await roster.alone(name, async () => {
          deps.transaction(() => forget(name, deps));
          roster.refresh(name);
        });
        await supervisor.close();
        await actions.close();
        integrity.forget(name);
        await deps.store.settle(name, []);
        if (mayHaveContainers(name, manifest)) await clearContainers(name);
      });
      log.info("plugin removed", { plugin: name });
    },
    async setEnabled(name, enabled) {
      await change(name, async () => {
        const { row } = roster.get(name);
        if (enabled) await integrity.verified(row);
        rows.setEnabled(name, enabled);
        roster.refresh(name);
        // What was enabled already gets another chance, and no action that runs is ended for that.
        if (enabled && row.enabled) await refreshed(roster.get(name));
        else await roster.alone(name, async () => {});
      });
      log.info(enabled ? "plugin enabled" : "plugin disabled", { plugin: name });
    },
    async grant(name, request, by) {
      await changeGrants(name, () => {
        const { manifest, row } = versionOf(roster.get(name));
        const settled = settleGrant(manifest, request);
        const grantedAt = timestamp(deps.clock.now());
        grants.put(name, row.digest, { ...settled, grantedBy: by, grantedAt });
      });
      const { capability, scope } = request;
      log.info("capability granted", { plugin: name, capability, scope, by });
    },
    async revoke(name, capability) {
      await changeGrants(name, () => {
        requestOf(versionOf(roster.get(name)).manifest, capability);
        grants.remove(name, capability);
      });
      log.info("capability revoked", { plugin: name, capability });
    },
    async close() {
      closing.abort(fail("daemon.stopping", "the daemon is stopping"));
      await lock.settled();
    },
  };
}

// --- internal ---

function isDockerWrite({ capability }: CapabilityRequest): boolean {
  return capability === "docker_write";
}

async function refreshed({ supervisor, actions }: InstalledPlugin): Promise<void> {
  actions.forgive();
  await supervisor.exclusive(async () => {});
}

function refuseInUse(name: string, instances: readonly string[]): void {
  if (instances.length === 0) return;
  throw fail("plugin.in_use", `${name} still runs ${listed(instances)}`, {
    details: { plugin: name, instances },
    hint: `remove them first, or pass --force to leave them alone with what ${name} made`,
  });
}

function listed(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return more > 0 ? `${names.slice(0, SHOWN).join(", ")} and ${more} more` : names.join(", ");
}

const SHOWN = 10;

/** All rows that are the plugin's. */
function forget(name: string, { rows, versions, grants, kv, uids, logs }: ChangesDeps): void {
  rows.remove(name);
  versions.clear(name);
  grants.clear(name);
  kv.clear(name);
  uids.remove(name);
  logs.clear(name);
}
