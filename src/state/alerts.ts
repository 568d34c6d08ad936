/**
 * The tables of alerts: one row for each thing that fires or did, silences, and the messages to channels that were not delivered yet.
 * Decides nothing. Called by engine/alerts.
 */
import { inTransaction, type Database } from "./database.ts";

export interface AlertRows {
  list(): readonly AlertRow[];
  put(row: AlertRow): void;
  /** Forgets all but so many of those that are resolved, the newest. */
  keepResolved(count: number): void;
  silences(): readonly SilenceRow[];
  putSilence(row: SilenceRow): void;
  removeSilence(name: string, subject: string): boolean;
  addNotice(notice: NewNotice): void;
  /** The oldest of each channel: what comes after it waits for it. */
  firstNotices(): readonly NoticeRow[];
  retryNotice(id: number, attempts: number, nextAt: number): void;
  removeNotice(id: number): void;
  /** Only so many of a channel are kept, the newest. Gives how many were let go of. */
  keepNotices(channel: string, count: number): number;
  transaction<T>(work: () => T): T;
}

export interface AlertRow {
  readonly name: string;
  /** What it is about: a service, a plugin, a channel, a domain; empty for the host. */
  readonly subject: string;
  /** The subject, where it is a service, or the service whose it is. */
  readonly service: string | null;
  readonly state: "firing" | "resolved";
  readonly metric: string;
  readonly value: number;
  readonly threshold: number;
  readonly message: string;
  /** Since when it fires or, resolved, fired. */
  readonly since: string;
  readonly changedAt: string;
  /** 0: it is silenced, and nobody was told that it fires. */
  readonly announced: 0 | 1;
}

export interface SilenceRow {
  readonly name: string;
  /** `*`: whatever the alert is about. */
  readonly subject: string;
  /** Wall clock, in milliseconds. */
  readonly until: number;
}

export interface NewNotice {
  readonly channel: string;
  readonly title: string;
  readonly text: string;
  readonly severity: "info" | "warning" | "error";
  readonly nextAt: number;
}

export interface NoticeRow extends NewNotice {
  readonly id: number;
  readonly attempts: number;
}

export function makeAlertRows(db: Database): AlertRows {
  const columns =
    "name, subject, service, state, metric, value, threshold, message, since, changed_at AS changedAt, announced FROM alerts";
  return {
    list: () => db.query<AlertRow, []>(`SELECT ${columns} ORDER BY name, subject`).all(),
    put(row) {
      db.query(
        `INSERT OR REPLACE INTO alerts
           (name, subject, service, state, metric, value, threshold, message, since, changed_at, announced)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        row.name,
        row.subject,
        row.service,
        row.state,
        row.metric,
        row.value,
        row.threshold,
        row.message,
        row.since,
        row.changedAt,
        row.announced,
      );
    },
    keepResolved(count) {
      db.query(
        `DELETE FROM alerts WHERE state = 'resolved' AND (name, subject) NOT IN
           (SELECT name, subject FROM alerts WHERE state = 'resolved' ORDER BY changed_at DESC LIMIT ?)`,
      ).run(count);
    },
    silences: () => db.query<SilenceRow, []>("SELECT name, subject, until FROM alert_silences").all(),
    putSilence({ name, subject, until }) {
      db.query("INSERT OR REPLACE INTO alert_silences (name, subject, until) VALUES (?, ?, ?)").run(
        name,
        subject,
        until,
      );
    },
    removeSilence: (name, subject) =>
      db.query("DELETE FROM alert_silences WHERE name = ? AND subject = ?").run(name, subject).changes > 0,
    addNotice({ channel, title, text, severity, nextAt }) {
      db.query(
        "INSERT INTO alert_notices (channel, title, text, severity, attempts, next_at) VALUES (?, ?, ?, ?, 0, ?)",
      ).run(channel, title, text, severity, nextAt);
    },
    firstNotices: () =>
      db
        .query<NoticeRow, []>(
          `SELECT id, channel, title, text, severity, attempts, next_at AS nextAt FROM alert_notices
             WHERE id IN (SELECT min(id) FROM alert_notices GROUP BY channel) ORDER BY id`,
        )
        .all(),
    retryNotice(id, attempts, nextAt) {
      db.query("UPDATE alert_notices SET attempts = ?, next_at = ? WHERE id = ?").run(attempts, nextAt, id);
    },
    removeNotice(id) {
      db.query("DELETE FROM alert_notices WHERE id = ?").run(id);
    },
    keepNotices: (channel, count) =>
      db
        .query(
          `DELETE FROM alert_notices WHERE channel = ?1 AND id NOT IN
             (SELECT id FROM alert_notices WHERE channel = ?1 ORDER BY id DESC LIMIT ?2)`,
        )
        .run(channel, count).changes,
    transaction: (work) => inTransaction(db, work),
  };
}
