import { describe, expect, test } from "bun:test";
import { renewAt, retryAt } from "../../../../src/engine/certs/timing.ts";

const DAY = 86_400_000;
const MINUTE = 60_000;
const life = { notBefore: 0, notAfter: 90 * DAY };

describe("renewing", () => {
  test("begins with a third of the life left, or up to a tenth of that third earlier", () => {
    expect(renewAt(life, 0, 0)).toBe(60 * DAY);
    expect(renewAt(life, 0, 1)).toBe(57 * DAY);
    expect(renewAt({ notBefore: 0, notAfter: 6 * DAY }, 0, 0)).toBe(4 * DAY);
  });

  test("is not begun at once for a clock that is far ahead", () => {
    expect(renewAt(life, 80 * DAY, 0.5)).toBe(80 * DAY + (90 / 8) * DAY);
  });
});

describe("trying again", () => {
  const failed = { now: 0, waitMs: undefined, notAfter: undefined };
  const pauses = (more: object = {}): number[] =>
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map(
      (failures) => retryAt({ ...failed, ...more, failures }, 0.5) / MINUTE,
    );

  test("waits longer after each failure, up to a day", () => {
    expect(pauses()).toEqual([2, 10, 30, 60, 180, 360, 720, 1440, 1440, 1440]);
  });

  test("varies by a tenth, so that many do not come at once", () => {
    expect(retryAt({ ...failed, failures: 2 }, 0)).toBe(9 * MINUTE);
    expect(retryAt({ ...failed, failures: 2 }, 1)).toBe(11 * MINUTE);
  });

  test("comes more often where what is served ends soon, and as usual where it has ended", () => {
    expect(Math.max(...pauses({ notAfter: 8 * 60 * MINUTE }))).toBe(60);
    expect(pauses({ notAfter: -1 })).toEqual(pauses());
  });

  test("is never before the authority wants it, and never later than two weeks", () => {
    expect(retryAt({ ...failed, failures: 1, waitMs: 3 * DAY }, 0.5)).toBe(3 * DAY);
    expect(retryAt({ ...failed, failures: 1, waitMs: 400 * DAY }, 0.5)).toBe(14 * DAY);
    expect(retryAt({ ...failed, failures: 5, waitMs: 1 }, 0.5)).toBe(180 * MINUTE);
  });
});
