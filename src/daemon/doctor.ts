/**
 * What `voxeltron doctor` looks at, as a table of checks: each gives findings with what was found and, where something is missing, what
 * to do. Looks and changes nothing. Called by the API's handler in the daemon and, where none answers, by api/offline.ts.
 */
import { systemClock } from "../base/clock.ts";
import { isVoxError, type VoxError } from "../base/errors.ts";
import type { Environment } from "../base/paths.ts";
import { readKeys, type KeyPlace } from "../engine/secrets/key-file.ts";
import type { BundlePlugin } from "../host/bundle/bundle-plugin.ts";
import { confinementReport, type ConfinementReport } from "../platform/confine/report.ts";
import { areIdsMapped } from "../platform/id-maps.ts";
import { ownUnit } from "../platform/own-unit.ts";
import { DEFAULT_UID_RANGE } from "./config-values.ts";
import { loadConfig, type Config, type ConfigFlags } from "./config.ts";
import { canChangeUid } from "./confinement.ts";
import { serverFindings, type ServerFacts } from "./doctor-servers.ts";
import type { Finding } from "./finding.ts";
import { keyPlace } from "./key-place.ts";
import { makeOfflineCheck } from "./offline-check.ts";

export interface Examination {
  /** False where something is missing that is required. */
  readonly ok: boolean;
  /** As whom it was looked: another user may be allowed less, or more. */
  readonly uid: number;
  readonly unit: string | null;
  readonly findings: Finding[];
  /** What this version does not look at. */
  readonly notTested: string[];
}

/** What the checks are told and given. */
export interface DoctorFacts {
  readonly plugins: Pick<Config["plugins"], "uid_range" | "allow_unconfined">;
  /** As the plugins' code would be bundled. */
  readonly bundle: BundlePlugin;
  /** Undefined where a configuration that can't be used would say it. */
  readonly key: KeyPlace | undefined;
  readonly servers: ServerFacts;
}

export async function examine(facts: DoctorFacts): Promise<Examination> {
  return examination(await findAll(facts));
}

/** Where no daemon answers: a configuration that can't be used is a finding, and the rest is looked at with the defaults. */
export async function examineWithout(
  flags: ConfigFlags,
  environment: Environment,
  uid: number,
): Promise<Examination> {
  const { bundle } = makeOfflineCheck(flags, environment, uid);
  const [configured, problems] = readConfigured(flags, environment, uid);
  return examination([...problems, ...(await findAll({ ...configured, bundle }))]);
}

// --- internal ---

interface Seen extends DoctorFacts {
  readonly report: ConfinementReport;
}

type Check = (seen: Seen) => readonly Finding[] | Promise<readonly Finding[]>;

const CHECKS: readonly Check[] = [confinement, trial, pluginUsers, allowUnconfined, secretKey, servers];

const NOT_TESTED = ["Docker", "the network", "certificates", "free disk space", "the service's unit file"];

async function findAll(facts: DoctorFacts): Promise<Finding[]> {
  const seen = { ...facts, report: confinementReport() };
  const findings: Finding[] = [];
  for (const check of CHECKS) findings.push(...(await check(seen)));
  return findings;
}

function examination(findings: Finding[]): Examination {
  return {
    ok: findings.every(({ ok, required }) => ok || !required),
    uid: process.getuid?.() ?? 0,
    unit: ownUnit() ?? null,
    findings,
    notTested: [...NOT_TESTED],
  };
}

function readConfigured(
  flags: ConfigFlags,
  environment: Environment,
  uid: number,
): readonly [Pick<DoctorFacts, "plugins" | "key" | "servers">, Finding[]] {
  try {
    const config = loadConfig(flags, environment, uid);
    const key = keyPlace(config, environment["CREDENTIALS_DIRECTORY"]);
    return [{ plugins: config.plugins, key, servers: serversOf(config.servers) }, []];
  } catch (error) {
    if (!isVoxError(error)) throw error;
    const [first = 0, last = 0] = DEFAULT_UID_RANGE;
    const problem = failed("configuration", error);
    const plugins = { uid_range: { first, last }, allow_unconfined: false };
    return [{ plugins, key: undefined, servers: serversOf({}) }, [problem]];
  }
}

function serversOf(settings: Config["servers"]): ServerFacts {
  return { settings, nowMs: systemClock.now() };
}

function failed(name: string, { message, hint }: VoxError): Finding {
  return { name, ok: false, required: true, found: message, advice: hint ?? null };
}

/** Can plugin processes be confined? */
function confinement({ report }: Seen): Finding[] {
  return report.checks.map(({ name, ok, required, found, advice }) => ({
    name: `confinement.${name}`,
    ok,
    required,
    found,
    advice: advice ?? null,
  }));
}

/** The kernel says that it can: does it? The bundler's process is one of them, and harms nobody. */
async function trial({ bundle, report }: Seen): Promise<Finding[]> {
  if (!report.ok) return [];
  const name = "confinement.trial";
  try {
    await bundle(new Map([["index.js", new TextEncoder().encode("export default {};")]]), "index.js");
    const found = "a process was confined, and did its work";
    return [{ name, ok: true, required: true, found, advice: null }];
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return [failed(name, error)];
  }
}

/** Do the ids exist that they are to run as? Whether users can be changed at all, `confinement.uid` says. */
function pluginUsers({ plugins, report }: Seen): Finding[] {
  const { first, last } = plugins.uid_range;
  const range = `${first} to ${last}`;
  const check = { name: "plugins.uid_range", required: canChangeUid(report) };
  if (areIdsMapped(first, last)) return [{ ...check, ok: true, found: range, advice: null }];
  const found = `not all of ${range} exist in this user namespace`;
  const advice = check.required
    ? "set [plugins] uid_range to ids that /proc/self/uid_map and gid_map have"
    : "processes stay what the daemon is; for a user of its own for each plugin, give the namespace more ids";
  return [{ ...check, ok: false, found, advice }];
}

/** Does the operator let them run where they can't be? */
function allowUnconfined({ plugins: { allow_unconfined: allowed } }: Seen): Finding[] {
  return [
    {
      name: "plugins.allow_unconfined",
      ok: !allowed,
      required: false,
      found: allowed ? "set: where processes can't be confined, they run all the same" : "not set",
      advice: allowed ? "take allow_unconfined out of [plugins] once they can be confined" : null,
    },
  ];
}

/** Can the other machines be reached? */
function servers({ servers: facts }: Seen): Promise<Finding[]> {
  return serverFindings(facts);
}

/** Is what seals the secrets a key, and the daemon's alone? With one that is not, the daemon does not start. */
function secretKey({ key }: Seen): Finding[] {
  if (key === undefined) return [];
  const name = "secrets.key";
  try {
    const keys = readKeys(key);
    const state =
      keys === undefined
        ? "there is none yet; with nothing that one sealed, the daemon makes it"
        : `${keys.length === 1 ? "one key" : `${keys.length} keys`}, which nobody else may read`;
    return [{ name, ok: true, required: true, found: `${key.file}: ${state}`, advice: null }];
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return [failed(name, error)];
  }
}
