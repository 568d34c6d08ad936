import { expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { watchFreeTime } from "../../../../../src/host/runtimes/process/watch-free-time.ts";
import { fakeClock } from "../../../../harness.ts";

const BUDGET = 1000;

function setUp() {
  const clock = fakeClock();
  const state = { used: 0 as number | undefined, free: true, asked: 0, overruns: 0 };
  const stop = watchFreeTime(
    clock,
    { cpuMs: () => state.used, budgetMs: BUDGET },
    { isFree: () => state.free, asked: () => state.asked, overrun: () => void state.overruns++ },
  );
  const look = (): Promise<void> => clock.advance(LIMITS.freeSlowLookMs);
  return { clock, state, stop, look };
}

test("more processor time than the budget between two calls is an overrun, told once", async () => {
  const { state, look } = setUp();
  state.used = BUDGET;
  await look();
  expect(state.overruns).toBe(0);
  state.used = BUDGET + 1;
  await look();
  await look();
  expect(state.overruns).toBe(1);
});

test("what a call takes does not count, however long it is", async () => {
  const { state, look } = setUp();
  state.free = false;
  state.used = 50 * BUDGET;
  await look();
  state.used = 100 * BUDGET;
  state.free = true;
  await look();
  state.used = 101 * BUDGET;
  await look();
  expect(state.overruns).toBe(0);
});

test("calls that begin and end between two looks give the budget again", async () => {
  const { state, look } = setUp();
  for (let i = 1; i < 20; i++) {
    state.asked = i;
    state.used = 3 * BUDGET * i;
    await look();
  }
  expect(state.overruns).toBe(0);
});

test("nothing is looked at any more after the end of the watch, or of the process", async () => {
  const stopped = setUp();
  stopped.stop();
  stopped.state.used = 2 * BUDGET;
  await stopped.look();
  expect(stopped.state.overruns).toBe(0);
  const gone = setUp();
  gone.state.used = undefined;
  await gone.look();
  gone.state.used = 2 * BUDGET;
  await gone.look();
  expect(gone.state.overruns).toBe(0);
});

test("a process that does nothing is looked at seldom, one that works often", async () => {
  const { clock, state } = setUp();
  state.used = 100;
  await clock.advance(LIMITS.freeSlowLookMs);
  state.used = 100 + BUDGET + 1;
  await clock.advance(LIMITS.freeLookMs - 1);
  expect(state.overruns).toBe(0);
  await clock.advance(1);
  expect(state.overruns).toBe(1);
});
