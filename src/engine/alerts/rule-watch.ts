/**
 * Holds the rules against what was measured last. A rule fires when its value was beyond the threshold for as long as the rule says, at
 * every look; it is over when the value was back for as long, a minute at most, so that it does not come and go. What is not measured
 * changes nothing. A thousand rules over a thousand services must cost little: only what is beyond a threshold has a record.
 * Made by the daemon.
 */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { AlertRow } from "../../state/alerts.ts";
import type { MetricValues } from "../../state/metrics.ts";
import type { Finding, Watch } from "./finding.ts";
import { isBreached, readerOf, targetOf, valueText, type AlertRule } from "./rule.ts";

export interface Readings {
  readonly services: ReadonlyMap<string, MetricValues>;
  readonly host: MetricValues | undefined;
}

export interface RuleWatchDeps {
  /** Asked each time; a rule that was changed begins anew. */
  readonly rules: () => readonly AlertRule[];
  /** What was measured last and is not too old. */
  readonly readings: () => Readings;
  readonly isService: (name: string) => boolean;
  readonly clock: Clock;
}

export function makeRuleWatch({ rules, readings, isService, clock }: RuleWatchDeps): Watch {
  let known = new Map<string, Standing>();

  /** A record stays only with a rule that is just as it was. */
  function standings(): readonly Standing[] {
    const now = rules().map((rule) => {
      const before = known.get(rule.name);
      return before !== undefined && isSame(before.rule, rule)
        ? before
        : { rule, read: readerOf(rule.metric), records: new Map<string, Record>() };
    });
    known = new Map(now.map((standing) => [standing.rule.name, standing]));
    return now;
  }

  return {
    what: "rules",
    owns: (name) => known.has(name) || rules().some((rule) => rule.name === name),
    async *look(firing) {
      const { services, host } = readings();
      const now = clock.monotonic();
      let resumed = now;
      const byRule = Map.groupBy(firing, ({ name }) => name);
      for (const standing of standings()) {
        forgetGone(standing, isService);
        const its = new Map(byRule.get(standing.rule.name)?.map((row) => [row.subject, row]));
        yield* judge(standing, { services, host }, its, now);
        for (const [subject, row] of its)
          // It fires, and was not measured: as long as the service is there nobody knows better.
          if (isSilent(standing, subject, { services, host }) && (subject === "" || isService(subject)))
            yield { ...row, state: "unclear" };
        if (clock.monotonic() - resumed < LIMITS.alertSliceMs) continue;
        await clock.sleep(0);
        resumed = clock.monotonic();
      }
    },
  };
}

// --- internal ---

interface Standing {
  readonly rule: AlertRule;
  readonly read: ReturnType<typeof readerOf>;
  /** By subject: only of what is beyond the threshold, or was a moment ago. */
  readonly records: Map<string, Record>;
}

interface Record {
  /** Monotonic: since when it is as it is. */
  readonly since: number;
  readonly isBeyond: boolean;
}

/** A service that comes again under the same name begins anew. */
function forgetGone({ records }: Standing, isService: (name: string) => boolean): void {
  for (const subject of records.keys()) if (subject !== "" && !isService(subject)) records.delete(subject);
}

/** A reload makes new objects of rules that nobody changed. */
function isSame(one: AlertRule, other: AlertRule): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

type Firing = ReadonlyMap<string, AlertRow>;

function* judge(standing: Standing, readings: Readings, firing: Firing, now: number): Generator<Finding> {
  const { rule, read, records } = standing;
  for (const [subject, values] of targetsOf(rule, readings)) {
    const value = read(values);
    if (value === undefined) continue;
    const isBeyond = isBreached(rule, value);
    // Nearly always, for nearly all.
    if (!isBeyond && records.size === 0 && firing.size === 0) continue;
    const state = judgeOne(standing, subject, isBeyond, firing.has(subject), now);
    if (state !== undefined) yield finding(rule, subject, value, state);
  }
}

function targetsOf(rule: AlertRule, { services, host }: Readings): Iterable<readonly [string, MetricValues]> {
  const target = targetOf(rule);
  if (target === "services") return services;
  const values = target === "host" ? host : services.get(target.service);
  return values === undefined ? [] : [[target === "host" ? "" : target.service, values]];
}

/** Undefined: it is well, or was not beyond the threshold for long enough yet. */
function judgeOne(
  { rule, records }: Standing,
  subject: string,
  isBeyond: boolean,
  fires: boolean,
  now: number,
): Finding["state"] | undefined {
  const record = nextRecord(records.get(subject), isBeyond, now);
  const held = now - record.since;
  const isCalm = !isBeyond && (!fires || held >= Math.min(rule.duration, LIMITS.alertCalmMs));
  if (isCalm) records.delete(subject);
  else records.set(subject, record);
  if (!isBeyond) return isCalm ? undefined : "unclear";
  return fires || held >= rule.duration ? "on" : undefined;
}

function nextRecord(before: Record | undefined, isBeyond: boolean, now: number): Record {
  return before?.isBeyond === isBeyond ? before : { since: now, isBeyond };
}

function isSilent({ read }: Standing, subject: string, { services, host }: Readings): boolean {
  const values = subject === "" ? host : services.get(subject);
  return values === undefined || read(values) === undefined;
}

function finding(rule: AlertRule, subject: string, value: number, state: Finding["state"]): Finding {
  const { name, metric, when, threshold } = rule;
  const whose = subject === "" ? "the host" : subject;
  return {
    name,
    subject,
    service: subject === "" ? null : subject,
    state,
    metric,
    value,
    threshold,
    message: `${metric} of ${whose} is ${valueText(metric, value)}, ${when} ${valueText(metric, threshold)}`,
  };
}
