/** What plugins logged, capped for each of them: the oldest lines go first. */
import type { Database } from "bun:sqlite";

export function makePluginLogRecords(db: Database, rowsMax: number): PluginLogRecords {
  const insert = db.query<{ seq: number }, [string, string, string, string, string | null]>(
    "INSERT INTO plugin_logs (plugin, at, level, text, fields) VALUES (?, ?, ?, ?, ?) RETURNING seq",
  );
  const prune = db.query<null, [string, string, number]>(
    `DELETE FROM plugin_logs WHERE plugin = ? AND seq <=
       (SELECT seq FROM plugin_logs WHERE plugin = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
  );
  const newest = db.query<Row, [string, number]>(
    `SELECT seq, at, level, text, fields FROM plugin_logs WHERE plugin = ? ORDER BY seq DESC LIMIT ?`,
  );
  const after = db.query<Row, [string, number]>(
    `SELECT seq, at, level, text, fields FROM plugin_logs WHERE plugin = ? AND seq > ? ORDER BY seq`,
  );
  const last = db.query<{ seq: number }, [string]>(
    "SELECT coalesce(max(seq), 0) AS seq FROM plugin_logs WHERE plugin = ?",
  );
  const clear = db.query<null, [string]>("DELETE FROM plugin_logs WHERE plugin = ?");
  const sincePrune = new Map<string, number>();

  /** Not at each line: counting back over thousands of rows costs more than writing one. */
  function pruneSometimes(plugin: string): void {
    const count = (sincePrune.get(plugin) ?? PRUNE_EVERY) + 1;
    if (count > PRUNE_EVERY) prune.run(plugin, plugin, rowsMax);
    sincePrune.set(plugin, count > PRUNE_EVERY ? 0 : count);
  }

  return {
    append(plugin, line) {
      const fields = line.fields === undefined ? null : JSON.stringify(line.fields);
      const seq = insert.get(plugin, line.at, line.level, line.text, fields)?.seq ?? 0;
      pruneSometimes(plugin);
      return seq;
    },
    newest: (plugin, limit) => newest.all(plugin, limit).toReversed().map(fromRow),
    after: (plugin, seq) => after.all(plugin, seq).map(fromRow),
    lastSeq: (plugin) => last.get(plugin)?.seq ?? 0,
    clear(plugin) {
      clear.run(plugin);
      sincePrune.delete(plugin);
    },
  };
}

export interface PluginLogRecords {
  /** Gives the line's number. */
  append(plugin: string, line: PluginLogLine): number;
  /** The last `limit` lines, oldest first. */
  newest(plugin: string, limit: number): readonly StoredLogLine[];
  /** All lines after number `seq`, oldest first. */
  after(plugin: string, seq: number): readonly StoredLogLine[];
  /** The number of the newest line; 0 where there is none. */
  lastSeq(plugin: string): number;
  clear(plugin: string): void;
}

export interface PluginLogLine {
  readonly at: string;
  readonly level: string;
  readonly text: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface StoredLogLine extends PluginLogLine {
  readonly seq: number;
}

// --- internal ---

const PRUNE_EVERY = 100;

interface Row {
  readonly seq: number;
  readonly at: string;
  readonly level: string;
  readonly text: string;
  readonly fields: string | null;
}

function fromRow({ fields, ...row }: Row): StoredLogLine {
  if (fields === null) return row;
  return { ...row, fields: JSON.parse(fields) as Record<string, unknown> };
}
