import { describe, expect, test } from "bun:test";
import { makeNotifyRate } from "../../../../src/host/capabilities/notify-rate.ts";
import { fakeClock } from "../../../harness.ts";

function setUp(perMinute = 30) {
  const clock = fakeClock();
  const rate = makeNotifyRate({ clock, perMinute: () => perMinute });
  const taken = (plugin: string): number => {
    for (let count = 0; ; count++)
      try {
        rate.take(plugin);
      } catch {
        return count;
      }
  };
  return { clock, rate, taken };
}

describe("a plugin's share of notifications", () => {
  test("is a burst of ten, then one each two seconds", async () => {
    const { clock, taken } = setUp();
    expect(taken("a")).toBe(10);
    await clock.advance(1_900);
    expect(taken("a")).toBe(0);
    await clock.advance(100);
    expect(taken("a")).toBe(1);
    await clock.advance(3_600_000);
    expect(taken("a")).toBe(10);
  });

  test("is nobody else's", () => {
    const { taken } = setUp();
    expect(taken("noisy")).toBe(10);
    expect(taken("quiet")).toBe(10);
  });

  test("says when the next one can go, and asking does not put it off", async () => {
    const { clock, rate, taken } = setUp();
    taken("a");
    await clock.advance(500);
    for (let i = 0; i < 100; i++) taken("a");
    expect(() => rate.take("a")).toThrow(
      expect.objectContaining({ code: "capability.limit", details: { plugin: "a", waitMs: 1_500 } }),
    );
    await clock.advance(1_500);
    rate.take("a");
  });

  test("is as small or large as the operator says", () => {
    expect(setUp(1).taken("a")).toBe(1);
    expect(setUp(6_000).taken("a")).toBe(10);
  });
});
