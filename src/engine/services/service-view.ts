/**
 * What an operator sees of a service. Stays fast when a provider hangs: its answer is waited for a moment, then the state is
 * `unknown`. Called by services.ts.
 */
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { DeployRow } from "../../state/deploys.ts";
import type { ServiceRow } from "../../state/services.ts";
import { bounded } from "../bounded.ts";
import { formatVolume } from "../deploys/parse-volume.ts";
import { addressOf, decodeSpec, sourceName } from "../deploys/service-spec.ts";
import { formatAddress } from "../edge/address.ts";
import { findLive, upstreamOf, type Live } from "../live.ts";
import type { ServiceUsage } from "../metrics/usage.ts";
import type { InstanceStatus } from "../providers/provider.ts";
import { placeText } from "../providers/providers.ts";
import type { ServiceDeps } from "../service-deps.ts";

export interface ServiceView {
  readonly name: string;
  /** running · stopped · exited · restarting · missing · deploying · failed · unknown (its provider does not answer) */
  readonly state: string;
  readonly provider: string;
  /** `local`, or the name of the server. */
  readonly server: string;
  readonly image: string | null;
  readonly version: number | null;
  readonly address: string | null;
  readonly domains: string[];
  /** null where nothing runs, or nothing was measured yet. */
  readonly usage: ServiceUsage | null;
}

export interface ServiceDetails extends ServiceView {
  readonly instance: string | null;
  readonly startedAt: string | null;
  readonly restarts: number;
  /** Why its state is unknown. */
  readonly problem: string | null;
  readonly port: number | null;
  readonly publish: string | null;
  readonly memoryBytes: number | null;
  readonly cpus: number | null;
  readonly volumes: string[];
  readonly versions: VersionView[];
  readonly deploys: DeployView[];
}

export interface VersionView {
  readonly version: number;
  readonly image: string;
  readonly liveSince: string;
  readonly isLive: boolean;
}

export interface DeployView {
  readonly id: string;
  readonly version: number;
  readonly state: string;
  readonly step: string;
  readonly error: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export async function viewService(row: ServiceRow, deps: ServiceDeps): Promise<ServiceView> {
  const live = findLive(deps.state, row);
  return viewOf(row, live, await statusOf(live, deps), deps);
}

export async function viewDetails(row: ServiceRow, deps: ServiceDeps): Promise<ServiceDetails> {
  const live = findLive(deps.state, row);
  let problem: string | null = null;
  const status = await askStatus(live, deps).catch((error: unknown) => {
    problem = messageOf(error);
    return undefined;
  });
  return {
    ...viewOf(row, live, status, deps),
    instance: live?.row.instance ?? null,
    startedAt: status?.startedAt ?? null,
    restarts: status?.restarts ?? 0,
    problem,
    port: live?.spec.port ?? null,
    publish: live?.spec.publish === undefined ? null : formatAddress(live.spec.publish),
    memoryBytes: live?.spec.memoryBytes ?? null,
    cpus: live?.spec.cpus ?? null,
    volumes: (live?.spec.volumes ?? []).map(formatVolume),
    versions: deps.state.versions.list(row.name).map(({ version, spec, createdAt }) => ({
      version,
      image: sourceName(decodeSpec(spec).source),
      liveSince: createdAt,
      isLive: version === row.currentVersion,
    })),
    deploys: deps.state.deploys.list(row.name, LIMITS.deploysShown).map(deployView),
  };
}

/** Nothing where there is no instance, or its provider is gone, hangs or fails. */
export function statusOf(live: Live | undefined, deps: ServiceDeps): Promise<InstanceStatus | undefined> {
  return askStatus(live, deps).catch(() => undefined);
}

// --- internal ---

/** Nothing where there is no instance. Throws what its provider, or who looks for it, does. */
async function askStatus(
  live: Live | undefined,
  { providers, clock }: ServiceDeps,
): Promise<InstanceStatus | undefined> {
  if (live === undefined) return undefined;
  const provider = providers.of(live.spec);
  const bounds = { clock, timeoutMs: LIMITS.providerStatusMs, who: placeText(live.spec) };
  return bounded(provider.status(live.row.instance), bounds);
}

function viewOf(
  row: ServiceRow,
  live: Live | undefined,
  status: InstanceStatus | undefined,
  { busy, usageOf }: ServiceDeps,
): ServiceView {
  const unborn = busy.isDeploying(row.name) ? "deploying" : "failed";
  const usage = live === undefined ? undefined : usageOf(row.name, live.row.instance);
  return {
    name: row.name,
    state: live === undefined ? unborn : stateOf(row, status),
    provider: row.provider,
    server: row.server,
    image: live === undefined ? null : sourceName(live.spec.source),
    version: row.currentVersion,
    address: live === undefined ? null : (addressOf(live.spec, upstreamOf(live.row)) ?? null),
    domains: [...(live?.spec.domains ?? [])],
    usage: status?.state === "running" ? (usage ?? null) : null,
  };
}

function stateOf(row: ServiceRow, status: InstanceStatus | undefined): string {
  if (status === undefined) return "unknown";
  if (status.state === "running" || status.state === "restarting") return status.state;
  if (row.desired === "stopped") return "stopped";
  return status.state === "missing" ? "missing" : "exited";
}

function deployView({ id, version, state, step, error, startedAt, endedAt }: DeployRow): DeployView {
  return { id, version, state, step, error, startedAt, endedAt };
}
