/**
 * The `audit` table: what plugins asked the broker for, and how it was answered. Capped for each of them, so
 * that none can push out what another did: the oldest rows go first.
 */
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
  const insert = db.query<null, [string, string, string, string | null, string | null, string]>(
    `INSERT INTO audit (at, plugin, method, capability, target, outcome) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const prune = db.query<null, [string, string, number]>(
    `DELETE FROM audit WHERE plugin = ? AND seq <=
       (SELECT seq FROM audit WHERE plugin = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
  );
  const list = db.query<AuditRow, [string, number]>(
    `SELECT at, plugin, method, capability, target, outcome FROM audit WHERE plugin = ? ORDER BY seq DESC LIMIT ?`,
  );
  const sincePrune = new Map<string, number>();
  return {
    append(row) {
      insert.run(row.at, row.plugin, row.method, row.capability, row.target, row.outcome);
      const count = (sincePrune.get(row.plugin) ?? PRUNE_EVERY) + 1;
      if (count > PRUNE_EVERY) prune.run(row.plugin, row.plugin, rowsMax);
      sincePrune.set(row.plugin, count > PRUNE_EVERY ? 0 : count);
    },
    list: (plugin, limit) => list.all(plugin, limit).toReversed(),
  };
}

// --- internal ---

const PRUNE_EVERY = 100;
