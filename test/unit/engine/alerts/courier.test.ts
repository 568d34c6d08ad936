/** Messages of alerts on a disk that is full: the very moment at which there is one to send. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { makeCourier } from "../../../../src/engine/alerts/courier.ts";
import { makeAlertRows } from "../../../../src/state/alerts.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { fakeClock } from "../../../harness.ts";

function makeWorld() {
  const db = openDatabase(":memory:");
  const rows = makeAlertRows(db);
  const clock = fakeClock();
  const sent: string[] = [];
  let refuses = false;
  const courier = makeCourier({
    rows,
    async send(channel, { title = "" }) {
      sent.push(title);
      // One that never stops sending would never let this test end.
      if (sent.length > 20) return new Promise(() => {});
      if (refuses) throw fail("notify.failed", "no");
      return { channel, type: "webhook", attempts: 1, refused: 0 };
    },
    clock,
    log: silentLog,
  });
  return {
    rows,
    clock,
    sent,
    courier,
    setRefusing: (is: boolean) => void (refuses = is),
    fillDisk() {
      for (const change of ["UPDATE", "DELETE"])
        db.run(
          `CREATE TRIGGER no_${change} BEFORE ${change} ON alert_notices BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END`,
        );
    },
    makeRoom() {
      for (const change of ["UPDATE", "DELETE"]) db.run(`DROP TRIGGER no_${change}`);
    },
    add(title: string) {
      rows.addNotice({ channel: "ops", title, text: title, severity: "error", nextAt: clock.now() });
    },
    /** As the alerts do it at every look. */
    async look() {
      courier.deliver();
      await clock.advance(LIMITS.alertLookMs);
    },
  };
}

describe("while the disk is full", () => {
  test("a message that was taken is not sent again, and those behind it go out once there is room", async () => {
    const world = makeWorld();
    world.add("first");
    world.add("second");
    world.fillDisk();
    for (let looks = 0; looks < 3; looks++) await world.look();
    expect(world.sent).toEqual(["first"]);
    world.makeRoom();
    await world.look();
    expect(world.sent).toEqual(["first", "second"]);
    expect(world.rows.firstNotices()).toEqual([]);
  });

  test("a channel that refuses is asked once at each look", async () => {
    const world = makeWorld();
    world.add("first");
    world.setRefusing(true);
    world.fillDisk();
    for (let looks = 0; looks < 3; looks++) await world.look();
    expect(world.sent).toEqual(["first", "first", "first"]);
    world.makeRoom();
    world.setRefusing(false);
    await world.look();
    expect(world.rows.firstNotices()).toEqual([]);
  });
});
