/**
 * Makes the world as the state says it should be: removes instances of ours that no version owns, starts what should run and
 * does not, opens addresses, writes what could not be written. A pass runs at boot and after every undo that failed, and is
 * repeated with back-off while something is amiss. Nobody waits for it. Called by engine/deploys.
 */
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { bounded } from "./bounded.ts";
import { decodeSpec } from "./deploys/service-spec.ts";
import type { Settlement } from "./deploys/settlement.ts";
import { openAddress } from "./edge/open-address.ts";
import { findLive, type Live } from "./live.ts";
import { hasEnded, isUp, workMs, type InstanceStatus, type Provider } from "./providers/provider.ts";
import { placeOf, placeText, samePlace, type Place } from "./providers/providers.ts";
import { revive } from "./revive.ts";
import type { ServiceDeps } from "./service-deps.ts";
import type { ServiceRow } from "../state/services.ts";

export interface Reconcile {
  /** Removes an instance that nobody wants: now, or when its provider answers again. Never throws. */
  discard(place: Place, instance: string): Promise<void>;
  /** A pass, soon. */
  request(): void;
  /** Resolves when no pass is under way any more. */
  idle(): Promise<void>;
  /** No pass begins after this. */
  close(): void;
}

export function makeReconcile(deps: ServiceDeps, settlement: Settlement): Reconcile {
  const { clock, log } = deps;
  const stopping = new AbortController();
  const unwanted = new Map<string, Place>();
  let underWay: Promise<void> | undefined;
  let again = false;
  let failures = 0;
  let reported = "";
  let cancelTimer = (): void => {};
  let cancelLook = (): void => {};
  let looked = "";
  let looking: Promise<void> | undefined;

  async function discardNow(place: Place, instance: string): Promise<void> {
    await destroy(deps.providers.of(place), instance, deps);
    unwanted.delete(instance);
  }

  async function pass(): Promise<void> {
    const services = deps.state.services.list();
    const used = providersEverUsed(services, deps);
    const results = await Promise.allSettled([
      ...Array.from(unwanted, ([instance, place]) => discardNow(place, instance)),
      ...deps.providers
        .all()
        .filter((provider) => used.has(placeText(placeOf(provider))) || provider.unattended === true)
        .map((provider) => sweep(provider, deps)),
      ...services.map(({ name }) => repair(name, deps, stopping.signal)),
    ]);
    const amiss = reasonsOf(results);
    if (!settlement.retry()) amiss.push("the failure of a deploy is not written down");
    report(amiss);
    failures = amiss.length === 0 ? 0 : failures + 1;
    if (failures > 0 && !stopping.signal.aborted) cancelTimer = clock.after(backoff(failures), request);
  }

  /** What is amiss is said once, not at every try. */
  function report(amiss: readonly string[]): void {
    const text = amiss.toSorted().join("; ");
    if (text !== "" && text !== reported)
      log.warn("not everything is as it should be; trying again", { amiss });
    reported = text;
  }

  /** What nobody else starts again, from the first pass on. */
  function lookAfter(): void {
    cancelLook();
    if (stopping.signal.aborted) return;
    cancelLook = clock.after(LIMITS.unattendedLookMs, () => {
      const looks = unattended(deps).map((name) => repair(name, deps, stopping.signal));
      looking = Promise.allSettled(looks).then((results) => {
        const amiss = reasonsOf(results).toSorted().join("; ");
        if (amiss !== "" && amiss !== looked) log.warn("services can't be looked after", { amiss });
        looked = amiss;
        lookAfter();
      });
    });
  }

  function request(): void {
    if (stopping.signal.aborted) return;
    cancelTimer();
    lookAfter();
    if (underWay !== undefined) {
      again = true;
      return;
    }
    again = false;
    underWay = pass()
      .catch((error: unknown) => log.error("repairing failed", { error: messageOf(error) }))
      .finally(() => {
        underWay = undefined;
        if (again) request();
      });
  }

  return {
    async discard({ provider, server }, instance) {
      const place = { provider, server };
      unwanted.set(instance, place);
      try {
        await discardNow(place, instance);
      } catch (error) {
        log.warn("an instance could not be removed; it will be tried again", {
          provider: placeText(place),
          instance,
          error: messageOf(error),
        });
        cancelTimer();
        if (!stopping.signal.aborted) cancelTimer = clock.after(backoff(1), request);
      }
    },
    request,
    async idle() {
      for (let pass = underWay; pass !== undefined; pass = underWay) await pass;
      await looking;
    },
    close() {
      stopping.abort(new Error("the daemon stops"));
      cancelTimer();
      cancelLook();
    },
  };
}

