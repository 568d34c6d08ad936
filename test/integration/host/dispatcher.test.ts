/** From an event in the outbox to every plugin that observes it: order, failures, restarts, replays. */
import { describe, expect, test } from "bun:test";
import { fail, isVoxError } from "../../../src/base/errors.ts";
import { newId } from "../../../src/base/ids.ts";
import { sampleEvent } from "../../../src/engine/events/samples.ts";
import { fakeClock, tempDir, until } from "../../harness.ts";
import {
  deployData,
  describeDelivery,
  emitDeploy,
  openRig,
  serviceOf,
  startRig,
  type FakePlugin,
  type FakePlugins,
} from "./event-rig.ts";

/** Notes the services that it is told about. */
function recorder(more: Partial<FakePlugin> = {}) {
  const seen: string[] = [];
  return { seen, plugin: { run: (event) => void seen.push(serviceOf(event)), ...more } satisfies FakePlugin };
}

const boom = () => {
  throw fail("plugin.failed", "boom");
};

describe("the dispatcher", () => {
  test("brings each event to each plugin that observes its hook, in the order of events", async () => {
    const [a, b, other] = [recorder(), recorder(), recorder({ hooks: ["on_alert"] })];
    await using rig = startRig(
      new Map([
        ["a", a.plugin],
        ["b", b.plugin],
        ["other", other.plugin],
      ]),
    );
    const ids = ["1", "2", "3"].map((service) => rig.emit(service).id);
    await until(() => a.seen.length === 3 && b.seen.length === 3);
    expect([a.seen, b.seen, other.seen]).toEqual([["1", "2", "3"], ["1", "2", "3"], []]);
    await rig.becomes(ids[2] ?? "", "b", "done 1");
    expect(rig.feed.find(ids[0] ?? "")?.deliveries).toEqual([
      { plugin: "a", state: "done", attempts: 1, error: null },
      { plugin: "b", state: "done", attempts: 1, error: null },
    ]);
  });

  test("gives the plugin the event as it was emitted", async () => {
    const got: unknown[] = [];
    await using rig = startRig(new Map([["a", { run: (event) => void got.push(event) }]]));
    const event = rig.emit("web");
    await until(() => got.length === 1);
    expect(got).toEqual([event]);
  });

  test("fans out a thousand events that came at once", async () => {
    const a = recorder();
    await using rig = startRig(new Map([["a", a.plugin]]));
    rig.transaction(() => {
      for (let i = 0; i < 1000; i++) rig.emit(String(i));
    });
    await until(() => a.seen.length === 1000);
    expect(a.seen).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
  });

  test("runs a failing delivery five times: at once, then after 1 s, 5 s, 30 s and 2 min, then it is dead", async () => {
    const runsAtMs: number[] = [];
    const plugin: FakePlugin = { run: () => (runsAtMs.push(rig.clock.monotonic()), boom()) };
    await using rig = startRig(new Map([["a", plugin]]));
    const { id } = rig.emit("web");
    for (const [attempts, waitMs] of [
      [1, 1_000],
      [2, 5_000],
      [3, 30_000],
      [4, 120_000],
    ] as const) {
      await rig.becomes(id, "a", `pending ${attempts}`);
      await rig.clock.advance(waitMs - 1);
      expect(rig.delivery(id, "a")).toEqual({
        plugin: "a",
        state: "pending",
        attempts,
        error: "plugin.failed: boom",
      });
      await rig.clock.advance(1);
    }
    await rig.becomes(id, "a", "dead 5");
    expect(runsAtMs).toEqual([0, 1_000, 6_000, 36_000, 156_000]);
    await rig.clock.advance(3_600_000);
    expect(runsAtMs.length).toBe(5);
    expect(rig.delivery(id, "a")?.error).toBe("plugin.failed: boom");
  });

  test("a poison event delays its own plugin only, and that one goes on after it", async () => {
    const good = recorder();
    const seen: string[] = [];
    const picky: FakePlugin = {
      run: (event) => (serviceOf(event) === "poison" ? boom() : void seen.push(serviceOf(event))),
    };
    await using rig = startRig(
      new Map([
        ["good", good.plugin],
        ["picky", picky],
      ]),
    );
    const { id } = rig.emit("poison");
    rig.emit("next");
    await until(() => good.seen.length === 2);
    for (const [attempts, waitMs] of [
      [1, 1_000],
      [2, 5_000],
      [3, 30_000],
      [4, 120_000],
    ] as const) {
      await rig.becomes(id, "picky", `pending ${attempts}`);
      expect(seen).toEqual([]);
      await rig.clock.advance(waitMs);
    }
    await until(() => seen.length === 1);
    expect([seen, good.seen]).toEqual([["next"], ["poison", "next"]]);
  });

  test("a hanging plugin delays nobody else", async () => {
    const good = recorder();
    const hanging: FakePlugin = { run: () => new Promise(() => {}) };
    await using rig = startRig(
      new Map([
        ["good", good.plugin],
        ["hanging", hanging],
      ]),
    );
    rig.emit("1");
    rig.emit("2");
    await until(() => good.seen.length === 2);
  });

  test("a suspended plugin's events wait until it tries again, with no attempt counted, and in order", async () => {
    const a = recorder();
    let untilMs = 45_000;
    const plugin: FakePlugin = {
      run(event) {
        const retryMs = untilMs - rig.clock.monotonic();
        if (retryMs > 0) throw fail("plugin.suspended", "it failed too often", { details: { retryMs } });
        return a.plugin.run?.(event);
      },
    };
    await using rig = startRig(new Map([["a", plugin]]));
    const ids = ["1", "2"].map((service) => rig.emit(service).id);
    await rig.becomes(ids[0] ?? "", "a", "pending 0");
    await rig.clock.advance(44_999);
    expect(rig.delivery(ids[0] ?? "", "a")).toMatchObject({
      state: "pending",
      attempts: 0,
      error: "plugin.suspended: it failed too often",
    });
    await rig.clock.advance(1);
    await rig.becomes(ids[1] ?? "", "a", "done 1");
    expect(a.seen).toEqual(["1", "2"]);
    // Told that it may try at once, it does not wait.
    untilMs = rig.clock.monotonic() + 600_000;
    const { id } = rig.emit("3");
    await until(() => rig.delivery(id, "a")?.error?.startsWith("plugin.suspended"));
    untilMs = 0;
    rig.dispatcher.pluginChanged("a");
    await rig.becomes(id, "a", "done 1");
  });

  test("a plugin that lost its hook gets no second chance", async () => {
    const plugin: FakePlugin = {
      run: () => {
        throw fail("plugin.no_hook", "no such handler");
      },
    };
    await using rig = startRig(new Map([["a", plugin]]));
    await rig.becomes(rig.emit("web").id, "a", "dead 1");
  });

  test("a runner that breaks is a failed attempt, and its text stays out of the record", async () => {
    const plugin: FakePlugin = {
      run: () => {
        throw new TypeError("secret");
      },
    };
    await using rig = startRig(new Map([["a", plugin]]));
    const { id } = rig.emit("web");
    await rig.becomes(id, "a", "pending 1");
    expect(rig.delivery(id, "a")?.error).toBe("internal.bug: something went wrong inside voxeltron");
  });

  test("an event for nobody is fanned out and stays in the list", async () => {
    await using rig = startRig();
    const { id } = rig.emit("web");
    await until(() => rig.rows.events.toFanOut(1).length === 0);
    expect(rig.feed.find(id)?.deliveries).toEqual([]);
  });

  test("pendingFor counts what waits for one plugin", async () => {
    await using rig = startRig(
      new Map([
        ["a", { run: boom }],
        ["b", recorder().plugin],
      ]),
    );
    const ids = [rig.emit("1"), rig.emit("2")].map((event) => event.id);
    await rig.becomes(ids[0] ?? "", "a", "pending 1");
    await rig.becomes(ids[1] ?? "", "b", "done 1");
    expect([rig.dispatcher.pendingFor("a"), rig.dispatcher.pendingFor("b")]).toEqual([2, 0]);
  });
});

