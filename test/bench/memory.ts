/** What the idle daemon and each idle plugin hold in memory. */
import { makeMachine } from "../e2e/machine.ts";
import { residentMegabytes } from "../resident.ts";
import type { Row } from "./measure.ts";

const PLUGINS = 20;

export async function benchMemory(): Promise<Row[]> {
  await using machine = makeMachine();
  await machine.start();
  const empty = residentMegabytes(machine.pid());
  const names = Array.from({ length: PLUGINS }, (_, i) => `bench-${i}`);
  for (const name of names) {
    const folder = machine.write(name, {
      "plugin.toml": `[plugin]\nname = "${name}"\nversion = "1.0.0"\ntier = 2\n[hooks]\non_deploy_start = true\n`,
      "index.ts": "export default { on_deploy_start(event) { return event.service; } };",
    });
    await machine.json("plugin", "install", folder, "--yes");
  }
  // What installing left in the heap is not what running costs.
  await machine.end("SIGTERM");
  await machine.start();
  const [first = "", ...others] = names;
  await machine.json("plugin", "call", first, "on_deploy_start");
  const one = residentMegabytes(machine.pid());
  for (const name of others) await machine.json("plugin", "call", name, "on_deploy_start");
  const full = residentMegabytes(machine.pid());
  return [
    { what: "daemon idle, no plugins (RSS)", value: empty, unit: "MB", runs: 1, aim: "≤ 80 MB" },
    { what: `daemon idle, ${PLUGINS} plugins running (RSS)`, value: full, unit: "MB", runs: 1 },
    { what: "the first running plugin, with the guest engine", value: one - empty, unit: "MB", runs: 1 },
    {
      what: "each further running plugin",
      value: (full - one) / others.length,
      unit: "MB",
      runs: others.length,
      aim: "≤ 5 MB",
    },
    { what: `all ${PLUGINS}, divided`, value: (full - empty) / PLUGINS, unit: "MB", runs: PLUGINS },
  ];
}
