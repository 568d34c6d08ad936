/** What is counted of the audit log stays right when its rows are gone, also for a log that was begun before there were counts. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { makeAuditRows } from "../../../src/state/audit.ts";
import { makeAuditTotalRows, outcomeClass } from "../../../src/state/audit-totals.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { sql as initial } from "../../../src/state/migrations/0001-initial.ts";
import { makeWatchedDayRows } from "../../../src/state/watched-days.ts";
import { tempDir } from "../../harness.ts";
import { auditRow as row } from "../../fixtures/audit-row.ts";

test("a row says for how many calls it stands, and when it was called", () => {
  const audit = makeAuditRows(openDatabase(":memory:"), 50);
  audit.append(row);
  audit.append({ ...row, during: "on_alert", times: 7 });
  expect(audit.newest("a", {}, 10)).toEqual([
    { ...row, seq: 1, during: null, times: 1 },
    { ...row, seq: 2, during: "on_alert", times: 7 },
  ]);
  expect(audit.tally("a", {})).toEqual([
    {
      capability: "notify_send",
      method: "notify.send",
      outcome: "ok",
      calls: 8,
      firstAt: row.at,
      lastAt: row.at,
    },
  ]);
});

test("rows are found by plugin, time, outcome and number", () => {
  const audit = makeAuditRows(openDatabase(":memory:"), 50);
  audit.append(row);
  audit.append({ ...row, plugin: "b", at: "2026-01-02T00:00:00.000Z" });
  const seq = audit.lastSeq();
  audit.append({ ...row, target: "dev", outcome: "capability.out_of_scope", at: "2026-01-03T00:00:00.000Z" });
  audit.append({ ...row, target: "dev", outcome: "notify.failed", at: "2026-01-04T00:00:00.000Z" });
  const targets = (which: Parameters<typeof audit.newest>[1]) =>
    audit.newest("a", which, 10).map((each) => `${each.target} ${each.outcome}`);
  expect(targets({ since: "2026-01-02" })).toEqual(["dev capability.out_of_scope", "dev notify.failed"]);
  expect(targets({ deniedOnly: true })).toEqual(["dev capability.out_of_scope"]);
  expect(audit.after("a", {}, seq, 1).map((each) => each.outcome)).toEqual(["capability.out_of_scope"]);
  expect(audit.after(undefined, {}, 0, 10).map((each) => each.plugin)).toEqual(["a", "b", "a", "a"]);
  expect(audit.targets("a", {}).map(({ target, calls }) => [target, calls])).toEqual([
    ["dev", 2],
    ["ops", 1],
  ]);
  expect([audit.oldestAt("b"), audit.oldestAt("nobody")]).toEqual(["2026-01-02T00:00:00.000Z", undefined]);
});

test("totals add up, by kind of outcome, and keep the first and the last time", () => {
  const totals = makeAuditTotalRows(openDatabase(":memory:"));
  const calls = { plugin: "a", capability: null, method: "net.fetch", outcome: "ok", calls: 1 };
  totals.add({ ...calls, at: "2" });
  totals.add({ ...calls, at: "3", calls: 5 });
  totals.add({ ...calls, at: "1", outcome: "capability.denied" });
  totals.add({ ...calls, at: "1", plugin: "b" });
  expect(totals.list("a")).toEqual([
    { capability: null, method: "net.fetch", class: "allowed", calls: 6, firstAt: "2", lastAt: "3" },
    { capability: null, method: "net.fetch", class: "denied", calls: 1, firstAt: "1", lastAt: "1" },
  ]);
  expect(totals.plugins()).toEqual(["a", "b"]);
});

test("a refusal for want of a grant is denied; every other error is a failure", () => {
  const outcomes = [
    "ok",
    "capability.denied",
    "capability.out_of_scope",
    "refused",
    "capability.limit",
    "x.y",
  ];
  expect(outcomes.map(outcomeClass)).toEqual(["allowed", "denied", "denied", "denied", "failed", "failed"]);
});

test("a log from before there were totals is counted when the data is brought to the new schema", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "state.db");
  const old = new Database(file, { create: true });
  old.run(initial);
  old.run("PRAGMA user_version = 1");
  for (const outcome of ["ok", "ok", "capability.denied", "network.failed"])
    old.run("INSERT INTO audit (at, plugin, method, outcome) VALUES ('now', 'a', 'net.fetch', ?)", [outcome]);
  old.close();
  const db = openDatabase(file);
  expect(
    makeAuditTotalRows(db)
      .list("a")
      .map((each) => [each.class, each.calls]),
  ).toEqual([
    ["allowed", 2],
    ["denied", 1],
    ["failed", 1],
  ]);
  expect(
    makeAuditRows(db, 50)
      .newest("a", {}, 10)
      .map((each) => each.times),
  ).toEqual([1, 1, 1, 1]);
  db.close();
});

test("days are marked once, and the oldest go first", () => {
  const days = makeWatchedDayRows(openDatabase(":memory:"), 3);
  for (const day of ["01", "02", "02", "03", "04"]) days.mark(`2026-01-${day}`);
  expect(days.countBetween("2026-01-01", "2026-01-31")).toBe(3);
  expect(days.countBetween("2025-01-01", "2026-01-31")).toBe(3);
  expect(days.countBetween("2026-01-03", "2026-01-03")).toBe(0);
  expect(days.countBetween("2026-01-02", "2026-01-03")).toBe(1);
});
