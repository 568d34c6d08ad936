/**
 * Waits until a new instance is fit to take over: its health path answers, else its port takes connections, else it has been
 * running for a while. Ends early when the instance does. Called by steps.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { bounded } from "../bounded.ts";
import {
  hasEnded,
  workMs,
  type InstanceSpec,
  type InstanceStatus,
  type Provider,
  type Upstream,
} from "../providers/provider.ts";
import { placeOf, placeText } from "../providers/providers.ts";
import type { Probes } from "./probes.ts";

export interface HealthWait {
  readonly provider: Provider;
  readonly instance: InstanceSpec;
  /** Where its port is reached. */
  readonly upstream: Upstream | undefined;
  /** Path to ask for; without one a connection is enough. */
  readonly path: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What the instance wrote last. Never fails. */
  readonly lastLines: () => Promise<string[]>;
}

/** Throws `deploy.exited` or `deploy.unhealthy`, both with the instance's last lines in `details.logs`. */
export async function waitForHealth(wait: HealthWait, probes: Probes, clock: Clock): Promise<void> {
  const { instance, upstream, timeoutMs, signal } = wait;
  const end = clock.monotonic() + timeoutMs;
  let runningSince: number | undefined;
  for (let look = 0; ; look++) {
    const status = await statusOrNothing(wait, clock);
    if (status !== undefined && isOver(status)) throw await exited(wait, status);
    if (status?.state === "running") runningSince ??= clock.monotonic();
    const problem =
      upstream === undefined
        ? settling(runningSince, clock.monotonic())
        : await knock(upstream, wait, probes, clock);
    if (problem === undefined) return;
    if (clock.monotonic() >= end) {
      const logs = await wait.lastLines();
      throw fail(
        "deploy.unhealthy",
        `${instance.service} was not healthy within ${timeoutMs / 1000} s: ${problem}`,
        { details: { logs }, hint: unhealthyHint(wait) },
      );
    }
    await clock.sleep(intervalMs(look), signal);
  }
}

// --- internal ---

function intervalMs(look: number): number {
  const intervals = LIMITS.healthIntervalsMs;
  return intervals[Math.min(look, intervals.length - 1)] ?? intervals[0];
}

/** Nothing where the provider doesn't answer: then the probes decide. */
function statusOrNothing(wait: HealthWait, clock: Clock): Promise<InstanceStatus | undefined> {
  const bounds = {
    clock,
    timeoutMs: workMs(wait.provider, "status", LIMITS.providerStatusMs),
    who: placeText(placeOf(wait.provider)),
    signal: wait.signal,
  };
  return bounded(wait.provider.status(wait.instance.id), bounds).catch(() => undefined);
}

/** An instance that had to be started again has ended once: it counts, whatever its restart policy makes of it. */
function isOver(status: InstanceStatus): boolean {
  return (
    hasEnded(status) ||
    status.state === "restarting" ||
    status.state === "missing" ||
    (status.restarts ?? 0) > 0
  );
}

function settling(runningSince: number | undefined, now: number): string | undefined {
  if (runningSince === undefined) return "it is not running";
  return now - runningSince >= LIMITS.settleMs ? undefined : "it has not been running for long enough";
}

/** A cancel does not wait for a service that is slow to answer. */
function knock(
  upstream: Upstream,
  wait: HealthWait,
  probes: Probes,
  clock: Clock,
): Promise<string | undefined> {
  const answer = wait.path === undefined ? probes.tcp(upstream) : probes.http(upstream, wait.path);
  const bounds = {
    clock,
    who: wait.instance.service ?? wait.instance.id,
    signal: wait.signal,
  };
  return bounded(answer, bounds);
}

async function exited({ instance, lastLines }: HealthWait, status: InstanceStatus): Promise<VoxError> {
  const code = status.exitCode === undefined ? "" : ` with code ${status.exitCode}`;
  // What a restarting one says is when it would start again: it won't, the deploy is undone.
  const said = status.state === "restarting" ? "" : (status.detail ?? "");
  const detail = said === "" ? "" : `: ${said}`;
  const logs = await lastLines();
  return fail("deploy.exited", `${instance.service} ended${code} before it was healthy${detail}`, {
    details: { logs, ...(status.exitCode === undefined ? {} : { exitCode: status.exitCode }) },
  });
}

function unhealthyHint(wait: HealthWait): string {
  const { port } = wait.instance;
  if (port === undefined) return "see the last lines it wrote";
  return wait.path === undefined
    ? `it must listen on port ${port}, on every address and not only on its own loopback`
    : `GET ${wait.path} on port ${port} must answer with a status of 2xx or 3xx`;
}
