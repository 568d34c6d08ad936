/** The watch over this very test's process, with a clock whose hands are turned. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Clock } from "../../../../src/base/clock.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { makeMemoryWatch } from "../../../../src/platform/confine/memory-watch.ts";
import { fakeClock, needs, until } from "../../../harness.ts";

const GIB = 1024 ** 3;

test.skipIf(!needs("linux"))("a process with too much memory is told once, with what it has", async () => {
  const clock = fakeClock();
  const found: number[] = [];
  const stop = makeMemoryWatch(clock).watch(process.pid, 1024 * 1024, (bytes) => found.push(bytes));
  await clock.advance(LIMITS.confinedLookMs);
  expect(found).toHaveLength(1);
  expect(found[0]! / process.memoryUsage.rss()).toBeWithin(0.5, 2);
  await clock.advance(LIMITS.confinedLookMs * 10);
  expect(found).toHaveLength(1);
  stop();
});

test.skipIf(!needs("linux"))(
  "a process within its memory is left alone, and nothing stays open",
  async () => {
    const clock = fakeClock();
    const watch = makeMemoryWatch(clock);
    let told = false;
    const before = openFiles();
    const stop = watch.watch(process.pid, 1024 * GIB, () => (told = true));
    expect(openFiles()).toEqual([...before, `/proc/${process.pid}/stat`].toSorted());
    await clock.advance(1000);
    stop();
    stop();
    expect(openFiles()).toEqual(before);
    expect(told).toBe(false);
  },
);

test.skipIf(!needs("linux"))(
  "one timer looks at all, seldom while all are still, and not at all once nobody is left",
  async () => {
    const sleeper = Bun.spawn(["sleep", "60"]);
    await until(() => readFileSync(`/proc/${sleeper.pid}/stat`, "latin1").includes("(sleep) S"));
    const clock = fakeClock();
    const waits: number[] = [];
    const counting: Clock = { ...clock, after: (ms, task) => (waits.push(ms), clock.after(ms, task)) };
    const watch = makeMemoryWatch(counting);
    const stops = [sleeper.pid, sleeper.pid, sleeper.pid].map((pid) => watch.watch(pid, GIB, () => {}));
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
    sleeper.kill();
  },
);

test("a process that doesn't exist can't be watched", () => {
  expect(() => makeMemoryWatch(fakeClock()).watch(2 ** 22 + 1, GIB, () => {})).toThrow("ENOENT");
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
