/** The audit log as an operator asks for it: right counts beyond the rows that are kept, and every call as it is made. */
import { describe, expect, test } from "bun:test";
import { makePluginAudit } from "../../../../src/host/audit/plugin-audit.ts";
import { makeAuditRows } from "../../../../src/state/audit.ts";
import { makeAuditTotalRows } from "../../../../src/state/audit-totals.ts";
import { openDatabase, transactionOf } from "../../../../src/state/database.ts";
import { until } from "../../../harness.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { auditRow as row } from "../../../fixtures/audit-row.ts";

function setUp(rowsMax = 10) {
  const db = openDatabase(":memory:");
  const audit = makePluginAudit({
    rows: makeAuditRows(db, rowsMax),
    totals: makeAuditTotalRows(db),
    together: (work) => transactionOf(db, work),
    opens: (method) => (method === "net.fetch" ? ["network_outbound", "notify_send"] : []),
    pause: async () => {},
  });
  const isInstalled = (name: string): boolean => name === "new";
  return { db, audit, isInstalled };
}

describe("counts", () => {
  test("are of all calls, also of those whose rows are gone", async () => {
    const { audit, isInstalled } = setUp();
    for (let i = 0; i < 500; i++) audit.append({ ...row, target: `channel-${i % 5}` });
    for (let i = 0; i < 3; i++) audit.append({ ...row, outcome: "capability.out_of_scope", target: "dev" });
    audit.append({ ...row, outcome: "notify.failed" });
    const { uses } = await audit.uses("a", {}, isInstalled);
    expect(uses).toMatchObject([{ method: "notify.send", allowed: 500, denied: 3, failed: 1 }]);
    expect(uses[0]?.targets).toHaveLength(3);
    expect(uses[0]?.targetsInAll).toBe(7);
  });

  test("have the calls that were counted and got no row of their own", async () => {
    const { audit, isInstalled } = setUp();
    const counted = { plugin: "a", method: "fs.read", capability: "fs_read", outcome: "capability.denied" };
    audit.append(
      { ...row, method: "*", capability: null, target: "9 more calls", outcome: "refused", times: 9 },
      [{ ...counted, calls: 9, at: row.at }],
    );
    const { uses } = await audit.uses("a", { deniedOnly: true }, isInstalled);
    expect(uses).toMatchObject([{ method: "fs.read", capability: "fs_read", denied: 9, targets: [] }]);
  });

  test("of a time are of the rows that are kept, and it is said where that is not all", async () => {
    const { audit, isInstalled } = setUp();
    for (let day = 1; day <= 9; day++) audit.append({ ...row, at: `2026-01-0${day}T00:00:00.000Z` });
    const all = await audit.uses("a", { since: "2026-01-03" }, isInstalled);
    expect(all.uses).toMatchObject([{ allowed: 7 }]);
    expect(all.keptSince).toEqual([]);
    for (let i = 0; i < 300; i++) audit.append({ ...row, at: "2026-02-01T00:00:00.000Z" });
    const cut = await audit.uses("a", { since: "2026-01-03" }, isInstalled);
    expect(cut.keptSince).toEqual([{ plugin: "a", at: "2026-02-01T00:00:00.000Z" }]);
  });

  test("and rows are written together or not at all", async () => {
    const { audit, db, isInstalled } = setUp();
    audit.append(row);
    db.run("CREATE TRIGGER full BEFORE UPDATE ON audit_totals BEGIN SELECT raise(ABORT, 'full'); END");
    expect(() => audit.append(row)).toThrow("full");
    const { signal } = new AbortController();
    const calls = audit.calls("a", {}, { limit: 10, follow: false, signal }, isInstalled);
    expect(await Array.fromAsync(calls)).toHaveLength(1);
  });
});

describe("who is asked about", () => {
  test("nobody knows a plugin that is not installed and never asked for anything", async () => {
    const { audit, isInstalled } = setUp();
    expect(await rejection(audit.uses("ghost", {}, isInstalled))).toMatchObject({ code: "plugin.not_found" });
    expect((await audit.uses("new", {}, isInstalled)).uses).toEqual([]);
  });

  test("without a name it is everybody, also who is installed no more", async () => {
    const { audit, isInstalled } = setUp();
    audit.append({ ...row, plugin: "b" });
    audit.append(row);
    const { uses } = await audit.uses(undefined, {}, isInstalled);
    expect(uses.map((use) => use.plugin)).toEqual(["a", "b"]);
  });
});

test("calls are told in order, the last ones first asked for, then each as it is made", async () => {
  const { audit, isInstalled } = setUp();
  const over = new AbortController();
  for (const target of ["1", "2", "3"]) audit.append({ ...row, target });
  const seen: (string | null)[] = [];
  const following = (async () => {
    const options = { limit: 2, follow: true, signal: over.signal };
    for await (const call of audit.calls(undefined, {}, options, isInstalled)) seen.push(call.target);
  })();
  await until(() => seen.length === 2);
  audit.append({ ...row, plugin: "b", target: "4" });
  await until(() => seen.length === 3);
  over.abort();
  await following;
  expect(seen).toEqual(["2", "3", "4"]);
});

describe("the last use of a capability", () => {
  test("is the last call that it opened, whatever came of it, and not one that was denied", () => {
    const { audit } = setUp();
    audit.append({ ...row, at: "1" });
    audit.append({ ...row, at: "2", outcome: "notify.failed" });
    audit.append({ ...row, at: "3", outcome: "capability.out_of_scope" });
    expect(audit.lastUse("a")("notify_send")).toBe("2");
    expect(audit.lastUse("a")("fs_read")).toBeUndefined();
  });

  test("may be a call that another capability opened as well", () => {
    const { audit } = setUp();
    audit.append({ ...row, method: "net.fetch", capability: "network_outbound", at: "5" });
    expect(audit.lastUse("a")("notify_send")).toBe("5");
  });
});
