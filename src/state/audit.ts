/** The `audit` table: what plugins asked the broker for, and how it was answered. Capped as a whole: the oldest rows go first. */
import type { Database } from "./database.ts";

export interface AuditRows {
  append(row: AuditRow): void;
  /** A plugin's last `limit` rows, oldest first. They stay when the plugin is removed. */
  list(plugin: string, limit: number): readonly AuditRow[];
}

export interface AuditRow {
  readonly at: string;
  readonly plugin: string;
  /** Such as `notify.send`. */
  readonly method: string;
  /** What opened it; null where every plugin may. */
  readonly capability: string | null;
  /** A host or a channel; never a secret. */
  readonly target: string | null;
  /** `ok`, or the error's code. */
  readonly outcome: string;
}

export function makeAuditRows(db: Database, rowsMax: number): AuditRows {
  const insert = db.query<{ seq: number }, [string, string, string, string | null, string | null, string]>(
    `INSERT INTO audit (at, plugin, method, capability, target, outcome) VALUES (?, ?, ?, ?, ?, ?) RETURNING seq`,
  );
  const prune = db.query<null, [number]>("DELETE FROM audit WHERE seq <= ?");
  const list = db.query<AuditRow, [string, number]>(
    `SELECT at, plugin, method, capability, target, outcome FROM audit WHERE plugin = ? ORDER BY seq DESC LIMIT ?`,
  );
  return {
    append(row) {
      const seq =
        insert.get(row.at, row.plugin, row.method, row.capability, row.target, row.outcome)?.seq ?? 0;
      if (seq % PRUNE_EVERY === 0) prune.run(seq - rowsMax);
    },
    list: (plugin, limit) => list.all(plugin, limit).toReversed(),
  };
}

// --- internal ---

const PRUNE_EVERY = 100;
