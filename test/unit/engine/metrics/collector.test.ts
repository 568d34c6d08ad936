import { expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeCollector, type Collector, type Target } from "../../../../src/engine/metrics/collector.ts";
import type { Measured } from "../../../../src/engine/metrics/recorder.ts";
import type { InstanceStats, Provider } from "../../../../src/engine/providers/provider.ts";
import { makeProviders } from "../../../../src/engine/providers/providers.ts";
import { fakeClock, until, type FakeClock } from "../../../harness.ts";
import { fakeProvider } from "../fake-provider.ts";

type Stats = (id: string) => Promise<InstanceStats | undefined>;

interface Desk {
  readonly collector: Collector;
  readonly clock: FakeClock;
  readonly recorded: Measured[];
  readonly warnings: string[];
  targets: Target[];
}

function makeDesk(providers: Readonly<Record<string, Stats | undefined>>): Desk {
  const clock = fakeClock();
  const recorded: Measured[] = [];
  const warnings: string[] = [];
  const desk = { clock, recorded, warnings, targets: [] as Target[] };
  const made = Object.entries(providers).map(([name, stats]): Provider =>
    stats === undefined ? fakeProvider(name) : { ...fakeProvider(name), stats },
  );
  const collector = makeCollector({
    targets: () => desk.targets,
    providers: makeProviders(() => made),
    readHost: () => ({
      cpuSeconds: clock.monotonic() / 2000,
      load1: 1,
      memoryBytes: 2,
      memoryTotalBytes: 3,
      diskBytes: 4,
      diskTotalBytes: 5,
    }),
    cpus: 2,
    record: async (_at, measured) => void recorded.push(...measured),
    clock,
    log: { ...silentLog, warn: (text) => void warnings.push(text) },
  });
  return Object.assign(desk, { collector });
}

const stats = (cpuSeconds: number): InstanceStats => ({ run: "first", cpuSeconds, memoryBytes: 7 });
const target = (service: string, provider: string): Target => ({
  service,
  provider,
  server: "local",
  instance: `vx-${service}-1`,
});
const many = (count: number, provider: string) =>
  Array.from({ length: count }, (_, index) => target(`${provider}-${index}`, provider));

test("a look measures every instance and the host, a second one gives rates", async () => {
  let cpu = 0;
  const desk = makeDesk({ fake: async () => stats((cpu += 5)) });
  desk.targets = [target("web", "fake")];
  await desk.collector.look();
  expect(desk.recorded).toMatchObject([
    { service: "", values: { load1: 1, memory_limit_bytes: 3, disk_bytes: 4 } },
    { service: "web", values: { memory_bytes: 7 } },
  ]);
  await desk.clock.advance(10_000);
  await desk.collector.look();
  expect(desk.collector.latest("web")?.values).toEqual({ cpu_percent: 50, memory_bytes: 7 });
  expect(desk.collector.host()?.values).toMatchObject({ cpu_percent: 50 });
});

test("what does not run, or can't be measured by its provider, is left out", async () => {
  const desk = makeDesk({ fake: async () => undefined, other: undefined });
  desk.targets = [target("web", "fake"), target("db", "other"), target("gone", "nobody")];
  await desk.collector.look();
  expect(desk.recorded.map(({ service }) => service)).toEqual([""]);
  expect(desk.collector.services()).toEqual([]);
});

test("what runs no more is forgotten", async () => {
  const desk = makeDesk({ fake: async () => stats(1) });
  desk.targets = [target("web", "fake"), target("db", "fake")];
  await desk.collector.look();
  desk.targets = [target("db", "fake")];
  await desk.collector.look();
  expect(desk.collector.services().map(({ service }) => service)).toEqual(["db"]);
});

test("a provider that hangs costs its own numbers only, a few questions, and one round at a time", async () => {
  let asked = 0;
  const desk = makeDesk({
    hung: () => {
      asked++;
      return new Promise<never>(() => {});
    },
    good: async () => stats(1),
  });
  desk.targets = [...many(100, "hung"), ...many(10, "good")];
  const first = desk.collector.look();
  await until(() => desk.collector.services().length === 10);
  const second = desk.collector.look();
  await desk.clock.advance(LIMITS.statsMs);
  await Promise.all([first, second]);
  expect(asked).toBe(LIMITS.statsConcurrent);
  expect(desk.recorded.filter(({ service }) => service.startsWith("good"))).toHaveLength(20);
  expect(desk.warnings).toEqual(["an instance can't be measured"]);
});

test("one instance that can't be measured keeps no other from it", async () => {
  const desk = makeDesk({
    fake: async (id) => {
      if (id === "vx-fake-3-1") throw fail("provider.failed", "no");
      return stats(1);
    },
  });
  desk.targets = many(20, "fake");
  await desk.collector.look();
  expect(desk.collector.services()).toHaveLength(19);
  await desk.collector.look();
  expect(desk.warnings).toHaveLength(1);
});

test("no more than a few instances are measured at a time", async () => {
  let [now, most] = [0, 0];
  const desk = makeDesk({
    fake: async () => {
      most = Math.max(most, ++now);
      await Bun.sleep(1);
      now--;
      return stats(1);
    },
  });
  desk.targets = many(3 * LIMITS.statsConcurrent, "fake");
  await desk.collector.look();
  expect(desk.collector.services()).toHaveLength(desk.targets.length);
  expect(most).toBe(LIMITS.statsConcurrent);
});
