import { expect, test } from "bun:test";
import { sumUsage, type ProcessRow } from "../../../../../src/engine/providers/process/sum-usage.ts";

function row(pid: number, changes: Partial<ProcessRow> = {}): ProcessRow {
  return {
    pid,
    parent: 1,
    session: 1,
    startTicks: 0,
    mark: "",
    cpuSeconds: 1,
    residentBytes: 100,
    sharedBytes: () => 40,
    ...changes,
  };
}

test("an instance is its first process, its session, its descendants, and whoever bears its mark", () => {
  const rows = [
    row(10, { session: 10 }),
    row(11, { session: 10 }),
    row(12, { parent: 11, session: 12 }),
    row(13, { parent: 12, session: 13 }),
    row(14, { session: 14, mark: "vx-web-1" }),
    row(20, { session: 20, mark: "vx-web-10" }),
    row(21, { parent: 20, session: 21 }),
  ];
  expect(sumUsage(rows, "vx-web-1", 10)).toEqual({
    pids: [10, 11, 12, 13, 14],
    cpuSeconds: 5,
    memoryBytes: 5 * 60 + 40,
  });
});

test("what is shared counts once, and never more than a process has", () => {
  const rows = [row(10, { sharedBytes: () => 80 }), row(11, { parent: 10, sharedBytes: () => 1_000 })];
  expect(sumUsage(rows, "vx-web-1", 10)?.memoryBytes).toBe(20 + 0 + 100);
});

test("an instance of which nothing is left uses nothing", () => {
  expect(sumUsage([row(10)], "vx-web-1", 99)).toBeUndefined();
});
