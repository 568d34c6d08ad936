/** An event and the state that it reports are on disk together, and nobody hears of one that is not. */
import { describe, expect, test } from "bun:test";
import { newId } from "../../../../src/base/ids.ts";
import { makeLog } from "../../../../src/base/log.ts";
import type { EventData } from "../../../../src/engine/events/events.ts";
import { makeEvents } from "../../../../src/engine/events/outbox.ts";
import { sampleEvent } from "../../../../src/engine/events/samples.ts";
import { inTransaction, openDatabase } from "../../../../src/state/database.ts";
import { makeEventRows } from "../../../../src/state/events.ts";
import { fakeClock, tempDir } from "../../../harness.ts";

function dataOf(service: string): EventData<"on_deploy_success"> {
  const { id: _id, hook: _hook, at: _at, ...data } = sampleEvent("on_deploy_success", { id: "", at: "" });
  return { ...data, service };
}

function setUp() {
  const dir = tempDir();
  const db = openDatabase(`${dir.path}/state.db`);
  const rows = makeEventRows(db);
  const clock = fakeClock();
  const lines: string[] = [];
  const log = makeLog({ level: () => "debug", format: "text", clock, write: (line) => lines.push(line) });
  const events = makeEvents({ events: rows, clock, newId, log, gates: async () => {} });
  const heard: string[] = [];
  events.subscribe((event) => heard.push(event.id));
  return {
    db,
    rows,
    events,
    heard,
    lines,
    async [Symbol.asyncDispose]() {
      db.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

describe("emit", () => {
  test("gives the event its id, hook and time, and keeps it", async () => {
    await using it = setUp();
    const event = it.events.emit("on_deploy_success", dataOf("web"));
    expect(event).toMatchObject({
      ...dataOf("web"),
      hook: "on_deploy_success",
      at: "2026-01-01T00:00:00.000Z",
    });
    expect(it.rows.find(event.id)?.event).toEqual(event);
  });

  test("can't be told another id, hook or time by the data", async () => {
    await using it = setUp();
    const data = { ...dataOf("web"), id: "x", hook: "on_alert", at: "x" };
    expect(it.events.emit("on_deploy_success", data).hook).toBe("on_deploy_success");
  });

  test("tells listeners after the commit, each event once, in order", async () => {
    await using it = setUp();
    const ids = inTransaction(it.db, () => {
      const emitted = ["1", "2"].map((service) => it.events.emit("on_deploy_success", dataOf(service)).id);
      expect(it.heard).toEqual([]);
      return emitted;
    });
    await Promise.resolve();
    expect(it.heard).toEqual(ids);
  });

  test("in a transaction that is rolled back leaves nothing and tells nobody", async () => {
    await using it = setUp();
    expect(() =>
      inTransaction(it.db, () => {
        it.events.emit("on_deploy_success", dataOf("gone"));
        throw new Error("undo");
      }),
    ).toThrow("undo");
    await Promise.resolve();
    expect([it.heard, it.rows.newest(10)]).toEqual([[], []]);
  });

  test("in an inner transaction that is rolled back leaves only what the outer one wrote", async () => {
    await using it = setUp();
    const kept = inTransaction(it.db, () => {
      const { id } = it.events.emit("on_deploy_success", dataOf("kept"));
      expect(() =>
        inTransaction(it.db, () => {
          it.events.emit("on_deploy_success", dataOf("gone"));
          throw new Error("undo");
        }),
      ).toThrow("undo");
      return id;
    });
    await Promise.resolve();
    expect(it.heard).toEqual([kept]);
    expect(it.rows.newest(10).map(({ event }) => event.id)).toEqual([kept]);
  });

  test("of a wrong shape is a bug: it throws, and the transaction with it", async () => {
    await using it = setUp();
    expect(() => it.events.emit("on_deploy_success", { ...dataOf("web"), domain: "" })).toThrow(
      'an event on_deploy_success was emitted in a wrong shape: domain: wanted a string that is not empty, found ""',
    );
    expect(() => it.events.emit("on_deploy_fail", dataOf("web"))).toThrow(
      "error: wanted a value, found nothing",
    );
    await Promise.resolve();
    expect([it.heard, it.rows.newest(10)]).toEqual([[], []]);
  });
});

describe("subscribe", () => {
  test("a listener that throws is logged and harms neither the emitter nor the others", async () => {
    await using it = setUp();
    const late: string[] = [];
    it.events.subscribe(() => {
      throw new Error("oops");
    });
    it.events.subscribe((event) => late.push(event.id));
    const { id } = it.events.emit("on_deploy_success", dataOf("web"));
    await Promise.resolve();
    expect([it.heard, late]).toEqual([[id], [id]]);
    expect(it.lines.join("")).toContain("oops");
  });

  test("ends with its unsubscriber", async () => {
    await using it = setUp();
    const mine: string[] = [];
    const stop = it.events.subscribe((event) => mine.push(event.id));
    stop();
    it.events.emit("on_deploy_success", dataOf("web"));
    await Promise.resolve();
    expect([mine.length, it.heard.length]).toEqual([0, 1]);
  });
});
