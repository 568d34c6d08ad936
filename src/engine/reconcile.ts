/**
 * Makes the world as the state says it should be: removes instances of ours that no version owns, starts what should run and
 * does not, opens addresses, writes what could not be written. A pass runs at boot and after every undo that failed, and is
 * repeated with back-off while something is amiss. Nobody waits for it. Called by engine/deploys.
 */
import { isVoxError, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { bounded } from "./bounded.ts";
import { decodeSpec } from "./deploys/service-spec.ts";
import type { Settlement } from "./deploys/settlement.ts";
import { openAddress } from "./edge/open-address.ts";
import { findLive, logTarget, type Live } from "./live.ts";
import { hasEnded, isUp, workMs, type InstanceStatus, type Provider } from "./providers/provider.ts";
import { LOCAL, placeOf, placeText, samePlace, type Place } from "./providers/providers.ts";
import { makeRepairRound, type RepairRound } from "./repair-round.ts";
import { revive } from "./revive.ts";
import type { ServiceDeps } from "./service-deps.ts";
import type { ServiceRow } from "../state/services.ts";

export interface Reconcile {
  /** Removes an instance that nobody wants: now, or when its provider answers again. Never throws. */
  discard(place: Place, instance: string): Promise<void>;
  /** A pass over each machine, soon. */
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
  const rounds = new Map<string, RepairRound>();
  let cancelLook = (): void => {};
  let looked = "";
  let looking: Promise<void> | undefined;

  async function discardNow(place: Place, instance: string): Promise<void> {
    await destroy(deps.providers.of(place), instance, deps, stopping.signal);
    unwanted.delete(instance);
  }

  async function pass(server: string): Promise<readonly string[]> {
    const services = deps.state.services.list();
    const used = providersEverUsed(services, deps);
    const here = deps.providers.all().filter((provider) => provider.server === server);
    const results = await Promise.allSettled([
      ...Array.from(unwanted)
        .filter(([, place]) => place.server === server)
        .map(([instance, place]) => discardNow(place, instance)),
      ...here
        .filter((provider) => used.has(placeText(placeOf(provider))) || provider.unattended === true)
        .map((provider) => sweep(provider, deps, stopping.signal)),
      ...services
        .filter((service) => service.server === server)
        .map(({ name }) => repair(name, deps, stopping.signal)),
    ]);
    const amiss = reasonsOf(results);
    if (server === LOCAL && !settlement.retry()) amiss.push("the failure of a deploy is not written down");
    return amiss;
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

  function roundOf(server: string): RepairRound {
    const known = rounds.get(server);
    if (known !== undefined) return known;
    const round = makeRepairRound({ server, pass: () => pass(server), clock, log });
    rounds.set(server, round);
    if (stopping.signal.aborted) round.close();
    return round;
  }

  /** All machines that may have something to repair, whether the configuration still has them or not. */
  function servers(): ReadonlySet<string> {
    return new Set([
      LOCAL,
      ...deps.providers.all().map(({ server }) => server),
      ...deps.state.services.list().map(({ server }) => server),
      ...Array.from(unwanted.values(), ({ server }) => server),
    ]);
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
        roundOf(server).later();
      }
    },
    request() {
      lookAfter();
      for (const server of servers()) roundOf(server).request();
    },
    async idle() {
      await Promise.all(Array.from(rounds.values(), (round) => round.idle()));
      await looking;
    },
    close() {
      stopping.abort(new Error("the daemon stops"));
      cancelLook();
      for (const round of rounds.values()) round.close();
    },
  };
}

// --- internal ---

function reasonsOf(results: readonly PromiseSettledResult<unknown>[]): string[] {
  return results.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : []));
}

async function destroy(
  provider: Provider,
  instance: string,
  deps: ServiceDeps,
  signal: AbortSignal,
): Promise<void> {
  const bounds = {
    clock: deps.clock,
    timeoutMs: workMs(provider, "destroy", LIMITS.providerDestroyMs),
    who: placeText(placeOf(provider)),
    signal,
  };
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

/** Removes what no version owns. Asked again for each: a deploy may have begun or ended meanwhile. One that stays keeps none of the others. */
async function sweep(provider: Provider, deps: ServiceDeps, signal: AbortSignal): Promise<void> {
  const bounds = {
    clock: deps.clock,
    timeoutMs: LIMITS.providerDestroyMs,
    who: placeText(placeOf(provider)),
    signal,
  };
  const refusals: unknown[] = [];
  for (const instance of await bounded(provider.list(deps.owner), bounds)) {
    if (isWanted(instance, provider, deps)) continue;
    deps.log.info("removing an instance that no service uses", { provider: provider.name, instance });
    try {
      await destroy(provider, instance, deps, signal);
    } catch (error) {
      // It would not answer for the next one either.
      if (signal.aborted || (isVoxError(error) && error.code === "provider.unavailable")) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length > 0) throw refusals[0];
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
  const bounds = {
    clock: deps.clock,
    timeoutMs: workMs(provider, "status", LIMITS.providerStatusMs),
    who: placeText(placeOf(provider)),
    signal,
  };
  if (service.desired === "running") openAddress(live, deps.edges);
  // Its server may have come back into the configuration.
  deps.logs.watch(logTarget(live));
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
