/**
 * What the daemon has to start confined processes with: who starts them, as which user, confined or not, and the bundler, which is one.
 * Composed once from the configuration and from what this machine can do; says in the log what it can't. Called by compose-host.ts.
 */
import { makeBundler, type BundlePlugin } from "../host/bundle/bundle-plugin.ts";
import { confineBundler, confinePlugins, type ConfinementFacts } from "../host/confine-or-not.ts";
import { bundlerUid, makeUidFor, type UidFor, type Users } from "../host/uid-for.ts";
import { makeStartConfined, type StartConfined } from "../platform/confine/confined-process.ts";
import { confinementReport, type ConfinementReport } from "../platform/confine/report.ts";
import { areIdsMapped, areIdsMappedFrom } from "../platform/id-maps.ts";
import { makeStartUnconfined } from "../platform/unconfined-process.ts";
import type { PluginUidRows } from "../state/plugin-uids.ts";
import { UID_MIN } from "./config-values.ts";
import type { World } from "./world.ts";

export interface Confinement {
  readonly start: StartConfined;
  readonly uidFor: UidFor;
  /** Whether a process of a plugin can be confined here, whatever is allowed. */
  readonly canConfine: boolean;
  /** What a plugin's process is asked to be. Asked each time. */
  readonly confined: () => boolean;
  readonly bundle: BundlePlugin;
  readonly status: () => ConfinementStatus;
}

/** For `daemon info`. */
export interface ConfinementStatus {
  /** `unconfined`: they can't be confined, and run all the same, as the operator allows. `unavailable`: they don't run. */
  readonly state: "confined" | "unconfined" | "unavailable";
  /** `landlock: this kernel has no Landlock`. */
  readonly missing: string[];
}

export function makeConfinement({ config, clock, log }: World, rows: PluginUidRows): Confinement {
  const report = confinementReport();
  const users: Users = {
    range: () => config().plugins.uid_range,
    canChangeUid: canChangeUid(report),
    areIdsMapped,
  };
  const facts = (): ConfinementFacts => factsOf(report, config().plugins.allow_unconfined);
  const status = (): ConfinementStatus => statusOf(report, facts());
  const words = warning(facts(), status());
  if (words !== undefined) log.warn(words);
  const start = makeStartConfined({ clock });
  return {
    start,
    uidFor: makeUidFor(rows, users),
    canConfine: report.ok,
    confined: () => confinePlugins(facts()),
    bundle: makeBundler({
      start: bundlerStart(start),
      clock,
      uid: () => bundlerUid(users),
      confined: () => confineBundler(facts()),
    }),
    status,
  };
}

export function factsOf(report: ConfinementReport, allowUnconfined: boolean): ConfinementFacts {
  return { canConfine: report.ok, isLinux, allowUnconfined };
}

/** Not where there is nobody else either: root of a user namespace with one id is an ordinary user, as its processes are. */
export function canChangeUid(report: ConfinementReport): boolean {
  return report.checks.some(({ name, ok }) => name === "uid" && ok) && areIdsMappedFrom(UID_MIN);
}

/** Where no process can be confined the bundler's runs all the same: it runs no plugin's code. */
export function bundlerStart(start: StartConfined): StartConfined {
  return isLinux ? start : makeStartUnconfined();
}

export function statusOf(report: ConfinementReport, facts: ConfinementFacts): ConfinementStatus {
  const missing = report.checks.filter(({ ok, required }) => required && !ok);
  // Without what the system must have they are not started at all, confined or not.
  const isPossible = missing.every(({ name }) => name !== "system");
  const state = facts.allowUnconfined && isPossible ? "unconfined" : "unavailable";
  return {
    state: facts.canConfine ? "confined" : state,
    missing: missing.map(({ name, found }) => `${name}: ${found}`),
  };
}

/** What the operator should know at every start; nothing where all is as it should be. */
export function warning(facts: ConfinementFacts, { state, missing }: ConfinementStatus): string | undefined {
  if (state === "confined") return undefined;
  const why = missing.join("; ");
  if (!facts.isLinux)
    return `this system can't confine processes: plugins run in the Worker room only, and the bundler is not confined (${why})`;
  if (state === "unconfined")
    return `plugin processes are NOT confined, as [plugins] allow_unconfined allows (${why})`;
  return `processes can't be confined here, so none of a plugin is started and no JavaScript can be installed: voxeltron doctor says more (${why})`;
}

// --- internal ---

const isLinux = process.platform === "linux";
