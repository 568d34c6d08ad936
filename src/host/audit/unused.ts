/**
 * Whether a plugin still needs what it was granted: a capability that it did not use on thirty days on which the daemon ran is offered for
 * withdrawal. Days are counted, not time: a clock that jumps, and a machine that was off, take nothing away from a plugin. Pure.
 */
import { LIMITS } from "../../base/limits.ts";
import type { GrantRow } from "../../state/grants.ts";

export interface UnusedView {
  plugin: string;
  capability: string;
  grantedAt: string;
  /** Null: never. */
  lastUsedAt: string | null;
  /** Days since then on which the daemon ran. */
  days: number;
  /** What takes it back. */
  command: string;
}

/** `watchedAfter`: days after that one, up to today, on which the daemon ran. */
export function unusedGrants(
  plugin: string,
  grants: readonly GrantRow[],
  lastUse: (capability: string) => string | undefined,
  watchedAfter: (day: string) => number,
): UnusedView[] {
  return grants.flatMap(({ capability, grantedAt }) => {
    const lastUsedAt = lastUse(capability) ?? null;
    const since = lastUsedAt !== null && lastUsedAt > grantedAt ? lastUsedAt : grantedAt;
    const days = watchedAfter(dayOf(since));
    if (days < LIMITS.unusedDays) return [];
    const command = `voxeltron plugin revoke ${plugin} ${capability}`;
    return [{ plugin, capability, grantedAt, lastUsedAt, days, command }];
  });
}

/** The day of an RFC 3339 time in UTC. */
export function dayOf(at: string): string {
  return at.slice(0, 10);
}
