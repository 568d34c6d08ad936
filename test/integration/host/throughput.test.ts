/** How fast 10,000 events reach 20 plugins that do nothing: the dispatcher's own share. Printed, not judged. */
import { expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { tempDir, until } from "../../harness.ts";
import { emitDeploy, openRig, type FakePlugins } from "./event-rig.ts";

const EVENTS = 10_000;
const PLUGINS = 20;

test(`${EVENTS} events reach ${PLUGINS} plugins in order, and the daemon stays awake`, async () => {
  await using dir = tempDir();
  const last = new Map<string, string>();
  let outOfOrder = 0;
  let runs = 0;
  const plugins: FakePlugins = new Map();
  for (let i = 0; i < PLUGINS; i++)
    plugins.set(`p${i}`, {
      run(event) {
        if (event.id <= (last.get(`p${i}`) ?? "")) outOfOrder++;
        last.set(`p${i}`, event.id);
        runs++;
      },
    });
  const rig = openRig(`${dir.path}/state.db`, plugins, systemClock);
  rig.dispatcher.start();
  let longestMs = 0;
  let beat = performance.now();
  const heart = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - beat);
    beat = performance.now();
  }, 1);
  const start = performance.now();
  for (let i = 0; i < EVENTS; i++) {
    emitDeploy(rig.events, "web");
    if (i % 100 === 99) await Bun.sleep(0);
  }
  const emittedMs = performance.now() - start;
  await until(() => runs === EVENTS * PLUGINS, { timeoutMs: 60_000 });
  const ms = performance.now() - start;
  clearInterval(heart);
  expect(outOfOrder).toBe(0);
  await rig.dispatcher.stop(5_000);
  expect([...plugins.keys()].reduce((sum, plugin) => sum + rig.dispatcher.pendingFor(plugin), 0)).toBe(0);
  rig.db.close();
  console.log(
    `  ${EVENTS} × ${PLUGINS}: emitted in ${emittedMs.toFixed(0)} ms, delivered in ${ms.toFixed(0)} ms, ` +
      `${((ms * 1000) / EVENTS / PLUGINS).toFixed(1)} µs a delivery; longest pause ${longestMs.toFixed(0)} ms`,
  );
}, 90_000);
