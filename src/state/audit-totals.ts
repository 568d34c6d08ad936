/**
 * The `audit_totals` table: how often each plugin called what, and with which success, since it was first seen. It has one row for each
 * plugin, capability, method and kind of outcome, so it needs no cap; rows of the audit log that are no longer kept are in it.
 */
import { DENIED_OUTCOMES } from "./audit.ts";
import type { Database } from "./database.ts";

export interface AuditTotalRows {
  /** Adds to what is there. */
  add(calls: CountedCalls): void;
  /** In the order of capabilities and methods. */
  list(plugin: string): readonly AuditTotal[];
  /** Names of all plugins that ever asked for anything, in order. */
  plugins(): readonly string[];
}

export interface CountedCalls {
  readonly plugin: string;
  readonly capability: string | null;
  readonly method: string;
  readonly outcome: string;
  readonly calls: number;
  /** Of the last of them. */
  readonly at: string;
}

export interface AuditTotal {
  readonly capability: string | null;
  readonly method: string;
  readonly class: OutcomeClass;
  readonly calls: number;
  readonly firstAt: string;
  /** When the last one was made, as the clock said then. */
  readonly lastAt: string;
}

/** `denied`: for want of a grant that is wide enough. `failed`: whatever else was no success. */
export type OutcomeClass = "allowed" | "denied" | "failed";

export function outcomeClass(outcome: string): OutcomeClass {
  if (outcome === "ok") return "allowed";
  return (DENIED_OUTCOMES as readonly string[]).includes(outcome) ? "denied" : "failed";
}

export function makeAuditTotalRows(db: Database): AuditTotalRows {
  const add = db.query<null, [string, string, string, OutcomeClass, number, string, string]>(
    `INSERT INTO audit_totals (plugin, capability, method, class, calls, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, last_at = excluded.last_at`,
  );
  const list = db.query<AuditTotal, [string]>(
    `SELECT nullif(capability, '') AS capability, method, class, calls, first_at AS firstAt, last_at AS lastAt
     FROM audit_totals WHERE plugin = ? ORDER BY capability, method, class`,
  );
  const plugins = db.query<{ plugin: string }, []>(
    "SELECT DISTINCT plugin FROM audit_totals ORDER BY plugin",
  );
  return {
    add({ plugin, capability, method, outcome, calls, at }) {
      add.run(plugin, capability ?? "", method, outcomeClass(outcome), calls, at, at);
    },
    list: (plugin) => list.all(plugin),
    plugins: () => plugins.all().map((row) => row.plugin),
  };
}
