/**
 * Writes down what one plugin asked for. What was done or tried is always written down; what we refuse costs a plugin nothing, so it could
 * fill the log: beyond a rate it is counted, each kind by itself, and written once a second. Called by broker.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { AuditRow } from "../../state/audit.ts";
import type { CountedCalls } from "../../state/audit-totals.ts";
import { makeFloodGate } from "./flood-gate.ts";

export type AuditDesk = (row: Omit<AuditRow, "at" | "plugin" | "times">) => void;

/** Where it is kept: `uncounted` are calls that have no row of their own. */
export interface AuditLog {
  append(row: AuditRow, uncounted?: readonly CountedCalls[]): void;
}

export function makeAuditDesk(
  plugin: string,
  { audit, clock, log }: { readonly audit: AuditLog; readonly clock: Clock; readonly log: Log },
): AuditDesk {
  const dropped = new Map<string, CountedCalls>();
  const at = (): string => timestamp(clock.now());
  const refusals = makeFloodGate(
    clock,
    { burst: LIMITS.refusalBurst, perSecond: LIMITS.refusalsPerSecond },
    (times) => {
      const counted = [...dropped.values()];
      dropped.clear();
      const row = { ...MANY, at: at(), plugin, target: `${times} more calls`, times };
      try {
        audit.append(row, counted);
      } catch (error) {
        log.error("an audit line was lost", { plugin, dropped: times, problem: messageOf(error) });
      }
    },
  );
  return (row) => {
    if (!row.outcome.startsWith("capability.") || refusals.pass()) {
      audit.append({ at: at(), plugin, ...row });
      return;
    }
    const { method, capability, outcome } = row;
    const key = `${method} ${capability} ${outcome}`;
    const calls = (dropped.get(key)?.calls ?? 0) + 1;
    dropped.set(key, { plugin, method, capability, outcome, calls, at: at() });
  };
}

// --- internal ---

const MANY = { method: "*", capability: null, outcome: "refused" } as const;