describe("a plugin that may not run", () => {
  test.each(["disabled", "tampered"] as const)(
    "%s: keeps what is pending, is not tried in a loop, and gets it when it may run",
    async (state) => {
      let runs = 0;
      const a = recorder();
      const plugins: FakePlugins = new Map([["a", a.plugin]]);
      await using rig = startRig(plugins);
      const runner = { ...rig.runner };
      rig.runner.run = (...args) => (runs++, runner.run(...args));
      // Subscribed when the event came, turned off before it was run.
      rig.runner.subscribers = () => [{ plugin: "a", gate: false }];
      (plugins.get("a") as FakePlugin).state = state;
      const ids = [rig.emit("1").id, rig.emit("2").id];
      await until(() => rig.delivery(ids[0] ?? "", "a")?.error);
      expect(rig.delivery(ids[0] ?? "", "a")).toMatchObject({
        state: "pending",
        attempts: 0,
        error: expect.stringContaining(`plugin.${state}`),
      });
      rig.dispatcher.wake();
      rig.emit("3");
      await rig.clock.advance(299_000);
      expect(runs).toBe(1);
      rig.runner.subscribers = (hook) => runner.subscribers(hook);
      (plugins.get("a") as FakePlugin).state = "enabled";
      rig.dispatcher.pluginChanged("a");
      await until(() => a.seen.length === 3);
      expect(a.seen).toEqual(["1", "2", "3"]);
      await rig.becomes(ids[0] ?? "", "a", "done 1");
      expect(rig.delivery(ids[0] ?? "", "a")?.error).toBeNull();
    },
  );

  test("comes back by itself after five minutes where nobody says that it may run", async () => {
    const a = recorder({ state: "tampered" });
    const plugins: FakePlugins = new Map([["a", a.plugin as FakePlugin]]);
    await using rig = startRig(plugins);
    const { id } = rig.emit("1");
    await until(() => rig.delivery(id, "a")?.error);
    (plugins.get("a") as FakePlugin).state = "enabled";
    await rig.clock.advance(300_000);
    await until(() => a.seen.length === 1);
  });

  test("an event that happens while it is disabled is not for it", async () => {
    const a = recorder({ state: "disabled" });
    const plugins: FakePlugins = new Map([["a", a.plugin as FakePlugin]]);
    await using rig = startRig(plugins);
    const { id } = rig.emit("missed");
    await until(() => rig.rows.events.toFanOut(1).length === 0);
    (plugins.get("a") as FakePlugin).state = "enabled";
    rig.dispatcher.pluginChanged("a");
    rig.emit("seen");
    await until(() => a.seen.length === 1);
    expect([a.seen, describeDelivery(rig.feed.find(id), "a")]).toEqual([["seen"], "absent"]);
  });

  test("once removed, everything that waits for it is dead, and says why", async () => {
    const plugins: FakePlugins = new Map([
      ["a", { run: boom }],
      ["b", { run: boom }],
    ]);
    await using rig = startRig(plugins);
    const ids = [rig.emit("1").id, rig.emit("2").id];
    await rig.becomes(ids[0] ?? "", "a", "pending 1");
    plugins.delete("a");
    rig.dispatcher.pluginChanged("a");
    await rig.becomes(ids[0] ?? "", "a", "dead 1");
    expect(rig.delivery(ids[1] ?? "", "a")).toEqual({
      plugin: "a",
      state: "dead",
      attempts: 0,
      error: "plugin.not_found: no plugin is called a",
    });
    await rig.becomes(ids[1] ?? "", "b", "pending 0");
  });
});

