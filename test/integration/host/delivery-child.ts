/**
 * A daemon's delivery path as a process that the test kills: emits numbered events, `COUNT` of them in bursts, and hands them to
 * two plugins that append what they got to a file each. Arguments: database, folder, how many events to emit (0: drain and end).
 */
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { emitDeploy, openRig, serviceOf, type FakePlugin } from "./event-rig.ts";

const [path = "", folder = "", count = "0"] = process.argv.slice(2);

function appender(name: string, pauseMs: number): [string, FakePlugin] {
  return [
    name,
    {
      async run(event) {
        appendFileSync(join(folder, name), `${serviceOf(event)}\n`);
        if (pauseMs > 0) await Bun.sleep(pauseMs);
      },
    },
  ];
}

const rig = openRig(path, new Map([appender("fast", 0), appender("slow", 1)]), systemClock);
rig.dispatcher.start();
writeFileSync(join(folder, "ready"), "");
const first = (rig.rows.events.newest(1)[0]?.seq ?? 0) + 1;
for (let i = 0; i < Number(count); i++) {
  emitDeploy(rig.events, String(first + i));
  if (i % 5 === 4) await Bun.sleep(1);
}
while (rig.dispatcher.pendingFor("fast") + rig.dispatcher.pendingFor("slow") > 0) await Bun.sleep(2);
await rig.dispatcher.stop(1000);
