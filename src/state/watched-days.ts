/**
 * The `watched_days` table: the days (UTC) on which the daemon ran. A plugin can only be said not to have used something on days on which
 * it could have, and a clock that jumps over a year adds one day and no more.
 */
import type { Database } from "./database.ts";

export interface WatchedDayRows {
  /** `day`: `2026-01-31`. Of older days only the last `kept` stay. */
  mark(day: string): void;
  /** How many there are after `day`, up to and with `today`. */
  countBetween(day: string, today: string): number;
}

export function makeWatchedDayRows(db: Database, kept: number): WatchedDayRows {
  const mark = db.query<null, [string]>("INSERT OR IGNORE INTO watched_days (day) VALUES (?)");
  const prune = db.query<null, [number]>(
    "DELETE FROM watched_days WHERE day <= (SELECT day FROM watched_days ORDER BY day DESC LIMIT 1 OFFSET ?)",
  );
  const count = db.query<{ days: number }, [string, string]>(
    "SELECT count(*) AS days FROM watched_days WHERE day > ? AND day <= ?",
  );
  return {
    mark(day) {
      mark.run(day);
      prune.run(kept);
    },
    countBetween: (day, today) => count.get(day, today)?.days ?? 0,
  };
}