describe("replay", () => {
  test("delivers the same event again, under the same id, to those that observe it now", async () => {
    const a = recorder();
    const got: string[] = [];
    const plugins: FakePlugins = new Map([["a", a.plugin]]);
    await using rig = startRig(plugins);
    const { id } = rig.emit("web");
    await rig.becomes(id, "a", "done 1");
    plugins.delete("a");
    plugins.set("late", { run: (event) => void got.push(event.id) });
    const view = rig.dispatcher.replay(id);
    expect(view.deliveries.map((delivery) => `${delivery.plugin} ${delivery.state}`)).toEqual([
      "a done",
      "late pending",
    ]);
    await rig.becomes(id, "late", "done 1");
    expect([a.seen, got]).toEqual([["web"], [id]]);
  });

  test("gives a dead letter all its attempts back", async () => {
    let broken = true;
    const plugin: FakePlugin = {
      run: () => {
        if (broken) throw fail("plugin.no_hook", "x");
      },
    };
    await using rig = startRig(new Map([["a", plugin]]));
    const { id } = rig.emit("web");
    await rig.becomes(id, "a", "dead 1");
    broken = false;
    rig.dispatcher.replay(id);
    await rig.becomes(id, "a", "done 1");
    expect(rig.delivery(id, "a")?.error).toBeNull();
  });

  test("hurries a delivery that waits for its next attempt", async () => {
    let broken = true;
    await using rig = startRig(
      new Map([
        [
          "a",
          {
            run: () => {
              if (broken) boom();
            },
          },
        ],
      ]),
    );
    const { id } = rig.emit("web");
    await rig.becomes(id, "a", "pending 1");
    broken = false;
    rig.dispatcher.replay(id);
    await rig.becomes(id, "a", "done 1");
  });

  test("of a delivery that is running runs it once more", async () => {
    const ends: (() => void)[] = [];
    await using rig = startRig(
      new Map([["a", { run: () => new Promise<void>((resolve) => ends.push(resolve)) }]]),
    );
    const { id } = rig.emit("web");
    await until(() => ends.length === 1);
    rig.dispatcher.replay(id);
    ends[0]?.();
    await until(() => ends.length === 2);
    expect(rig.delivery(id, "a")).toMatchObject({ state: "pending", attempts: 0 });
    ends[1]?.();
    await rig.becomes(id, "a", "done 1");
    expect(ends.length).toBe(2);
  });

  test("right after the plugin was done is not swallowed by the mark that is not written yet", async () => {
    const a = recorder();
    await using rig = startRig(new Map([["a", a.plugin]]));
    const { id } = rig.emit("web");
    while (a.seen.length === 0) await Promise.resolve();
    await Promise.resolve();
    rig.dispatcher.replay(id);
    await until(() => a.seen.length === 2);
    await rig.becomes(id, "a", "done 1");
  });

  test("never asks gates", async () => {
    const asked: string[] = [];
    const gate: FakePlugin = { run: (event) => void asked.push(event.id), gate: true };
    await using rig = startRig(new Map([["gate", gate]]));
    const { id } = await rig.events.announce("on_deploy_start", deployData("web"), AbortSignal.timeout(5000));
    rig.dispatcher.replay(id);
    await rig.clock.advance(10_000);
    expect(asked).toEqual([id]);
    expect(describeDelivery(rig.feed.find(id), "gate")).toBe("done 1");
  });

  test.each(["", "x", "'; DROP TABLE events", newId()])("of %p says that there is none", async (id) => {
    await using rig = startRig();
    const error = (() => {
      try {
        return rig.dispatcher.replay(id);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(isVoxError(error) && error.code).toBe("event.not_found");
  });
});

describe("over a restart", () => {
  test("what was not delivered goes out, in order, with its attempts", async () => {
    await using dir = tempDir();
    const clock = fakeClock();
    const path = `${dir.path}/state.db`;
    const first = openRig(path, new Map([["a", { run: boom }]]), clock);
    first.dispatcher.start();
    const { id } = emitDeploy(first.events, "1");
    emitDeploy(first.events, "2");
    await until(() => describeDelivery(first.feed.find(id), "a") === "pending 1");
    await first.dispatcher.stop(0);
    // Written, but nobody was told: the daemon died right after the commit.
    first.rows.events.insert(sampleEvent("on_deploy_success", { id: newId(), at: "2026-01-01T00:00:00Z" }));
    first.db.close();

    const a = recorder();
    const second = openRig(path, new Map([["a", a.plugin]]), clock);
    second.dispatcher.start();
    await clock.advance(999);
    expect(a.seen).toEqual([]);
    await clock.advance(1);
    await until(() => a.seen.length === 3);
    expect(a.seen).toEqual(["1", "2", "web"]);
    await until(() => describeDelivery(second.feed.find(id), "a") === "done 2");
    await second.dispatcher.stop(0);
    second.db.close();
  });

  test.each([
    ["back a year", -365 * 86_400_000],
    ["forward a year", 365 * 86_400_000],
  ])("a wall clock that was turned %s makes it wait no longer than the back-off", async (_name, shiftMs) => {
    await using dir = tempDir();
    const path = `${dir.path}/state.db`;
    const clock = fakeClock();
    const first = openRig(path, new Map([["a", { run: boom }]]), clock);
    first.dispatcher.start();
    const { id } = emitDeploy(first.events, "1");
    await until(() => describeDelivery(first.feed.find(id), "a") === "pending 1");
    await first.dispatcher.stop(0);
    first.db.close();

    const a = recorder();
    const turned = fakeClock(clock.now() + shiftMs);
    const second = openRig(path, new Map([["a", a.plugin]]), turned);
    second.dispatcher.start();
    await turned.advance(1_000);
    await until(() => a.seen.length === 1);
    await second.dispatcher.stop(0);
    second.db.close();
  });

  test("stop lets what is in hand end, and begins nothing more", async () => {
    const ends: (() => void)[] = [];
    await using rig = startRig(
      new Map([["a", { run: () => new Promise<void>((resolve) => ends.push(resolve)) }]]),
    );
    const ids = [rig.emit("1").id, rig.emit("2").id];
    await until(() => ends.length === 1);
    const stopped = rig.dispatcher.stop(10_000);
    ends[0]?.();
    await stopped;
    expect(ids.map((id) => describeDelivery(rig.feed.find(id), "a"))).toEqual(["done 1", "pending 0"]);
    expect(ends.length).toBe(1);
  });

  test("stop cuts off what takes too long; no attempt is counted and nothing is written later", async () => {
    let reason: unknown;
    const plugin: FakePlugin = {
      run: (_event, signal) =>
        new Promise((_, reject) =>
          signal?.addEventListener(
            "abort",
            () => ((reason = signal.reason), reject(fail("plugin.stopped", "x"))),
          ),
        ),
    };
    await using rig = startRig(new Map([["a", plugin]]));
    const { id } = rig.emit("1");
    await until(() => rig.delivery(id, "a"));
    const stopped = rig.dispatcher.stop(5_000);
    await rig.clock.advance(5_000);
    await stopped;
    expect(isVoxError(reason) && reason.code).toBe("daemon.stopping");
    await Bun.sleep(0);
    expect(rig.delivery(id, "a")).toEqual({ plugin: "a", state: "pending", attempts: 0, error: null });
  });
});

describe("when the state can't be written", () => {
  test("a plugin that has had its event is not run again; the record follows when it can", async () => {
    const a = recorder();
    await using rig = startRig(new Map([["a", a.plugin]]));
    const rows = { ...rig.rows.deliveries };
    let full = true;
    rig.rows.deliveries.update = (...args) => {
      if (full) throw fail("disk.full", "the disk is full");
      rows.update(...args);
    };
    const ids = [rig.emit("1").id, rig.emit("2").id];
    await until(() => a.seen.length === 1);
    await rig.clock.advance(20_000);
    expect(a.seen).toEqual(["1"]);
    full = false;
    await rig.clock.advance(5_000);
    await until(() => a.seen.length === 2);
    await rig.becomes(ids[1] ?? "", "a", "done 1");
    expect(a.seen).toEqual(["1", "2"]);
  });

  test("an event that could not be fanned out is, as soon as it can", async () => {
    const a = recorder();
    await using rig = startRig(new Map([["a", a.plugin]]));
    const rows = { ...rig.rows.deliveries };
    rig.rows.deliveries.add = () => {
      throw fail("disk.full", "the disk is full");
    };
    rig.emit("1");
    await Promise.resolve();
    await rig.clock.advance(4_000);
    expect(a.seen).toEqual([]);
    rig.rows.deliveries.add = (...args) => rows.add(...args);
    await rig.clock.advance(1_000);
    await until(() => a.seen.length === 1);
  });
});

describe("retention", () => {
  test("old events go as new ones come, but not one that a plugin has not had yet", async () => {
    const kept = 100_000;
    let broken = true;
    const plugin: FakePlugin = {
      run(event) {
        if (broken && serviceOf(event) === "first") boom();
      },
    };
    await using dir = tempDir();
    const clock = fakeClock();
    const path = `${dir.path}/state.db`;
    const filled = openRig(path, new Map([["a", plugin]]), clock);
    // Old events without deliveries, and one that still fails.
    filled.dispatcher.start();
    const { id } = emitDeploy(filled.events, "first");
    await until(() => describeDelivery(filled.feed.find(id), "a") === "pending 1");
    await filled.dispatcher.stop(0);
    filled.transaction(() => {
      for (let i = 0; i < kept + 10; i++) {
        const event = sampleEvent("on_alert", { id: newId(), at: "2026-01-01T00:00:00Z" });
        filled.rows.events.insert(event);
        filled.rows.events.markFannedOut(i + 2);
      }
    });
    filled.db.close();

    const rig = openRig(path, new Map([["a", plugin]]), clock);
    rig.dispatcher.start();
    emitDeploy(rig.events, "last");
    await until(() => rig.rows.events.toFanOut(1).length === 0);
    expect([rig.rows.events.findBySeq(1)?.event.id, rig.rows.events.findBySeq(2)]).toEqual([id, undefined]);
    expect(rig.rows.events.findBySeq(kept)).toBeDefined();
    broken = false;
    rig.dispatcher.pluginChanged("a");
    await until(() => rig.dispatcher.pendingFor("a") === 0);
    expect(describeDelivery(rig.feed.find(id), "a")).toBe("done 2");
    await rig.dispatcher.stop(0);
    rig.db.close();
  });
});
