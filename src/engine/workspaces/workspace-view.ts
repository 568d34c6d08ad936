/**
 * What an operator sees of workspaces. Stays fast when a provider hangs: its answer is waited for a moment, then the state is
 * `unknown`. Called by workspaces.ts.
 */
import { LIMITS } from "../../base/limits.ts";
import type { Desired } from "../../state/services.ts";
import type { WorkspaceRow } from "../../state/workspaces.ts";
import { bounded } from "../bounded.ts";
import { formatVolume } from "../deploys/parse-volume.ts";
import { fewAtATime } from "../few-at-a-time.ts";
import { formatAddress } from "../edge/address.ts";
import type { InstanceStatus, PortBinding } from "../providers/provider.ts";
import { LOCAL } from "../providers/providers.ts";
import { standingOf, type Standing } from "./standing.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";
import { decodeSpec, instanceSpec, type WorkspaceSpec } from "./workspace-spec.ts";

export interface WorkspaceView extends Standing {
  readonly name: string;
  /** What it should be. */
  readonly desired: Desired;
  readonly provider: string;
  readonly server: string;
  readonly image: string | null;
  readonly ports: PortView[];
  /** How the last thing that was tried with it failed. */
  readonly error: string | null;
  readonly createdAt: string;
}

export interface PortView {
  readonly key: string;
  readonly inside: number;
  /** The port of its machine that leads there. */
  readonly outside: number;
  /** Where it is reached from this machine, while it runs; null where nobody can tell. */
  readonly address: string | null;
}

export interface WorkspaceDetails extends WorkspaceView {
  readonly instance: string;
  readonly startedAt: string | null;
  readonly restarts: number;
  readonly exitCode: number | null;
  readonly detail: string | null;
  readonly env: Record<string, string>;
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
  readonly volumes: string[];
  readonly command: string[] | null;
}

/** In the order of the rows. A provider that was silent once is not asked again for the others: they need not wait as long. */
export async function viewAll(rows: readonly WorkspaceRow[], deps: WorkspaceDeps): Promise<WorkspaceView[]> {
  const found = new Map<string, InstanceStatus | undefined>();
  const silent = new Set<string>();
  await fewAtATime(rows, LIMITS.workspacesAsked, async (row) => {
    const place = `${row.provider} ${row.server}`;
    if (silent.has(place)) return;
    const began = deps.clock.monotonic();
    const status = await askFor(row, deps);
    if (status === undefined && deps.clock.monotonic() - began >= LIMITS.providerStatusMs) silent.add(place);
    found.set(row.name, status);
  });
  return Promise.all(rows.map((row) => viewOf(row, decodeSpec(row.spec), found.get(row.name), deps)));
}

export async function viewDetails(row: WorkspaceRow, deps: WorkspaceDeps): Promise<WorkspaceDetails> {
  const spec = decodeSpec(row.spec);
  const status = await askFor(row, deps);
  return {
    ...(await viewOf(row, spec, status, deps)),
    instance: row.instance,
    startedAt: status?.startedAt ?? null,
    restarts: status?.restarts ?? 0,
    exitCode: status?.exitCode ?? null,
    detail: status?.detail === undefined ? null : deps.redaction.all(status.detail),
    env: { ...spec.env },
    cpus: spec.cpus ?? null,
    memoryBytes: spec.memoryBytes ?? null,
    volumes: spec.volumes.map(formatVolume),
    command: spec.command === undefined ? null : [...spec.command],
  };
}

/** Nothing where it was never made, or its provider is gone, hangs or fails. */
export async function askFor(
  row: WorkspaceRow,
  { providers, clock }: WorkspaceDeps,
): Promise<InstanceStatus | undefined> {
  const provider = providers.find(row);
  if (provider === undefined || !row.made) return undefined;
  const bounds = { clock, timeoutMs: LIMITS.providerStatusMs, who: provider.name };
  return bounded(provider.status(row.instance), bounds).catch(() => undefined);
}

// --- internal ---

async function viewOf(
  row: WorkspaceRow,
  spec: WorkspaceSpec,
  status: InstanceStatus | undefined,
  deps: WorkspaceDeps,
): Promise<WorkspaceView> {
  const { name, desired, provider, server, error, createdAt } = row;
  return {
    name,
    ...standingOf(row, status),
    desired,
    provider,
    server,
    image: spec.image ?? null,
    ports: await Promise.all(
      spec.ports.map(async (port) => ({ ...port, address: await addressOf(port, row, spec, deps) })),
    ),
    error,
    createdAt,
  };
}

async function addressOf(
  port: PortBinding,
  row: WorkspaceRow,
  spec: WorkspaceSpec,
  { providers, owner }: WorkspaceDeps,
): Promise<string | null> {
  const provider = providers.find(row);
  if (provider?.reach === undefined) return row.server === LOCAL ? `127.0.0.1:${port.outside}` : null;
  const instance = instanceSpec(spec, { id: row.instance, owner, workspace: row.name }, undefined);
  const asked = { ...instance, ports: [port], port: port.inside, hostPort: port.outside };
  try {
    return formatAddress(await provider.reach(asked));
  } catch {
    return null;
  }
}
