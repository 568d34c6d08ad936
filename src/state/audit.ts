/**
 * The `audit` table: what plugins asked the broker for, and how it was answered. Capped for each of them, so
 * that none can push out what another did: the oldest rows go first. What they come to in all is in audit-totals.ts.
 */
import type { Database } from "./database.ts";
import { makePruning } from "./pruning.ts";

export interface AuditRows {
  append(row: AuditRow): void;
  /** A plugin's last `limit` rows that are meant, oldest first. They stay when the plugin is removed. */
  newest(plugin: string, which: WhichRows, limit: number): readonly StoredAuditRow[];
  /** The first `limit` rows after number `seq`, of one plugin or of all, oldest first. */
  after(plugin: string | undefined, which: WhichRows, seq: number, limit: number): readonly StoredAuditRow[];
  lastSeq(): number;
  /** When the oldest row was written that is kept of a plugin. */
  oldestAt(plugin: string): string | undefined;
  /** The rows that are meant, counted. */
  tally(plugin: string, which: WhichRows): readonly AuditTally[];
  /** What was reached or tried, the most frequent first. */
  targets(plugin: string, which: WhichRows): readonly AuditTargets[];
}

export interface AuditRow {
  readonly at: string;
  readonly plugin: string;
  /** Such as `notify.send`; `*` where it stands for calls of many kinds that were counted and not kept. */
  readonly method: string;
  /** What opened it, or would have; null where every plugin may. */
  readonly capability: string | null;
  /** A host or a channel; never a secret. */
  readonly target: string | null;
  /** `ok`, or the error's code. */
  readonly outcome: string;
  /** The hook in which it was called, or other words for when. */
  readonly during?: string | null | undefined;
  /** How many calls it stands for: one, unless it says otherwise. */
  readonly times?: number | undefined;
}

export interface StoredAuditRow extends AuditRow {
  readonly seq: number;
  readonly during: string | null;
  readonly times: number;
}

export interface WhichRows {
  /** RFC 3339; those at that time and later. */
  readonly since?: string | undefined;
  /** Only what was refused for want of a grant. */
  readonly deniedOnly?: boolean | undefined;
}

export interface AuditTally extends Pick<AuditRow, "capability" | "method" | "outcome"> {
  readonly calls: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface AuditTargets extends Pick<AuditRow, "capability" | "method"> {
  readonly target: string;
  readonly calls: number;
}

export function makeAuditRows(db: Database, rowsMax: number): AuditRows {
  const insert = db.query<
    null,
    [string, string, string, string | null, string | null, string, string | null, number]
  >(
    `INSERT INTO audit (at, plugin, method, capability, target, outcome, during, times)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const pruning = makePruning(db, "audit", rowsMax);
  const newest = db.query<StoredAuditRow, [string, ...Which, number]>(
    `SELECT ${COLUMNS} FROM audit WHERE plugin = ? AND ${IS_MEANT} ORDER BY seq DESC LIMIT ?`,
  );
  const after = db.query<StoredAuditRow, [number, string | null, string | null, ...Which, number]>(
    `SELECT ${COLUMNS} FROM audit WHERE seq > ? AND (? IS NULL OR plugin = ?) AND ${IS_MEANT} ORDER BY seq LIMIT ?`,
  );
  const last = db.query<{ seq: number }, []>("SELECT coalesce(max(seq), 0) AS seq FROM audit");
  const oldest = db.query<{ at: string }, [string]>(
    "SELECT at FROM audit WHERE plugin = ? ORDER BY seq LIMIT 1",
  );
  const tally = db.query<AuditTally, [string, ...Which]>(
    `SELECT capability, method, outcome, sum(times) AS calls, min(at) AS firstAt, max(at) AS lastAt
     FROM audit WHERE plugin = ? AND ${IS_MEANT} GROUP BY capability, method, outcome`,
  );
  const targets = db.query<AuditTargets, [string, ...Which]>(
    `SELECT capability, method, target, sum(times) AS calls FROM audit
     WHERE plugin = ? AND ${IS_MEANT} AND target IS NOT NULL AND method <> '*'
     GROUP BY capability, method, target ORDER BY calls DESC, target`,
  );

  return {
    append({ at, plugin, method, capability, target, outcome, during = null, times = 1 }) {
      insert.run(at, plugin, method, capability, target, outcome, during, times);
      pruning.wrote(plugin);
    },
    newest: (plugin, which, limit) => newest.all(plugin, ...bound(which), limit).toReversed(),
    after: (plugin, which, seq, limit) =>
      after.all(seq, plugin ?? null, plugin ?? null, ...bound(which), limit),
    lastSeq: () => last.get()?.seq ?? 0,
    oldestAt: (plugin) => oldest.get(plugin)?.at,
    tally: (plugin, which) => tally.all(plugin, ...bound(which)),
    targets: (plugin, which) => targets.all(plugin, ...bound(which)),
  };
}

/** Refused for want of a grant, or for one that is too narrow; `refused` is what counted calls have. */
export const DENIED_OUTCOMES = ["capability.denied", "capability.out_of_scope", "refused"] as const;

// --- internal ---

const COLUMNS = "seq, at, plugin, method, capability, target, outcome, during, times";

const IS_MEANT = `at >= ? AND (? = 0 OR outcome IN (${DENIED_OUTCOMES.map((each) => `'${each}'`).join(", ")}))`;

type Which = [since: string, deniedOnly: number];

function bound({ since = "", deniedOnly = false }: WhichRows): Which {
  return [since, deniedOnly ? 1 : 0];
}
