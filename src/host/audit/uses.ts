/** From rows of the audit log to what a person reads: one line for each method that a plugin called. Pure. */
import { LIMITS } from "../../base/limits.ts";
import type { AuditTally, AuditTargets } from "../../state/audit.ts";
import { outcomeClass, type AuditTotal } from "../../state/audit-totals.ts";

export interface UseView {
  plugin: string;
  capability: string | null;
  method: string;
  allowed: number;
  denied: number;
  /** Let through, or refused for other reasons than a grant: bounds, parameters, the other end. */
  failed: number;
  firstAt: string;
  lastAt: string;
  /** The most frequent ones, of the calls whose rows are kept. */
  targets: { target: string; calls: number }[];
  /** How many different ones there are in those rows. */
  targetsInAll: number;
}

export function usesOf(
  plugin: string,
  totals: readonly AuditTotal[],
  targets: readonly AuditTargets[],
): UseView[] {
  const uses = new Map<string, UseView>();
  for (const { capability, method, class: kind, calls, firstAt, lastAt } of totals) {
    const key = keyOf({ capability, method });
    const use = uses.get(key) ?? emptyUse(plugin, capability, method, { firstAt, lastAt });
    use[kind] += calls;
    if (firstAt < use.firstAt) use.firstAt = firstAt;
    if (lastAt > use.lastAt) use.lastAt = lastAt;
    uses.set(key, use);
  }
  for (const each of targets) {
    const use = uses.get(keyOf(each));
    if (use === undefined) continue;
    use.targetsInAll++;
    if (use.targets.length < LIMITS.auditTargetsShown)
      use.targets.push({ target: each.target, calls: each.calls });
  }
  return [...uses.values()];
}

/** Outcomes as the kinds that the totals have. */
export function totalsOf(tally: readonly AuditTally[]): AuditTotal[] {
  return tally.map(({ outcome, ...counted }) => ({ ...counted, class: outcomeClass(outcome) }));
}

// --- internal ---

function keyOf({ capability, method }: Pick<AuditTotal, "capability" | "method">): string {
  return `${capability ?? ""} ${method}`;
}

function emptyUse(
  plugin: string,
  capability: string | null,
  method: string,
  when: Pick<AuditTotal, "firstAt" | "lastAt">,
): UseView {
  const none = { allowed: 0, denied: 0, failed: 0 };
  return { plugin, capability, method, ...none, ...when, targets: [], targetsInAll: 0 };
}
