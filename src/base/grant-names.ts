/**
 * All that an operator can grant: the capabilities, and what it takes to run an executable, which no plugin.toml can ask for. Pure.
 * Used wherever grants are written, read or compared.
 */
import { CAPABILITIES, CAPABILITY_NAMES, isCapability, type Capability, type Risk } from "../sdk/index.ts";

/** A program runs with the daemon's user and full access. */
export const UNSANDBOXED = "unsandboxed";

export type GrantName = Capability | typeof UNSANDBOXED;

export const GRANT_NAMES: readonly GrantName[] = [...CAPABILITY_NAMES, UNSANDBOXED];

export function isGrantName(name: string): name is GrantName {
  return name === UNSANDBOXED || isCapability(name);
}

/** What nobody knows is taken for the worst. */
export function riskOf(name: string): Risk {
  return isCapability(name) ? CAPABILITIES[name].risk : "High";
}
