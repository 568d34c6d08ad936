/**
 * Which alerts fire. What a watch finds is compared with the record; each change is written once, together with its event and with the
 * messages that the channels are to be sent, so that neither a crash nor a restart tells anything twice or not at all. What is silenced
 * is recorded and told to nobody until the silence ends. Made by alerts.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { AlertRow, AlertRows, NewNotice } from "../../state/alerts.ts";
import type { Events } from "../events/events.ts";
import { keyOf, type Finding } from "./finding.ts";
import type { Silences } from "./silences.ts";

export interface Desk {
  firing(): readonly AlertRow[];
  /** `owns`: whose silence means that it is over. */
  settle(owns: (name: string) => boolean, findings: readonly Finding[]): void;
}

export interface DeskDeps {
  readonly rows: AlertRows;
  readonly events: Pick<Events, "emit">;
  readonly silences: Silences;
  /** The channels that are told of this alert. */
  readonly channelsOf: (alert: AlertRow) => readonly string[];
  readonly clock: Clock;
}

export function makeDesk({ rows, events, silences, channelsOf, clock }: DeskDeps): Desk {
  const known = new Map(rows.list().map((row) => [keyOf(row), row]));
  const firing = (): readonly AlertRow[] => [...known.values()].filter(({ state }) => state === "firing");

  /** Memory follows the disk: where the disk refuses, the next look tries again. */
  function write(row: AlertRow, isTold: boolean): void {
    rows.transaction(() => {
      rows.put(row);
      if (isTold) tell(row);
      if (row.state === "resolved") rows.keepResolved(LIMITS.alertResolvedKept);
    });
    known.set(keyOf(row), row);
  }

  function tell(row: AlertRow): void {
    const { name, state, metric, value, threshold, service, since, message } = row;
    events.emit("on_alert", {
      name,
      state,
      metric,
      value,
      threshold,
      ...(service === null ? {} : { service }),
      since,
      message,
    });
    for (const channel of channelsOf(row)) {
      rows.addNotice({ channel, ...noticeOf(row), nextAt: clock.now() });
      rows.keepNotices(channel, LIMITS.alertNoticesPerChannel);
    }
  }

  function fire(finding: Finding, now: string): void {
    const { state: _, ...about } = finding;
    const isTold = !silences.covers(finding);
    write({ ...about, state: "firing", since: now, changedAt: now, announced: isTold ? 1 : 0 }, isTold);
  }

  function resolve(row: AlertRow, now: string): void {
    const message = `${row.name} is over: ${row.message}`;
    const isTold = row.announced === 1 && !silences.covers(row);
    write({ ...row, state: "resolved", changedAt: now, message, announced: 0 }, isTold);
  }

  return {
    firing,
    settle(owns, findings) {
      const now = timestamp(clock.now());
      const found = new Map(findings.map((finding) => [keyOf(finding), finding]));
      for (const finding of findings)
        if (finding.state === "on" && known.get(keyOf(finding))?.state !== "firing") fire(finding, now);
      for (const row of firing()) {
        if (owns(row.name) && !found.has(keyOf(row))) resolve(row, now);
        else if (row.announced === 0 && !silences.covers(row)) write({ ...row, announced: 1 }, true);
      }
    },
  };
}

// --- internal ---

function noticeOf({ name, subject, state, message, since }: AlertRow): Omit<NewNotice, "channel" | "nextAt"> {
  const about = subject === "" ? name : `${name} (${subject})`;
  return state === "firing"
    ? { title: `Alert: ${about}`, text: message, severity: "error" }
    : { title: `Over: ${about}`, text: `${message}\nIt began at ${since}.`, severity: "info" };
}
