/** What fires when, what is over when, who is told, and that nobody is told twice: over restarts, silences and clocks that are set. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { codeOf } from "../../../fixtures/rejection.ts";
import { makeAlertWorld, rule, type AlertWorld } from "./alert-world.ts";

function withRule(changes: Parameters<typeof rule>[0] = {}): AlertWorld {
  const world = makeAlertWorld();
  world.rules = [rule(changes)];
  world.wanted = ["web", "api"];
  world.states = { web: "running", api: "running" };
  world.channels = ["ops"];
  return world;
}

const cpu = (world: AlertWorld, value: number, service = "web") =>
  world.services.set(service, { cpu_percent: value });

describe("a rule", () => {
  test("fires once when its value was beyond the threshold for its duration, and is over once when it was back", async () => {
    const world = withRule();
    cpu(world, 95);
    await world.pass(60_000);
    expect(world.told).toEqual([]);
    await world.pass(30_000);
    expect(world.told).toEqual(["firing cpu web"]);
    cpu(world, 20);
    await world.pass(50_000);
    expect(world.told).toHaveLength(1);
    await world.pass(60_000);
    expect(world.told).toEqual(["firing cpu web", "resolved cpu web"]);
    expect(world.sent).toEqual(["ops: Alert: cpu (web)", "ops: Over: cpu (web)"]);
    await world.pass(300_000);
    expect(world.told).toHaveLength(2);
  });

  test("does not fire for a peak, however high, nor for two with a pause between", async () => {
    const world = withRule();
    for (const value of [100, 100, 100, 10, 100, 100, 100, 100]) {
      cpu(world, value);
      await world.pass(10_000);
    }
    expect(world.told).toEqual([]);
  });

  test("stays as it is while nothing is measured, and is over when its service or the rule is gone", async () => {
    const world = withRule();
    cpu(world, 95);
    await world.pass(90_000);
    world.services.clear();
    await world.pass(300_000);
    expect(world.told).toEqual(["firing cpu web"]);
    world.wanted = [];
    await world.pass(10_000);
    expect(world.told).toEqual(["firing cpu web", "resolved cpu web"]);

    const other = withRule();
    cpu(other, 95);
    await other.pass(90_000);
    other.rules = [];
    await other.pass(10_000);
    expect(other.told).toEqual(["firing cpu web", "resolved cpu web"]);
  });

  test("knows nothing of a service that was there before under the same name", async () => {
    const world = withRule();
    cpu(world, 95);
    await world.pass(40_000);
    world.wanted = [];
    world.services.clear();
    await world.pass(120_000);
    world.wanted = ["web"];
    cpu(world, 95);
    await world.pass(60_000);
    expect(world.told).toEqual([]);
    await world.pass(30_000);
    expect(world.told).toEqual(["firing cpu web"]);
  });

  test("for each service fires for each by itself; one for the host looks at the host", async () => {
    const world = withRule({ service: "*" });
    world.rules.push(
      rule({ name: "full", metric: "disk_percent", service: undefined, threshold: 80, duration: 0 }),
    );
    cpu(world, 95, "web");
    cpu(world, 96, "api");
    cpu(world, 10, "calm");
    world.host = { disk_bytes: 85, disk_limit_bytes: 100 };
    await world.pass(10_000);
    expect(world.told).toEqual(["firing full"]);
    await world.pass(80_000);
    expect(world.told.toSorted()).toEqual(["firing cpu api", "firing cpu web", "firing full"]);
    expect(world.alerts.list(false).find(({ name }) => name === "full")).toMatchObject({
      subject: "",
      value: 85,
      message: "disk_percent of the host is 85 %, above 80 %",
    });
  });

  test("may wait for too little", async () => {
    const world = withRule({ when: "below", threshold: 1, duration: 0 });
    cpu(world, 0.5);
    await world.pass(10_000);
    expect(world.told).toEqual(["firing cpu web"]);
  });

  test("that was changed begins anew, and one that a reload read again goes on", async () => {
    const world = withRule();
    cpu(world, 95);
    await world.pass(50_000);
    world.rules = [rule()];
    await world.pass(20_000);
    expect(world.told).toEqual(["firing cpu web"]);
    const other = withRule();
    cpu(other, 95);
    await other.pass(50_000);
    other.rules = [rule({ threshold: 91 })];
    await other.pass(50_000);
    expect(other.told).toEqual([]);
  });
});

describe("a restart", () => {
  test("of the daemon tells nothing again, and forgets nothing", async () => {
    const world = withRule();
    cpu(world, 95);
    await world.pass(90_000);
    const next = world.reborn();
    await next.pass(300_000);
    expect(next.told).toEqual([]);
    cpu(next, 10);
    await next.pass(30_000);
    const last = next.reborn();
    await last.pass(90_000);
    expect(last.told).toEqual(["resolved cpu web"]);
  });

  test("delivers what was not delivered", async () => {
    const world = withRule({ duration: 0 });
    world.down.add("ops");
    cpu(world, 95);
    await world.pass(20_000);
    expect([world.told, world.sent]).toEqual([["firing cpu web", "firing notification-channel"], []]);
    const next = world.reborn();
    next.down.clear();
    await next.pass(120_000);
    expect(next.sent).toContain("ops: Alert: cpu (web)");
  });
});

test("a clock that is set changes nothing about what fires, and holds no message back for long", async () => {
  const world = withRule();
  cpu(world, 95);
  const now = world.clock.now.bind(world.clock);
  let set = 0;
  Object.assign(world.clock, { now: () => now() + set });
  await world.pass(30_000);
  set = -86_400_000;
  await world.pass(10_000);
  set = 86_400_000;
  await world.pass(10_000);
  expect(world.told).toEqual([]);
  await world.pass(30_000);
  expect(world.told).toEqual(["firing cpu web"]);
  world.down.add("ops");
  cpu(world, 1);
  await world.pass(70_000);
  world.down.clear();
  set = -86_400_000;
  await world.pass(30_000);
  expect(world.sent).toEqual(["ops: Alert: cpu (web)", "ops: Over: cpu (web)"]);
});

describe("a service", () => {
  test("whose provider hangs keeps the other alerts waiting for seconds, however many there are", async () => {
    const world = makeAlertWorld();
    world.wanted = Array.from({ length: 200 }, (_, index) => `web-${index}`);
    world.statesTakeMs = LIMITS.providerStatusMs;
    let isOver = false;
    void world.alerts.look().then(() => (isOver = true));
    for (let seconds = 0; seconds < 20; seconds++) await world.clock.advance(1_000);
    expect(isOver).toBe(true);
  });

  test("that should run and does not is told of after a minute, and when it is back", async () => {
    const world = withRule();
    world.states["web"] = "exited";
    await world.pass(60_000);
    expect(world.told).toEqual([]);
    await world.pass(20_000);
    expect(world.told).toEqual(["firing service-down web"]);
    expect(world.alerts.list(false)[0]?.message).toBe("web should run, and is exited");
    const next = world.reborn();
    await next.pass(60_000);
    cpu(next, 1);
    await next.pass(10_000);
    expect(next.told).toEqual(["resolved service-down web"]);
  });

  test("whose provider does not answer is not to be seen", async () => {
    const world = withRule();
    delete world.states["web"];
    await world.pass(90_000);
    expect(world.alerts.list(false)[0]?.message).toContain("its provider does not answer");
  });

  test("that restarts three times in ten minutes is told of, and ten quiet minutes later that it is over", async () => {
    const world = withRule();
    for (const restarts of [0, 1, 2, 2, 3]) {
      world.services.set("web", { restarts });
      await world.pass(60_000);
    }
    expect(world.told).toEqual(["firing restart-loop web"]);
    await world.pass(540_000);
    expect(world.told).toHaveLength(1);
    await world.pass(120_000);
    expect(world.told).toEqual(["firing restart-loop web", "resolved restart-loop web"]);
  });

  test("whose new version begins to count anew has not restarted", async () => {
    const world = withRule();
    for (const restarts of [50, 0, 50, 0, 50]) {
      world.services.set("web", { restarts });
      if (restarts === 50) await world.pass(10_000);
      else world.services.set("web", { restarts: 50 });
    }
    expect(world.told).toEqual([]);
  });
});

test("a full disk is over only when there is some room again", async () => {
  const world = withRule();
  for (const disk_bytes of [89, 91, 89, 91]) {
    world.host = { disk_bytes, disk_limit_bytes: 100 };
    await world.pass(10_000);
  }
  expect(world.told).toEqual(["firing disk"]);
  world.host = { disk_bytes: 80, disk_limit_bytes: 100 };
  await world.pass(10_000);
  expect(world.told).toEqual(["firing disk", "resolved disk"]);
});

test("a plugin in trouble is told of by its name and reason", async () => {
  const world = withRule();
  world.troubles = [{ subject: "bot", message: "the plugin bot is tampered: a file changed" }];
  await world.pass(70_000);
  expect(world.sent).toEqual(["ops: Alert: plugin (bot)"]);
  world.troubles = [];
  await world.pass(70_000);
  expect(world.told).toEqual(["firing plugin", "resolved plugin"]);
});

describe("a channel", () => {
  test("that is down is told of through the others, once, and when it takes messages again", async () => {
    const world = withRule({ duration: 0 });
    world.channels = ["ops", "backup"];
    world.down.add("ops");
    cpu(world, 95);
    await world.pass(40_000);
    expect(world.sent).toEqual(["backup: Alert: cpu (web)", "backup: Alert: notification-channel (ops)"]);
    world.down.clear();
    await world.pass(120_000);
    expect(world.sent.slice(2).toSorted()).toEqual([
      "backup: Over: notification-channel (ops)",
      "ops: Alert: cpu (web)",
    ]);
    expect(world.told.filter((line) => line.includes("notification-channel"))).toHaveLength(2);
  });

  test("that stays down is tried five times; then the message is let go of, and the alert stays over a restart", async () => {
    const world = withRule({ duration: 0 });
    world.down.add("ops");
    cpu(world, 95);
    await world.pass(3 * 3_600_000);
    const next = world.reborn();
    next.down.clear();
    await next.pass(60_000);
    expect([next.sent, next.told]).toEqual([[], []]);
    expect(next.alerts.list(false).map(({ name }) => name)).toEqual(["cpu", "notification-channel"]);
  });

  test("is chosen by the rule, else by [alerting]; none named is none told", async () => {
    const world = withRule({ duration: 0, channels: ["pager", "gone"] });
    world.channels = ["ops", "pager"];
    world.defaultChannels = [];
    cpu(world, 95);
    world.host = { disk_bytes: 95, disk_limit_bytes: 100 };
    await world.pass(10_000);
    expect(world.told).toEqual(["firing cpu web", "firing disk"]);
    expect(world.sent).toEqual(["pager: Alert: cpu (web)"]);
  });
});

describe("a silence", () => {
  test("tells nobody, is shown, and what still fires at its end is told then", async () => {
    const world = withRule({ duration: 0 });
    const until = "2026-01-01T01:00:00.000Z";
    expect(world.alerts.silence({ name: "cpu", duration: "1h" })).toEqual({
      name: "cpu",
      subject: "*",
      until,
    });
    cpu(world, 95);
    await world.pass(60_000);
    expect([world.told, world.sent]).toEqual([[], []]);
    expect(world.alerts.list(false)).toMatchObject([{ name: "cpu", silencedUntil: until }]);
    const next = world.reborn();
    await next.pass(3_600_000);
    expect(next.told).toEqual(["firing cpu web"]);
    expect(next.sent).toEqual(["ops: Alert: cpu (web)"]);
  });

  test("of one service is not one of the others, and what came and went meanwhile is never told", async () => {
    const world = withRule({ duration: 0, service: "*" });
    world.alerts.silence({ name: "cpu", subject: "web", duration: "10m" });
    cpu(world, 95, "web");
    cpu(world, 95, "api");
    await world.pass(10_000);
    cpu(world, 1, "web");
    cpu(world, 1, "api");
    await world.pass(1_200_000);
    expect(world.told).toEqual(["firing cpu api", "resolved cpu api"]);
  });

  test("can be ended, and says what it can't be", async () => {
    const world = withRule({ duration: 0 });
    world.alerts.silence({ name: "cpu", duration: "1h" });
    expect(world.alerts.silence({ name: "cpu", duration: "off" }).until).toBeNull();
    cpu(world, 95);
    await world.pass(10_000);
    expect(world.told).toEqual(["firing cpu web"]);
    const silence = (name: string, duration: string) =>
      codeOf(Promise.resolve().then(() => world.alerts.silence({ name, duration })));
    expect(await silence("cpu", "off")).toBe("alert.not_found");
    expect(await silence("cpu", "for ever")).toBe("alert.invalid");
    expect(await silence("cpu", "400d")).toBe("alert.invalid");
    expect(await silence("gpu", "1h")).toBe("alert.not_found");
  });
});

test("a built-in alert that is switched off does not fire, and one that fired is over", async () => {
  const world = withRule();
  world.host = { disk_bytes: 95, disk_limit_bytes: 100 };
  await world.pass(10_000);
  world.disabled = ["disk", "service-down"];
  world.states["web"] = "exited";
  await world.pass(120_000);
  expect(world.told).toEqual(["firing disk", "resolved disk"]);
});

test("a test goes to the alert's channels and changes nothing; without channels it says so", async () => {
  const world = withRule();
  expect(await world.alerts.test("cpu")).toEqual(["ops"]);
  expect([world.sent, world.told, world.alerts.list(true)]).toEqual([["ops: Test of the alert cpu"], [], []]);
  world.channels = [];
  expect(await codeOf(world.alerts.test("cpu"))).toBe("alert.no_channel");
  expect(await codeOf(world.alerts.test("gpu"))).toBe("alert.not_found");
});
