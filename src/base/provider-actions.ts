/**
 * What an executable that is a provider can be asked to do, with the time that each has: the devbox plugin API's five actions, and
 * those that plugin.yaml may offer beside them. Pure data. Used by host/manifest and by engine/providers.
 */
import { LIMITS } from "./limits.ts";

/** Every provider has these. */
export const REQUIRED_ACTIONS = ["create", "start", "stop", "destroy", "status"] as const;

/** Only where `actions` of plugin.yaml names them. */
export const OPTIONAL_ACTIONS = ["logs", "stats", "exec"] as const;

export const PROVIDER_ACTIONS = [...REQUIRED_ACTIONS, ...OPTIONAL_ACTIONS] as const;

export type OptionalAction = (typeof OPTIONAL_ACTIONS)[number];
export type ProviderAction = (typeof PROVIDER_ACTIONS)[number];

/** Creating pulls an image; everything else should be quick. */
export function defaultActionMs(action: ProviderAction): number {
  return action === "create" ? LIMITS.execCreateMs : LIMITS.execDefaultMs;
}
