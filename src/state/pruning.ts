/**
 * Caps what a table keeps of each plugin, and not at each row: counting back over thousands of rows costs more than writing one.
 * Called by audit.ts and plugin-logs.ts.
 */
import type { Database } from "./database.ts";

export interface Pruning {
  /** A row of this plugin was written. Takes the oldest away where a hundred have been written since it last did. */
  wrote(plugin: string): void;
  /** The plugin has no rows any more. */
  forget(plugin: string): void;
}

/** Of a table with the columns `plugin` and `seq`. `also`: what else bounds it, after the rows. */
export function makePruning(
  db: Database,
  table: "audit" | "plugin_logs",
  rowsMax: number,
  also: (plugin: string) => void = () => {},
): Pruning {
  const prune = db.query<null, [string, string, number]>(
    `DELETE FROM ${table} WHERE plugin = ? AND seq <=
       (SELECT seq FROM ${table} WHERE plugin = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
  );
  const since = new Map<string, number>();
  return {
    wrote(plugin) {
      const count = (since.get(plugin) ?? PRUNE_EVERY) + 1;
      if (count > PRUNE_EVERY) {
        prune.run(plugin, plugin, rowsMax);
        also(plugin);
      }
      since.set(plugin, count > PRUNE_EVERY ? 0 : count);
    },
    forget: (plugin) => void since.delete(plugin),
  };
}

// --- internal ---

const PRUNE_EVERY = 100;
