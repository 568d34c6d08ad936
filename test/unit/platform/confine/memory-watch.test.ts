/** The watch over this very test's process, with a clock whose hands are turned. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Clock } from "../../../../src/base/clock.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { makeMemoryWatch, type Excess } from "../../../../src/platform/confine/memory-watch.ts";
import { openProcessStat } from "../../../../src/platform/confine/process-stat.ts";
import { threadsMax } from "../../../../src/platform/confine/threads-max.ts";
import { fakeClock, needs, until } from "../../../harness.ts";

const GIB = 1024 ** 3;

test.skipIf(!needs("linux"))("a process with too much memory is told once, with what it has", async () => {
  const clock = fakeClock();
  const found: number[] = [];
  const stat = openProcessStat(process.pid);
  const stop = makeMemoryWatch(clock).watch(stat, 1024 * 1024, (excess) =>
    found.push(excess.kind === "memory" ? excess.bytes : Number.NaN),
  );
  await clock.advance(LIMITS.confinedLookMs);
  expect(found).toHaveLength(1);
  expect(found[0]! / process.memoryUsage.rss()).toBeWithin(0.5, 2);
  await clock.advance(LIMITS.confinedLookMs * 10);
  expect(found).toHaveLength(1);
  stop();
  stat.close();
});

test.skipIf(!needs("linux"))(
  "a process with too many threads is told once, with how many it may have",
  async () => {
    const clock = fakeClock();
    const found: Excess[] = [];
    const use = { cpuMs: 0, threads: threadsMax(), residentPages: 1 };
    const stop = makeMemoryWatch(clock).watch({ read: () => use }, GIB, (excess) => found.push(excess));
    await clock.advance(LIMITS.confinedLookMs);
    expect(found).toEqual([]);
    use.threads++;
    await clock.advance(LIMITS.confinedLookMs * 3);
    stop();
    expect(found).toEqual([{ kind: "threads", most: threadsMax() }]);
  },
);

test.skipIf(!needs("linux"))("a process within its memory is left alone", async () => {
  const clock = fakeClock();
  let told = false;
  const stat = openProcessStat(process.pid);
  const stop = makeMemoryWatch(clock).watch(stat, 1024 * GIB, () => (told = true));
  await clock.advance(1000);
  stop();
  stop();
  stat.close();
  expect(told).toBe(false);
});

test.skipIf(!needs("linux"))(
  "one timer looks at all, seldom while all are still, and not at all once nobody is left",
  async () => {
    const sleeper = Bun.spawn(["sleep", "60"]);
    await until(() => readFileSync(`/proc/${sleeper.pid}/stat`, "latin1").includes("(sleep) S"));
    const clock = fakeClock();
    const waits: number[] = [];
    const counting: Clock = { ...clock, after: (ms, task) => (waits.push(ms), clock.after(ms, task)) };
    const watch = makeMemoryWatch(counting);
    const stats = [1, 2, 3].map(() => openProcessStat(sleeper.pid));
    const stops = stats.map((stat) => watch.watch(stat, GIB, () => {}));
    await clock.advance(
      LIMITS.confinedLookMs * (LIMITS.confinedStillLooks + 10) + LIMITS.confinedSlowLookMs * 3,
    );
    expect(waits.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => LIMITS.confinedLookMs));
    expect(waits.at(-1)).toBe(LIMITS.confinedSlowLookMs);
    for (const stop of stops) stop();
    await clock.advance(LIMITS.confinedSlowLookMs);
    const looks = waits.length;
    await clock.advance(10_000);
    expect(waits.length).toBe(looks);
    for (const stat of stats) stat.close();
    sleeper.kill();
  },
);

test.skipIf(!needs("linux"))(
  "what the kernel counts of a process can be closed, and then says nothing",
  () => {
    const before = openFiles();
    const stat = openProcessStat(process.pid);
    expect(openFiles()).toEqual([...before, `/proc/${process.pid}/stat`].toSorted());
    expect(stat.read()).toMatchObject({ threads: expect.any(Number) });
    stat.close();
    stat.close();
    expect(openFiles()).toEqual(before);
    expect(stat.read()).toBeUndefined();
  },
);

test("a process that doesn't exist can't be watched", () => {
  expect(() => openProcessStat(2 ** 22 + 1)).toThrow("ENOENT");
});

function openFiles(): string[] {
  return readdirSync("/proc/self/fd")
    .map((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`);
      } catch {
        return "";
      }
    })
    .filter((path) => path.startsWith("/proc/") && path.endsWith("/stat"))
    .toSorted();
}
