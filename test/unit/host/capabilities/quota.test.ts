import { expect, test } from "bun:test";
import type { GrantName } from "../../../../src/base/grant-names.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeBroker } from "../../../../src/host/capabilities/broker.ts";
import { execMethods } from "../../../../src/host/capabilities/exec.ts";
import type { Caller } from "../../../../src/host/capabilities/method.ts";
import { DEFAULT_QUOTA, makeQuota, type QuotaRates } from "../../../../src/host/capabilities/quota.ts";
import { fakeClock } from "../../../harness.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";

function setUp(rates: Partial<QuotaRates> = {}) {
  const clock = fakeClock();
  const now = { ...DEFAULT_QUOTA, ...rates };
  return { clock, now, quota: makeQuota(clock, "ding", () => now) };
}

const refusal = (work: () => unknown) => rejection(Promise.try(work));

test("calls beyond the burst are refused with the time until there is room, and then there is", async () => {
  const { clock, quota } = setUp({ calls_per_second: 10 });
  for (let i = 0; i < 50; i++) quota.enter()();
  expect(await refusal(() => quota.enter())).toMatchObject({
    code: "capability.limit",
    message: "plugin ding makes more than 10 calls a second; there is room again in 100 ms",
    details: { plugin: "ding", waitMs: 100 },
  });
  await clock.advance(100);
  quota.enter()();
  expect(await refusal(() => quota.enter())).toMatchObject({ code: "capability.limit" });
});

test("calls at a time are counted until they end", async () => {
  const { quota } = setUp({ concurrent_calls: 2 });
  const leave = quota.enter();
  quota.enter();
  expect(await refusal(() => quota.enter())).toMatchObject({ code: "capability.limit" });
  leave();
  quota.enter();
});

test("bytes that went through are owed: a call is refused meanwhile, a stream waits", async () => {
  const { clock, quota } = setUp({ bytes_per_second: 1_000 });
  quota.count(5_000 + 2_000);
  expect(await refusal(() => quota.checkUse())).toMatchObject({ code: "capability.limit" });
  const waited = quota.awaitUse(new AbortController().signal).then(() => clock.monotonic());
  await clock.advance(3_000);
  expect(await waited).toBeWithin(2_000, 2_003);
  quota.checkUse();
});

test("what the operator writes anew counts at once", async () => {
  const { clock, now, quota } = setUp({ calls_per_second: 1 });
  for (let i = 0; i < 5; i++) quota.enter()();
  Object.assign(now, { calls_per_second: 1_000 });
  await clock.advance(10);
  for (let i = 0; i < 10; i++) quota.enter()();
});

test("one plugin's calls are not another's", async () => {
  const clock = fakeClock();
  const [noisy, quiet] = ["noisy", "quiet"].map((name) => makeQuota(clock, name, () => DEFAULT_QUOTA));
  for (let i = 0; i < 5 * DEFAULT_QUOTA.calls_per_second; i++) noisy?.enter()();
  expect(await refusal(() => noisy?.enter())).toMatchObject({ code: "capability.limit" });
  quiet?.enter()();
});

test("time that calls had the daemon for themselves is owed too, whatever the rates say", async () => {
  const { clock, quota } = setUp({ bytes_per_second: 1_000_000_000 });
  quota.spend(5 * LIMITS.callMsPerSecond - 1);
  quota.checkUse();
  quota.spend(LIMITS.callMsPerSecond);
  expect(await refusal(() => quota.checkUse())).toMatchObject({
    code: "capability.limit",
    message: expect.stringContaining("more than 250 ms of a second; there is room again in 1000 ms"),
    details: { plugin: "ding", waitMs: 1000 },
  });
  const waited = quota.awaitUse(new AbortController().signal).then(() => clock.monotonic());
  await clock.advance(1_000);
  expect(await waited).toBe(1_000);
  quota.checkUse();
});

test("what the daemon asks for an executable is not metered; a guest that names it is", async () => {
  const callers: Record<string, Caller> = {
    program: caller("program", ["unsandboxed"]),
    guest: caller("guest", []),
  };
  const broker = makeBroker({
    methods: execMethods(),
    callerOf: (plugin) => callers[plugin],
    audit: { append() {} },
    pluginLogs: { append: () => 0 },
    quota: () => ({ ...DEFAULT_QUOTA, calls_per_second: 1, concurrent_calls: 2 }),
    clock: fakeClock(),
    log: silentLog,
  });
  const ended = Promise.withResolvers<unknown>();
  const ask = (plugin: string) =>
    codeOf(broker.doorFor(plugin).invoke("exec.run", { entrypoint: "run", work: () => ended.promise }));
  const codes = async (plugin: string) => {
    const calls = Array.from({ length: 20 }, () => ask(plugin));
    ended.resolve(undefined);
    return new Set(await Promise.all(calls));
  };
  expect(await codes("program")).toEqual(new Set(["ok"]));
  expect(await codes("guest")).toEqual(new Set(["capability.unknown_method", "capability.limit"]));
});

function caller(plugin: string, names: readonly GrantName[]): Caller {
  const all = new Set(names);
  return {
    plugin,
    grants: new Map(names.map((name) => [name, null])),
    requested: all,
    optional: new Set(),
    withheld: new Set(),
  };
}
