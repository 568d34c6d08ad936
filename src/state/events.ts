/**
 * The `events` table: what happened, in order, and whether it was fanned out into deliveries yet.
 * Called by engine/events/outbox (which writes) and by host/ (which reads and fans out).
 */
import type { HookName, VoxeltronEvent } from "../sdk/index.ts";
import type { Database } from "./database.ts";

export interface EventRows {
  insert(event: VoxeltronEvent): void;
  has(id: string): boolean;
  /** How many there ever were. */
  countEver(): number;
  /** Whether what is written now may still be rolled back. */
  inTransaction(): boolean;
  find(id: string): StoredEvent | undefined;
  findBySeq(seq: number): StoredEvent | undefined;
  /** Oldest first. */
  toFanOut(limit: number): readonly StoredEvent[];
  markFannedOut(seq: number): void;
  /** The newest `limit`, oldest of them first; only those of `hook` where it is given. */
  newest(limit: number, hook?: HookName): readonly StoredEvent[];
  /**
   * Forgets events, and their deliveries, that are older than the newest `keep`; at most `limit` of them, oldest first. One that
   * is not fanned out or has a pending delivery stays, however old. Gives how many went.
   */
  prune(keep: number, limit: number): number;
}

export interface StoredEvent {
  /** Place in the order of all events; grows, and has nothing to do with the id. */
  readonly seq: number;
  readonly event: VoxeltronEvent;
}

export function makeEventRows(db: Database): EventRows {
  const columns = "SELECT seq, id, hook, at, data FROM events";
  const insert = db.prepare("INSERT INTO events (id, hook, at, data) VALUES (?, ?, ?, ?)");
  const has = db.prepare("SELECT 1 FROM events WHERE id = ?");
  const byId = db.prepare<EventRow, [string]>(`${columns} WHERE id = ?`);
  const bySeq = db.prepare<EventRow, [number]>(`${columns} WHERE seq = ?`);
  const notFannedOut = db.prepare<EventRow, [number]>(`${columns} WHERE fanned_out = 0 ORDER BY seq LIMIT ?`);
  const fannedOut = db.prepare("UPDATE events SET fanned_out = 1 WHERE seq = ?");
  const newest = db.prepare<EventRow, [number]>(`${columns} ORDER BY seq DESC LIMIT ?`);
  const newestOfHook = db.prepare<EventRow, [string, number]>(
    `${columns} WHERE hook = ? ORDER BY seq DESC LIMIT ?`,
  );
  const prune = db.prepare<{ seq: number }, [number, number]>(
    `DELETE FROM events WHERE seq IN (
       SELECT seq FROM events AS old
       WHERE seq <= (SELECT max(seq) FROM events) - ? AND fanned_out = 1
         AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_seq = old.seq AND state = 'pending')
       ORDER BY seq LIMIT ?)
     RETURNING seq`,
  );
  return {
    insert({ id, hook, at, ...data }) {
      insert.run(id, hook, at, JSON.stringify(data));
    },
    has: (id) => has.get(id) !== null,
    countEver: () =>
      db.query<{ seq: number }, []>("SELECT coalesce(max(seq), 0) AS seq FROM events").get()?.seq ?? 0,
    inTransaction: () => db.inTransaction,
    find: (id) => one(byId.get(id)),
    findBySeq: (seq) => one(bySeq.get(seq)),
    toFanOut: (limit) => notFannedOut.all(limit).map(storedEvent),
    markFannedOut(seq) {
      fannedOut.run(seq);
    },
    newest(limit, hook) {
      const rows = hook === undefined ? newest.all(limit) : newestOfHook.all(hook, limit);
      return rows.toReversed().map(storedEvent);
    },
    prune: (keep, limit) => prune.all(keep, limit).length,
  };
}

/** A row of the table, as deliveries.ts joins it too. */
export interface EventRow {
  readonly seq: number;
  readonly id: string;
  readonly hook: string;
  readonly at: string;
  readonly data: string;
}

/** The columns are what `insert` wrote, and the outbox lets only whole events through. */
export function storedEvent({ seq, id, hook, at, data }: EventRow): StoredEvent {
  const fields = JSON.parse(data) as object;
  return { seq, event: { id, hook, at, ...fields } as VoxeltronEvent };
}

// --- internal ---

function one(row: EventRow | null): StoredEvent | undefined {
  return row === null ? undefined : storedEvent(row);
}