// --- internal ---

function reasonsOf(results: readonly PromiseSettledResult<unknown>[]): string[] {
  return results.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : []));
}

function backoff(failures: number): number {
  const waits = LIMITS.reconcileBackoffMs;
  return waits[Math.min(failures, waits.length) - 1] ?? waits[0];
}

async function destroy(provider: Provider, instance: string, deps: ServiceDeps): Promise<void> {
  const timeoutMs = workMs(provider, "destroy", LIMITS.providerDestroyMs);
  const bounds = { clock: deps.clock, timeoutMs, who: provider.name };
  await deps.logs.settled(instance);
  await bounded(provider.destroy(instance), bounds);
  await deps.logs.leave(instance);
}

/** A provider that no service ever tried is not asked: it may not be installed at all. Those that are unattended know what is theirs by our own records. */
function providersEverUsed(services: readonly ServiceRow[], { state }: ServiceDeps): ReadonlySet<string> {
  const tried = services.flatMap(({ name }) => [
    ...state.versions.list(name),
    ...state.deploys.list(name, LIMITS.deploysKept),
  ]);
  return new Set(tried.map(({ spec }) => placeText(decodeSpec(spec))));
}

/** Services that should run on a provider which starts nothing again by itself. */
function unattended({ state, providers }: ServiceDeps): readonly string[] {
  return state.services
    .list()
    .filter((service) => service.desired === "running" && providers.find(service)?.unattended === true)
    .map(({ name }) => name);
}

/** Removes what no version owns. Asked again for each: a deploy may have begun or ended meanwhile. */
async function sweep(provider: Provider, deps: ServiceDeps): Promise<void> {
  const bounds = { clock: deps.clock, timeoutMs: LIMITS.providerDestroyMs, who: provider.name };
  for (const instance of await bounded(provider.list(deps.owner), bounds)) {
    if (isWanted(instance, provider, deps)) continue;
    deps.log.info("removing an instance that no service uses", { provider: provider.name, instance });
    await destroy(provider, instance, deps);
  }
}

function isWanted(instance: string, provider: Provider, { busy, state, workspaces }: ServiceDeps): boolean {
  if (busy.isProtected(instance) || workspaces.hasInstance(instance)) return true;
  return state.services.list().some((service) => {
    const live = findLive(state, service);
    return live?.row.instance === instance && samePlace(live.spec, placeOf(provider));
  });
}

/** Makes a service run, or stop, as its row says. One that is being changed right now is left to whoever changes it. */
async function repair(name: string, deps: ServiceDeps, stopping: AbortSignal): Promise<void> {
  const { busy, state } = deps;
  using hold = busy.holdForRepair(name);
  if (hold === undefined) return;
  const signal = AbortSignal.any([stopping, hold.wanted]);
  const service = state.services.find(name);
  const live = findLive(state, service);
  if (service === undefined || live === undefined) return;
  hold.protect(live.row.instance);
  const provider = deps.providers.of(live.spec);
  const timeoutMs = workMs(provider, "status", LIMITS.providerStatusMs);
  const bounds = { clock: deps.clock, timeoutMs, who: provider.name, signal };
  if (service.desired === "running") openAddress(live, deps.edges);
  const status = await bounded(provider.status(live.row.instance), bounds);
  if (service.desired === "running" && shouldStart(live, status)) {
    deps.log.info("starting what should run", { service: name, state: status.state });
    await revive(live, deps, signal);
  }
  if (service.desired === "stopped" && isUp(status))
    await bounded(provider.stop(live.row.instance, LIMITS.stopGraceMs), {
      ...bounds,
      timeoutMs: workMs(provider, "stop", LIMITS.stopGraceMs + LIMITS.providerDestroyMs),
    });
}

/** A restart policy holds across restarts of the host too: what ended for good is not begun again. */
function shouldStart(live: Live, status: InstanceStatus): boolean {
  if (isUp(status)) return false;
  if (!hasEnded(status) || live.spec.restart === "always") return true;
  return live.spec.restart === "on-failure" && status.exitCode !== 0;
}
