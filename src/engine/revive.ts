/**
 * Brings the instance of a live version back: starts it, or makes it again where it is gone or can't be started. Called by services/services.ts and
 * reconcile.ts, both of which hold the service meanwhile.
 */
import { LIMITS } from "../base/limits.ts";
import { isImage } from "./deploys/service-spec.ts";
import { bounded } from "./bounded.ts";
import { liveInstance, logTarget, type Live } from "./live.ts";
import { followUpstream, reachInstance } from "./reach.ts";
import { placeOf, placeText } from "./providers/providers.ts";
import { isUp, workMs } from "./providers/provider.ts";
import type { ServiceDeps } from "./service-deps.ts";

export async function revive(live: Live, deps: ServiceDeps, signal: AbortSignal): Promise<void> {
  const provider = deps.providers.of(live.spec);
  const { instance: id } = live.row;
  const within = <T>(work: Promise<T>, timeoutMs?: number): Promise<T> =>
    bounded(work, { clock: deps.clock, timeoutMs, who: placeText(placeOf(provider)), signal });
  const status = await within(provider.status(id), workMs(provider, "status", LIMITS.providerStatusMs));
  if (isUp(status)) return;
  const instance = liveInstance(live, deps);
  if (status.state === "dead") {
    await deps.logs.settled(id);
    await within(provider.destroy(id), workMs(provider, "destroy", LIMITS.providerDestroyMs));
  }
  if (status.state === "missing" || status.state === "dead") {
    const context = { signal, progress() {} };
    const exact = await within(provider.prepare(instance, context));
    await deps.logs.renew(logTarget(live));
    // What was built may have been removed meanwhile, and was built again.
    const image = isImage(live.spec.source) ? exact : instance.image;
    const createMs = workMs(provider, "create", LIMITS.providerWorkMs);
    await within(provider.create({ ...instance, image }, context), createMs);
  }
  await within(provider.start(id), workMs(provider, "start", LIMITS.providerWorkMs));
  followUpstream(live, await within(reachInstance(provider, instance), LIMITS.providerWorkMs), deps);
  deps.logs.watch(logTarget(live));
}
