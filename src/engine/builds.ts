/** Removes the images that were built for a service and that no version of it needs any more. Called by deploys/steps.ts and services/services.ts. */
import { decodeSpec } from "./deploys/service-spec.ts";
import type { ServiceDeps } from "./service-deps.ts";
import type { VersionRow } from "../state/versions.ts";

/** `before`: versions that are kept no longer count too, for where their images are. */
export async function pruneBuilds(
  service: string,
  { before, kept }: { readonly before: readonly VersionRow[]; readonly kept: readonly VersionRow[] },
  { providers, owner }: ServiceDeps,
): Promise<void> {
  const keep = new Set(kept.map(({ image }) => image));
  const places = [...before, ...kept].map(({ spec }) => providers.find(decodeSpec(spec)));
  const asked = Array.from(new Set(places), async (provider) => {
    await provider?.builds?.prune(owner, service, keep);
  });
  // One machine that does not answer keeps no other from being tidied.
  await Promise.allSettled(asked);
  await Promise.all(asked);
}
