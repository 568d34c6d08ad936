/** What is kept of events, what is forgotten, and that the hot questions are answered from an index. */
import { describe, expect, test } from "bun:test";
import { sampleEvent } from "../../../src/engine/events/samples.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { makeDeliveryRows } from "../../../src/state/deliveries.ts";
import { makeEventRows } from "../../../src/state/events.ts";
import { newId } from "../../../src/base/ids.ts";

const at = "2026-01-01T00:00:00.000Z";

function setUp(count: number) {
  const db = openDatabase(":memory:");
  const events = makeEventRows(db);
  const deliveries = makeDeliveryRows(db);
  for (let i = 0; i < count; i++) events.insert(sampleEvent("on_deploy_success", { id: newId(), at }));
  return { db, events, deliveries, seqs: () => events.newest(1000).map(({ seq }) => seq) };
}

describe("prune", () => {
  test("keeps the newest, and takes the deliveries of what it forgets with it", () => {
    const { events, deliveries, seqs } = setUp(10);
    for (const seq of seqs()) events.markFannedOut(seq);
    deliveries.add(1, ["a", "b"], at);
    deliveries.update(
      ["a", "b"].map((plugin) => ({
        eventSeq: 1,
        plugin,
        state: "done",
        attempts: 1,
        nextAt: 0,
        error: null,
      })),
      at,
    );
    expect(events.prune(4, 100)).toBe(6);
    expect(seqs()).toEqual([7, 8, 9, 10]);
    expect(deliveries.ofEvents([1])).toEqual([]);
  });

  test("never forgets an event that is not fanned out, or has a pending delivery or gate", () => {
    const { events, deliveries, seqs } = setUp(10);
    for (const seq of seqs()) if (seq !== 1) events.markFannedOut(seq);
    deliveries.add(2, ["a"], at);
    deliveries.openGate(events.findBySeq(3)?.event.id ?? "", "a", at);
    events.prune(1, 100);
    expect(seqs()).toEqual([1, 2, 3, 10]);
  });

  test("takes the oldest first, and not more than it is told", () => {
    const { events, seqs } = setUp(10);
    for (const seq of seqs()) events.markFannedOut(seq);
    expect(events.prune(0, 3)).toBe(3);
    expect(seqs()[0]).toBe(4);
  });

  test("has nothing to do in an empty table", () => {
    expect(setUp(0).events.prune(10, 10)).toBe(0);
  });
});

describe("newest", () => {
  test("gives the last ones in the order in which they happened, and can tell hooks apart", () => {
    const { events } = setUp(5);
    events.insert(sampleEvent("on_alert", { id: newId(), at }));
    expect(events.newest(2).map(({ seq, event }) => `${seq} ${event.hook}`)).toEqual([
      "5 on_deploy_success",
      "6 on_alert",
    ]);
    expect(events.newest(2, "on_deploy_success").map(({ seq }) => seq)).toEqual([4, 5]);
  });
});

test("no question of the delivery path scans a table or sorts", () => {
  const { db } = setUp(0);
  const questions = [
    "SELECT seq FROM events WHERE fanned_out = 0 ORDER BY seq LIMIT 32",
    "SELECT seq FROM events WHERE hook = 'x' ORDER BY seq DESC LIMIT 10",
    `SELECT attempts, data FROM deliveries JOIN events ON seq = event_seq
       WHERE plugin = 'a' AND state = 'pending' AND gate = 0 ORDER BY event_seq LIMIT 64`,
    "SELECT count(*) FROM deliveries WHERE plugin = 'a' AND state = 'pending' AND gate = 0",
    "SELECT state FROM deliveries WHERE event_seq IN (SELECT value FROM json_each('[1]')) ORDER BY event_seq, plugin",
    "UPDATE deliveries SET state = 'dead' WHERE state = 'pending' AND gate = 1",
    "SELECT 1 FROM deliveries WHERE event_seq = 1 AND state = 'pending'",
  ];
  for (const sql of questions) {
    const plan = db
      .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => row.detail)
      .filter((detail) => !detail.includes("json_each"));
    expect(plan.filter((detail) => /TEMP B-TREE|SCAN (?!.*USING (COVERING )?INDEX)/.test(detail))).toEqual(
      [],
    );
  }
});
