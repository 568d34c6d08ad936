/**
 * What it costs to hold 1,000 rules against 1,000 services, beside comparing as many numbers in a bare loop; and how long the daemon's
 * thread is held up meanwhile.
 */
import { systemClock } from "../../src/base/clock.ts";
import type { AlertRule } from "../../src/engine/alerts/rule.ts";
import { makeRuleWatch } from "../../src/engine/alerts/rule-watch.ts";
import type { MetricValues } from "../../src/state/metrics.ts";
import { heldUp, interleaved, median, timed, type Row } from "./measure.ts";

const COUNT = 1_000;
const LOOKS = 15;

export async function benchAlerts(): Promise<Row[]> {
  const services = new Map<string, MetricValues>(
    Array.from({ length: COUNT }, (_, index) => [`service-${index}`, { cpu_percent: index / 10 }]),
  );
  const rules = Array.from({ length: COUNT }, (_, index): AlertRule => ({
    name: `rule-${index}`,
    metric: "cpu_percent",
    when: "above",
    // One service in a hundred is beyond it.
    threshold: 99,
    duration: 0,
    service: "*",
    channels: undefined,
  }));
  const watch = makeRuleWatch({
    rules: () => rules,
    readings: () => ({ services, host: undefined }),
    isService: () => true,
    clock: systemClock,
  });
  let found = 0;
  const pauses: number[] = [];
  const times = await interleaved(LOOKS, {
    ours: () =>
      timed(async () => {
        for await (const _ of watch.look([])) found++;
      }),
    bare: () =>
      timed(() => {
        for (const rule of rules)
          for (const values of services.values()) if ((values.cpu_percent ?? 0) > rule.threshold) found--;
      }),
  });
  for (let index = 0; index < LOOKS; index++)
    pauses.push(
      ...(await heldUp(async () => {
        for await (const _ of watch.look([]));
      })),
    );
  if (found !== 0) throw new Error("the rules found something else than the bare loop");
  return [
    {
      what: "alerts: 1,000 rules over 1,000 services, one look",
      value: median(times.ours),
      unit: "ms",
      runs: LOOKS,
    },
    {
      what: "the same / comparing as many numbers",
      value: median(times.ours) / median(times.bare),
      unit: "×",
      runs: LOOKS,
    },
    {
      what: "of that, the thread is held up at most",
      value: Math.max(...pauses),
      unit: "ms",
      runs: pauses.length,
    },
  ];
}
