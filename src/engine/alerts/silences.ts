/** What people asked not to be told of, and until when. An alert that is silenced goes on being watched. Called by desk.ts and alerts.ts. */
import type { Clock } from "../../base/clock.ts";
import type { AlertRows, SilenceRow } from "../../state/alerts.ts";

export interface Silences {
  /** Until when, in milliseconds; undefined where it is not silenced. */
  until(alert: { readonly name: string; readonly subject: string }): number | undefined;
  covers(alert: { readonly name: string; readonly subject: string }): boolean;
  put(silence: SilenceRow): void;
  /** False where there was none. */
  remove(name: string, subject: string): boolean;
  list(): readonly SilenceRow[];
}

/** Whatever the alert is about. */
export const ANY = "*";

export function makeSilences(rows: AlertRows, clock: Clock): Silences {
  let all = rows.silences();

  /** Ended ones go with the next change. */
  function current(): readonly SilenceRow[] {
    return all.filter(({ until }) => until > clock.now());
  }

  function until({ name, subject }: Parameters<Silences["until"]>[0]): number | undefined {
    const its = current().filter(
      (row) => row.name === name && (row.subject === subject || row.subject === ANY),
    );
    return its.length === 0 ? undefined : Math.max(...its.map((row) => row.until));
  }

  return {
    until,
    covers: (alert) => until(alert) !== undefined,
    list: current,
    put(silence) {
      for (const row of all) if (row.until <= clock.now()) rows.removeSilence(row.name, row.subject);
      rows.putSilence(silence);
      all = rows.silences();
    },
    remove(name, subject) {
      const wasThere = current().some((row) => row.name === name && row.subject === subject);
      rows.removeSilence(name, subject);
      all = rows.silences();
      return wasThere;
    },
  };
}
