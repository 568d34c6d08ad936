/** The `plugin_logs` table: what plugins logged, capped for each of them in lines and in bytes: the oldest lines go first. */
import type { Database } from "./database.ts";
import { makePruning } from "./pruning.ts";

export interface PluginLogRows {
  /** Gives the line's number. */
  append(plugin: string, line: PluginLogLine): number;
  /** The last `limit` lines, oldest first. */
  newest(plugin: string, limit: number): readonly StoredLogLine[];
  /** The first `limit` lines after number `seq`, oldest first. */
  after(plugin: string, seq: number, limit: number): readonly StoredLogLine[];
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

export interface LogBounds {
  readonly rows: number;
  readonly bytes: number;
}

export function makePluginLogRows(db: Database, most: LogBounds): PluginLogRows {
  const insert = db.query<{ seq: number }, [string, string, string, string, string | null]>(
    "INSERT INTO plugin_logs (plugin, at, level, text, fields) VALUES (?, ?, ?, ?, ?) RETURNING seq",
  );
  const size = db.query<{ bytes: number }, [string]>(
    `SELECT coalesce(sum(${LINE_BYTES}), 0) AS bytes FROM plugin_logs WHERE plugin = ?`,
  );
  const pruneBytes = db.query<null, [string, string, number]>(
    `DELETE FROM plugin_logs WHERE plugin = ? AND seq <=
       (SELECT max(seq) FROM
         (SELECT seq, sum(${LINE_BYTES}) OVER (ORDER BY seq DESC) AS bytes FROM plugin_logs WHERE plugin = ?)
        WHERE bytes > ?)`,
  );
  const pruning = makePruning(db, "plugin_logs", most.rows, (plugin) => {
    // A tenth more goes than has to: finding out where to cut costs ten times as much as the sum.
    if ((size.get(plugin)?.bytes ?? 0) > most.bytes) pruneBytes.run(plugin, plugin, 0.9 * most.bytes);
  });
  const newest = db.query<Stored, [string, number]>(
    `SELECT seq, at, level, text, fields FROM plugin_logs WHERE plugin = ? ORDER BY seq DESC LIMIT ?`,
  );
  const after = db.query<Stored, [string, number, number]>(
    `SELECT seq, at, level, text, fields FROM plugin_logs WHERE plugin = ? AND seq > ? ORDER BY seq LIMIT ?`,
  );
  const last = db.query<{ seq: number }, [string]>(
    "SELECT coalesce(max(seq), 0) AS seq FROM plugin_logs WHERE plugin = ?",
  );
  const clear = db.query<null, [string]>("DELETE FROM plugin_logs WHERE plugin = ?");

  return {
    append(plugin, line) {
      const fields = line.fields === undefined ? null : JSON.stringify(line.fields);
      const seq = insert.get(plugin, line.at, line.level, line.text, fields)?.seq ?? 0;
      pruning.wrote(plugin);
      return seq;
    },
    newest: (plugin, limit) => newest.all(plugin, limit).toReversed().map(fromStored),
    after: (plugin, seq, limit) => after.all(plugin, seq, limit).map(fromStored),
    lastSeq: (plugin) => last.get(plugin)?.seq ?? 0,
    clear(plugin) {
      clear.run(plugin);
      pruning.forget(plugin);
    },
  };
}

// --- internal ---

const LINE_BYTES = "octet_length(text) + coalesce(octet_length(fields), 0)";

/** The fields are kept as JSON. */
interface Stored extends Omit<StoredLogLine, "fields"> {
  readonly fields: string | null;
}

function fromStored({ fields, ...row }: Stored): StoredLogLine {
  if (fields === null) return row;
  return { ...row, fields: JSON.parse(fields) as Record<string, unknown> };
}
