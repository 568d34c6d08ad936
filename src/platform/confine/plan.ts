/**
 * What the daemon tells a child about its confinement: as the first word of the role `__confine`, and from there in the
 * environment of the process that seals itself. Nothing secret is in it.
 */
import type { Profile } from "./profile.ts";

export interface ConfinePlan {
  readonly profile: Profile;
  readonly uid: number | undefined;
  /** Memory that it may have as data, private and writable; the kernel refuses more. */
  readonly dataBytes: number;
  readonly cpuSeconds: number | undefined;
  /** The daemon's process: a child that finds another parent was left behind, and ends. */
  readonly parent: number;
  readonly confined: boolean;
  /** Descriptors that the launcher leaves open for the seal to close. */
  readonly kept: readonly number[];
}

export const PLAN_VARIABLE = "VOXELTRON_CONFINEMENT";

export function writePlan(plan: ConfinePlan): string {
  return JSON.stringify(plan);
}

/** Undefined for anything that this program didn't write. */
export function readPlan(text: string | undefined): ConfinePlan | undefined {
  try {
    const plan = JSON.parse(text ?? "") as ConfinePlan;
    const isPlan =
      (plan.profile === "guest" || plan.profile === "bundler") &&
      typeof plan.confined === "boolean" &&
      [plan.dataBytes, plan.parent, plan.uid ?? 0, plan.cpuSeconds ?? 0].every(Number.isSafeInteger) &&
      plan.kept.every(Number.isSafeInteger);
    return isPlan ? plan : undefined;
  } catch {
    return undefined;
  }
}
