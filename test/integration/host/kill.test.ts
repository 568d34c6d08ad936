/** kill -9 at any moment: no event is lost, order holds, and only what a plugin had in hand comes twice. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../../src/state/database.ts";
import { makeEventRows } from "../../../src/state/events.ts";
import { tempDir, until } from "../../harness.ts";
import { serviceOf } from "./event-rig.ts";

const KILLS = 20;
const child = join(import.meta.dir, "delivery-child.ts");

/** Runs the child, and kills it so many milliseconds after it began to work; without that, waits until it has ended. */
async function run(folder: string, count: number, killAfterMs?: number): Promise<void> {
  const ready = join(folder, "ready");
  rmSync(ready, { force: true });
  const daemon = Bun.spawn([process.execPath, child, join(folder, "state.db"), folder, String(count)], {
    env: {},
    stdio: ["ignore", "inherit", "inherit"],
  });
  try {
    await until(() => existsSync(ready) || daemon.exitCode !== null, { what: "the child" });
    if (killAfterMs === undefined) expect(await daemon.exited).toBe(0);
    else await Bun.sleep(killAfterMs);
  } finally {
    daemon.kill("SIGKILL");
    await daemon.exited;
  }
}

test(`${KILLS} kills under load lose nothing, keep the order and repeat only what was in hand`, async () => {
  await using dir = tempDir();
  for (let i = 0; i < KILLS; i++) await run(dir.path, 1000, Math.random() * 60);
  await run(dir.path, 0);

  const db = openDatabase(join(dir.path, "state.db"));
  const emitted = makeEventRows(db)
    .newest(100_000)
    .map(({ event }) => serviceOf(event));
  const open = db.query("SELECT count(*) AS n FROM deliveries WHERE state <> 'done'").get();
  db.close();
  expect(emitted.length).toBeGreaterThan(100);
  expect(open).toEqual({ n: 0 });
  for (const plugin of ["fast", "slow"]) {
    const got = readFileSync(join(dir.path, plugin), "utf8").trimEnd().split("\n");
    const repeats = got.filter((service, i) => service === got[i - 1]).length;
    expect(got.filter((service, i) => service !== got[i - 1])).toEqual(emitted);
    expect(repeats).toBeLessThanOrEqual(KILLS);
  }
}, 30_000);
