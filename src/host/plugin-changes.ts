/**
 * All that changes an installed plugin: install, remove, enable, disable, grant, revoke. The changes of one plugin happen one
 * after the other; grants are read anew at each call of a guest, so a change takes effect at once. Called by plugins.ts.
 */
import { timestamp } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Capability } from "../sdk/index.ts";
import type { PluginKvRows } from "../state/plugin-kv.ts";
import { requestOf, settleGrant, type GrantRequest } from "./grant-rules.ts";
import { installPlugin, type Consent, type InstallDeps } from "./install.ts";
import { manifestOf } from "./installed-plugin.ts";
import type { Integrity } from "./integrity.ts";
import { makeKeyedLock } from "./keyed-lock.ts";
import type { PluginLogs } from "./plugin-logs.ts";
import type { Roster } from "./plugin-roster.ts";
import { sourceName, type PluginSource } from "./plugin-source.ts";
import type { Candidate } from "./read-manifest.ts";

export interface PluginChanges {
  install(candidate: Candidate, source: PluginSource, consent: Consent, signal: AbortSignal): Promise<void>;
  /** With its files, grants, store and logs. */
  remove(name: string): Promise<void>;
  /** Enabling throws `plugin.tampered`; when disabled, a running call may end. */
  setEnabled(name: string, enabled: boolean): Promise<void>;
  grant(name: string, request: GrantRequest, by: string): Promise<void>;
  revoke(name: string, capability: Capability): Promise<void>;
}

export interface ChangesDeps extends Omit<InstallDeps, "alone"> {
  readonly roster: Roster;
  readonly integrity: Integrity;
  readonly kv: Pick<PluginKvRows, "clear">;
  readonly logs: Pick<PluginLogs, "clear">;
  readonly log: Log;
  /** Told after a plugin was installed, enabled, disabled or removed: what its deliveries wait for may have passed. */
  readonly changed: (plugin: string) => void;
}

export function makePluginChanges(deps: ChangesDeps): PluginChanges {
  const { roster, integrity, rows, grants, log } = deps;
  const lock = makeKeyedLock();

  function alone(name: string, work: () => Promise<void>): Promise<void> {
    return roster.alone(name, async () => {
      await work();
      roster.refresh(name);
    });
  }

  async function changeGrants(name: string, change: () => void): Promise<void> {
    await lock(name, async () => {
      change();
      roster.refresh(name);
      roster.get(name).supervisor.restart();
    });
  }

  return {
    async install(candidate, source, consent, signal) {
      const { name, version } = candidate.manifest;
      await lock(name, async () => {
        const from = sourceName(source, roster.find(name)?.row.source);
        await installPlugin({ ...deps, alone }, candidate, consent, from, signal);
      });
      deps.changed(name);
      log.info("plugin installed", { plugin: name, version, digest: candidate.digest, by: consent.by });
    },
    async remove(name) {
      await lock(name, async () => {
        const { supervisor } = roster.get(name);
        await alone(name, async () => deps.transaction(() => forget(name, deps)));
        await supervisor.close();
        integrity.forget(name);
        await deps.store.settle(name, undefined);
      });
      deps.changed(name);
      log.info("plugin removed", { plugin: name });
    },
    async setEnabled(name, enabled) {
      await lock(name, async () => {
        const { row } = roster.get(name);
        if (enabled) await integrity.verified(row);
        rows.setEnabled(name, enabled);
        roster.refresh(name);
        await roster.alone(name, async () => {});
      });
      deps.changed(name);
      log.info(enabled ? "plugin enabled" : "plugin disabled", { plugin: name });
    },
    async grant(name, request, by) {
      await changeGrants(name, () => {
        const plugin = roster.get(name);
        const settled = settleGrant(manifestOf(plugin), request);
        const grantedAt = timestamp(deps.clock.now());
        grants.put(name, plugin.row.digest, { ...settled, grantedBy: by, grantedAt });
      });
      const { capability, scope } = request;
      log.info("capability granted", { plugin: name, capability, scope, by });
    },
    async revoke(name, capability) {
      await changeGrants(name, () => {
        requestOf(manifestOf(roster.get(name)), capability);
        grants.remove(name, capability);
      });
      log.info("capability revoked", { plugin: name, capability });
    },
  };
}

// --- internal ---

/** All rows that are the plugin's. */
function forget(name: string, { rows, grants, kv, logs }: ChangesDeps): void {
  rows.remove(name);
  grants.clear(name);
  kv.clear(name);
  logs.clear(name);
}
