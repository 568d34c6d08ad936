/** Small parts of what runs inside of a plugin's process. */
import { expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { makeGarbageMeter } from "../../../../../src/host/runtimes/process/child/garbage-meter.ts";
import { makeHookClock } from "../../../../../src/host/runtimes/process/child/hook-clock.ts";

test("what falls due in a process that blocks runs when it is asked for, once, and not before its time", () => {
  const clock = makeHookClock();
  const ran: string[] = [];
  clock.after(0, () => void ran.push("due"));
  clock.after(60_000, () => void ran.push("later"));
  const cancel = clock.after(0, () => void ran.push("cancelled"));
  cancel();
  expect(ran).toEqual([]);
  clock.runDue();
  clock.runDue();
  expect(ran).toEqual(["due"]);
});

test("garbage is due each time that enough has passed, or enough was done", () => {
  const meter = makeGarbageMeter();
  meter.worked(LIMITS.processGarbageMs);
  expect([meter.isDue(), meter.isDue()]).toEqual([true, false]);
  meter.passed(LIMITS.processGarbageBytes - 1);
  expect(meter.isDue()).toBe(false);
  meter.passed(1);
  expect([meter.isDue(), meter.isDue()]).toEqual([true, false]);
});
