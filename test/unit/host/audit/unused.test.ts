/** What is offered for withdrawal, and what never is: something that was just granted, or that nobody could see unused. */
import { describe, expect, test } from "bun:test";
import { unusedGrants } from "../../../../src/host/audit/unused.ts";
import { watchDays } from "../../../../src/host/audit/watch-days.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makeWatchedDayRows } from "../../../../src/state/watched-days.ts";
import { fakeClock } from "../../../harness.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1, 12);
const at = (day: number): string => new Date(START + day * DAY).toISOString();

const grant = (grantedAt: string) => [{ capability: "fs_read", scope: null, grantedBy: "me", grantedAt }];

/** Days of this year on which the daemon ran, and which day it is. */
function unused(options: {
  readonly granted: string;
  readonly used?: string;
  readonly ran: readonly number[];
  readonly today: number;
}): readonly string[] {
  const rows = makeWatchedDayRows(openDatabase(":memory:"), 400);
  for (const day of options.ran) rows.mark(at(day).slice(0, 10));
  const after = (day: string): number => rows.countBetween(day, at(options.today).slice(0, 10));
  return unusedGrants("a", grant(options.granted), () => options.used, after).map((each) => each.command);
}

const days = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const OFFERED = ["voxeltron plugin revoke a fs_read"];

describe("a granted capability", () => {
  test("that was not used on thirty days is offered, with the command that takes it back", () => {
    expect(unused({ granted: at(0), ran: days(0, 30), today: 30 })).toEqual(OFFERED);
  });
  test("is not offered a day earlier", () => {
    expect(unused({ granted: at(0), ran: days(0, 29), today: 29 })).toEqual([]);
  });
  test("that was granted anew is not unused, however long it was not used before", () => {
    expect(unused({ granted: at(99), used: at(1), ran: days(0, 100), today: 100 })).toEqual([]);
  });
  test("that was used within thirty days is not offered, and is later", () => {
    const ran = days(0, 200);
    expect(unused({ granted: at(0), used: at(80), ran, today: 100 })).toEqual([]);
    expect(unused({ granted: at(0), used: at(80), ran, today: 110 })).toEqual(OFFERED);
  });
  test("is not offered because the machine was off", () => {
    expect(unused({ granted: at(0), ran: [0, 1, 300], today: 300 })).toEqual([]);
  });
  test("is not offered because the clock jumped ahead, nor when it came back", () => {
    expect(unused({ granted: at(0), ran: [0, 1, 2, 3650], today: 3650 })).toEqual([]);
    expect(unused({ granted: at(0), ran: [0, 1, 2, 3, 3650], today: 3 })).toEqual([]);
  });
  test("that was granted or used in what is now the future is not offered", () => {
    expect(unused({ granted: at(3650), ran: days(0, 40), today: 40 })).toEqual([]);
    expect(unused({ granted: at(0), used: at(3650), ran: days(0, 40), today: 40 })).toEqual([]);
  });
});

test("each day on which the daemon runs is marked, until it stops", async () => {
  const clock = fakeClock(START);
  const watched = watchDays(makeWatchedDayRows(openDatabase(":memory:"), 400), clock, silentLog);
  watched.start();
  await clock.advance(3 * DAY);
  expect(watched.after("2025-12-31")).toBe(4);
  watched.stop();
  await clock.advance(3 * DAY);
  expect(watched.after("2025-12-31")).toBe(4);
});

test("a day that can't be marked stops nothing", async () => {
  const clock = fakeClock(START);
  let isFull = true;
  const marked: string[] = [];
  const rows = {
    mark(day: string) {
      if (isFull) throw new Error("disk");
      marked.push(day);
    },
    countBetween: () => 0,
  };
  watchDays(rows, clock, silentLog).start();
  isFull = false;
  await clock.advance(DAY);
  expect(marked).toContain("2026-01-02");
});
