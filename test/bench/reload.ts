/** From saving a file of a linked plugin to its new code being what the next event meets, in each kind of room. */
import { makeClient } from "../../src/api/client.ts";
import { needs } from "../harness.ts";
import { makeMachine } from "../e2e/machine.ts";
import { ownModule } from "../wasm/modules.ts";
import { median, type Row } from "./measure.ts";

const SAVES = 20;

export async function benchReload(): Promise<Row[]> {
  if (!needs("confinement")) return [];
  const rows: Row[] = [];
  for (const [room, sample] of Object.entries(SAMPLES)) {
    const times = await saves(sample);
    rows.push({
      what: `save → active, ${room}`,
      value: median(times),
      unit: "ms",
      runs: times.length,
      aim: "≤ 150 ms",
    });
  }
  return rows;
}

// --- internal ---

interface Sample {
  readonly tier: 1 | 2;
  readonly isolation: string | undefined;
}

const SAMPLES: Readonly<Record<string, Sample>> = {
  "js-worker": { tier: 2, isolation: undefined },
  "js-process": { tier: 2, isolation: "process" },
  "wasm-process": { tier: 1, isolation: undefined },
};

const CODE = "export default { on_deploy_start: async (event, ctx) => ctx.log.info(event.service) };";

async function saves({ tier, isolation }: Sample): Promise<number[]> {
  await using machine = makeMachine();
  await machine.start();
  const client = makeClient(machine.socket);
  const save = (version: number): string =>
    machine.write("saved", { "plugin.toml": manifest(tier, version) });
  const folder = save(0);
  if (tier === 2) machine.write("saved", { "index.js": CODE });
  else await Bun.write(`${folder}/plugin.wasm`, await ownModule("counter"));
  const words = isolation === undefined ? [] : ["--isolation", isolation];
  const { status, stderr } = await machine.cli("plugin", "install", "--link", folder, "--yes", ...words);
  if (status !== 0) throw new Error(stderr);
  const times: number[] = [];
  for (let version = 1; version <= SAVES; version++) {
    const start = performance.now();
    save(version);
    while ((await client.call("plugin.info", { name: "saved" })).version !== `1.0.${version}`)
      await Bun.sleep(10);
    times.push(performance.now() - start);
  }
  return times;
}

function manifest(tier: 1 | 2, version: number): string {
  return `[plugin]
name = "saved"
version = "1.0.${version}"
tier = ${tier}
[capabilities]
optional = ["notify_send", "network_outbound"]
[hooks]
on_deploy_start = true
`;
}
