/**
 * The `deliveries` table: one event on its way to one plugin, and the record of each gate that was asked. Which state follows
 * which is decided by the callers: host/dispatcher, host/deliveries/* and host/gates.
 */
import { inTransaction, type Database } from "./database.ts";
import { storedEvent, type EventRow, type StoredEvent } from "./events.ts";

export interface DeliveryRows {
  /**
   * One pending delivery for each plugin; nothing for one that has a delivery of this event or was asked as its gate. True
   * where all were added.
   */
  add(eventSeq: number, plugins: readonly string[], at: string): boolean;
  /** The same for a replay: what was delivered or given up becomes pending again, as if new. Gates' records stay. */
  renew(eventSeq: number, plugins: readonly string[], at: string): void;
  /** The head of one plugin's queue, in the order of events. */
  pending(plugin: string, limit: number): readonly PendingDelivery[];
  pluginsWithPending(): readonly string[];
  countPending(plugin: string): number;
  /** Of all plugins: what waits, and what was given up. */
  countOpen(): { readonly pending: number; readonly dead: number };
  /** All of them in one transaction. */
  update(changes: readonly DeliveryChange[], at: string): void;
  /** Gives up all that is pending for the plugin; the events that were concerned. */
  bury(plugin: string, error: string, at: string): readonly number[];
  /** Records that the plugin is about to be asked, so that nothing delivers the event to it later. Gives the event's `seq`. */
  openGate(eventId: string, plugin: string, at: string): number;
  dropGate(eventSeq: number, plugin: string): void;
  /** Gates that were asked and never recorded an answer: the daemon ended in between. */
  abandonGates(error: string, at: string): void;
  /** In the order of events, then of plugins' names. */
  ofEvents(eventSeqs: readonly number[]): readonly DeliveryRow[];
}

/** `pending` until it is `done`, or `dead` after the last attempt; a gate that said no is `refused`. */
export type DeliveryState = "pending" | "done" | "dead" | "refused";

export interface DeliveryRow {
  readonly eventSeq: number;
  readonly plugin: string;
  readonly state: DeliveryState;
  /** How often the plugin was run with it. */
  readonly attempts: number;
  readonly error: string | null;
}

export interface DeliveryChange extends DeliveryRow {
  /** Wall clock, milliseconds; not tried before. 0: at once. */
  readonly nextAt: number;
}

export interface PendingDelivery extends StoredEvent {
  readonly attempts: number;
  readonly nextAt: number;
}

export function makeDeliveryRows(db: Database): DeliveryRows {
  const queued = `INSERT INTO deliveries (event_seq, plugin, state, updated_at)
    SELECT ?1, value, 'pending', ?3 FROM json_each(?2) WHERE true ON CONFLICT (event_seq, plugin) DO`;
  const add = db.prepare(`${queued} NOTHING`);
  const renew = db.prepare(
    `${queued} UPDATE SET state = 'pending', attempts = 0, next_at = 0, error = NULL, updated_at = ?3 WHERE gate = 0`,
  );
  const waiting = "plugin = ? AND state = 'pending' AND gate = 0";
  const pending = db.prepare<EventRow & { attempts: number; nextAt: number }, [string, number]>(
    `SELECT seq, id, hook, at, data, attempts, next_at AS nextAt
     FROM deliveries JOIN events ON seq = event_seq WHERE ${waiting} ORDER BY event_seq LIMIT ?`,
  );
  const countPending = db.prepare<{ count: number }, [string]>(
    `SELECT count(*) AS count FROM deliveries WHERE ${waiting}`,
  );
  const update = db.prepare(
    `UPDATE deliveries SET state = ?, attempts = ?, next_at = ?, error = ?, updated_at = ?
     WHERE event_seq = ? AND plugin = ?`,
  );
  const ofEvents = db.prepare<DeliveryRow, [string]>(
    `SELECT event_seq AS eventSeq, plugin, state, attempts, error FROM deliveries
     WHERE event_seq IN (SELECT value FROM json_each(?)) ORDER BY event_seq, plugin`,
  );
  return {
    add: (eventSeq, plugins, at) => add.run(eventSeq, JSON.stringify(plugins), at).changes === plugins.length,
    renew(eventSeq, plugins, at) {
      renew.run(eventSeq, JSON.stringify(plugins), at);
    },
    pending: (plugin, limit) =>
      pending
        .all(plugin, limit)
        .map((row) => ({ ...storedEvent(row), attempts: row.attempts, nextAt: row.nextAt })),
    pluginsWithPending: () =>
      db
        .query<{ plugin: string }, []>(
          "SELECT DISTINCT plugin FROM deliveries WHERE state = 'pending' AND gate = 0 ORDER BY plugin",
        )
        .all()
        .map((row) => row.plugin),
    countPending: (plugin) => countPending.get(plugin)?.count ?? 0,
    countOpen: () => ({
      pending: countOf(db, "state = 'pending' AND gate = 0"),
      dead: countOf(db, "state = 'dead'"),
    }),
    update(changes, at) {
      inTransaction(db, () => {
        for (const { eventSeq, plugin, state, attempts, nextAt, error } of changes)
          update.run(state, attempts, nextAt, error, at, eventSeq, plugin);
      });
    },
    bury: (plugin, error, at) =>
      db
        .query<{ eventSeq: number }, [string, string, string]>(
          `UPDATE deliveries SET state = 'dead', error = ?, updated_at = ? WHERE ${waiting}
           RETURNING event_seq AS eventSeq`,
        )
        .all(error, at, plugin)
        .map((row) => row.eventSeq),
    openGate(eventId, plugin, at) {
      const row = db
        .query<{ eventSeq: number }, [string, string, string]>(
          `INSERT INTO deliveries (event_seq, plugin, gate, state, updated_at)
           SELECT seq, ?2, 1, 'pending', ?3 FROM events WHERE id = ?1
           ON CONFLICT (event_seq, plugin) DO UPDATE SET gate = 1, state = 'pending', updated_at = ?3
           RETURNING event_seq AS eventSeq`,
        )
        .get(eventId, plugin, at);
      if (row === null) throw new Error("a gate can be asked only about an event that was emitted");
      return row.eventSeq;
    },
    dropGate(eventSeq, plugin) {
      db.query("DELETE FROM deliveries WHERE event_seq = ? AND plugin = ? AND gate = 1").run(
        eventSeq,
        plugin,
      );
    },
    abandonGates(error, at) {
      db.query(
        "UPDATE deliveries SET state = 'dead', error = ?, updated_at = ? WHERE state = 'pending' AND gate = 1",
      ).run(error, at);
    },
    ofEvents: (eventSeqs) => ofEvents.all(JSON.stringify(eventSeqs)),
  };
}

function countOf(db: Database, condition: string): number {
  const sql = `SELECT count(*) AS count FROM deliveries WHERE ${condition}`;
  return db.query<{ count: number }, []>(sql).get()?.count ?? 0;
}
