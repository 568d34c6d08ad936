/**
 * Alerts: watches that look every few seconds, the desk that says what is new about it, the courier that tells people. Hooks are told by
 * `on_alert` as of every event. What is looked at and what it costs is bounded; a watch that fails costs its own alerts only.
 * Composed by the daemon; called by the API server.
 */
import { parseDuration } from "../../base/duration.ts";
import { timestamp, type Clock } from "../../base/clock.ts";
import { fail, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { nameAdvice, quote } from "../../base/text.ts";
import type { AlertRow, AlertRows } from "../../state/alerts.ts";
import type { Events } from "../events/events.ts";
import type { Notify } from "../notify/notify.ts";
import { BUILT_IN_ALERTS } from "./built-in.ts";
import { makeCourier } from "./courier.ts";
import { makeDesk } from "./desk.ts";
import type { Finding, Watch } from "./finding.ts";
import type { AlertRule } from "./rule.ts";
import type { AlertingSettings } from "./rule-schema.ts";
import { ANY, makeSilences } from "./silences.ts";

export interface Alerts {
  start(): void;
  /** One look of everything; the loop's, and for tests. */
  look(): Promise<void>;
  close(): Promise<void>;
  /** What fires first; with `all` also what is over, newest first. */
  list(all: boolean): AlertView[];
  /** Throws `alert.not_found`, `alert.invalid`. */
  silence(request: SilenceRequest): SilenceView;
  /** Sends a message that says that it is a test to the channels of the alert. Throws `alert.not_found`, `alert.no_channel`, `notify.*`. */
  test(name: string): Promise<readonly string[]>;
}

export interface AlertView extends Omit<AlertRow, "announced"> {
  /** null: people are told. */
  readonly silencedUntil: string | null;
}

export interface SilenceRequest {
  readonly name: string;
  /** Absent: whatever it is about. */
  readonly subject?: string | undefined;
  /** How long, such as `2h`; `off` ends a silence. */
  readonly duration: string;
}

export interface SilenceView {
  readonly name: string;
  readonly subject: string;
  /** null: there is no silence any more. */
  readonly until: string | null;
}

export interface AlertsDeps {
  readonly rows: AlertRows;
  readonly events: Pick<Events, "emit">;
  readonly notify: Pick<Notify, "send" | "channels">;
  readonly watches: readonly Watch[];
  readonly rules: () => readonly AlertRule[];
  readonly settings: () => AlertingSettings;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeAlerts(deps: AlertsDeps): Alerts {
  const { rows, events, notify, watches, rules, settings, clock, log } = deps;
  const silences = makeSilences(rows, clock);
  const desk = makeDesk({ rows, events, silences, channelsOf, clock });
  const courier = makeCourier({ rows, send: (...message) => notify.send(...message), clock, log });
  const troubled = new Set<string>();
  let cancel = (): void => {};
  let closed = false;
  let looking: Promise<void> | undefined;

  /** A channel is never the one to say that it takes no messages. */
  function channelsOf({ name, subject }: Pick<AlertRow, "name" | "subject">): readonly string[] {
    const wanted = rules().find((rule) => rule.name === name)?.channels ?? settings().channels;
    const there = notify.channels().filter((channel) => wanted?.includes(channel) ?? true);
    return name === "notification-channel" ? there.filter((channel) => channel !== subject) : there;
  }

  async function lookAt(watch: Watch): Promise<void> {
    const isOff = (name: string): boolean => settings().disable.includes(name);
    const findings: Finding[] = [];
    const its = desk.firing().filter(({ name }) => watch.owns(name));
    try {
      for await (const finding of watch.look(its)) if (!isOff(finding.name)) findings.push(finding);
      if (closed) return;
      desk.settle((name) => watch.owns(name), findings);
      troubled.delete(watch.what);
    } catch (error) {
      // Said once: a disk that is full stays so for a while.
      if (!troubled.has(watch.what) && !closed)
        log.warn("alerts can't be kept up", { of: watch.what, error: messageOf(error) });
      troubled.add(watch.what);
    }
  }

  /** Rules and built-in ones that are no more: their alerts are over. */
  function settleForgotten(): void {
    desk.settle((name) => !watches.some((watch) => watch.owns(name)), []);
  }

  async function lookAll(): Promise<void> {
    for (const watch of watches) await lookAt(watch);
    if (closed) return;
    settleForgotten();
    courier.deliver();
  }

  function look(): Promise<void> {
    looking ??= lookAll()
      .catch((error: unknown) => log.error("looking after alerts failed", { error: messageOf(error) }))
      .finally(() => (looking = undefined));
    return looking;
  }

  function again(): void {
    cancel = clock.after(LIMITS.alertLookMs, () => void look().finally(() => closed || again()));
  }

  function need(name: string): void {
    const known = [...BUILT_IN_ALERTS, ...rules().map((rule) => rule.name)];
    if (known.includes(name) || rows.list().some((row) => row.name === name)) return;
    throw fail("alert.not_found", `no alert is called ${quote(name)}`, { hint: nameAdvice(name, known) });
  }

  function view(row: AlertRow): AlertView {
    const { announced: _, ...rest } = row;
    const until = silences.until(row);
    return { ...rest, silencedUntil: until === undefined ? null : timestamp(until) };
  }

  return {
    start() {
      courier.deliver();
      again();
    },
    look,
    async close() {
      closed = true;
      cancel();
      await courier.close();
      await looking;
    },
    list(all) {
      const over = rows.list().filter(({ state }) => state === "resolved");
      const newest = over.toSorted((a, b) => (a.changedAt < b.changedAt ? 1 : -1));
      return [...desk.firing(), ...(all ? newest : [])].map(view);
    },
    silence({ name, subject = ANY, duration }) {
      need(name);
      if (duration === "off") {
        if (!silences.remove(name, subject))
          throw fail(
            "alert.not_found",
            `${name} is not silenced${subject === ANY ? "" : ` for ${quote(subject)}`}`,
          );
        return { name, subject, until: null };
      }
      const until = clock.now() + parseSilence(duration);
      silences.put({ name, subject, until });
      return { name, subject, until: timestamp(until) };
    },
    async test(name) {
      need(name);
      const channels = channelsOf({ name, subject: "" });
      if (channels.length === 0)
        throw fail("alert.no_channel", `no channel is told of ${name}`, {
          hint: "name one in [notify.NAME] of the configuration",
        });
      const text = `This is a test: ${name} does not fire, somebody asked whether its messages arrive.`;
      const message = {
        from: "voxeltron",
        title: `Test of the alert ${name}`,
        text,
        severity: "info",
      } as const;
      await Promise.all(channels.map((channel) => notify.send(channel, message)));
      return channels;
    },
  };
}

// --- internal ---

function parseSilence(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms <= LIMITS.alertSilenceMaxMs) return ms;
  throw fail(
    "alert.invalid",
    `a silence lasts a time such as 2h, at most ${formatDays(LIMITS.alertSilenceMaxMs)}, or is off, and got ${quote(text)}`,
  );
}

function formatDays(ms: number): string {
  return `${ms / 86_400_000} days`;
}
