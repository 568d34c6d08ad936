import { expect, test } from "bun:test";
import { makeGuestTimers } from "../../../../../src/host/runtimes/js/guest-timers.ts";
import { until } from "../../../../harness.ts";

test("an id that is started again has one timer, not two", async () => {
  const fired: number[] = [];
  const timers = makeGuestTimers((id) => void fired.push(id));
  for (let i = 0; i < 100; i++) timers.start("1:1");
  timers.start("2:20");
  await until(() => fired.includes(2), { timeoutMs: 1000, what: "the later timer" });
  expect(fired).toEqual([1, 2]);
});
