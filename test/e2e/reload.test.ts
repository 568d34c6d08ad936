/**
 * A plugin is replaced again and again while events come as fast as they are taken: each event is run exactly once, in every kind of
 * room. `bun run soak` runs the full count.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeClient, type Client } from "../../src/api/client.ts";
import { databaseFile } from "../../src/base/paths.ts";
import { openDatabaseReadOnly } from "../../src/state/database.ts";
import { makePluginKvRows } from "../../src/state/plugin-kv.ts";
import { needs, until } from "../harness.ts";
import { seededRandom } from "../random.ts";
import { ownModule } from "../wasm/modules.ts";
import { makeMachine, type Machine } from "./machine.ts";

const SWAPS = Number(process.env["VOXELTRON_SWAPS"] ?? 6);
const SEED = Number(process.env["VOXELTRON_SEED"] ?? 20261121);

/** Deploys that fail at once; each is two events. */
const DEPLOYS = 6;
const HOOKS = ["on_deploy_start", "on_deploy_fail"];

const COUNTER = `const count = async (event, ctx) => {
  await ctx.kv.set(event.id, ((await ctx.kv.get(event.id)) ?? 0) + 1);
};
export default { ${HOOKS.map((hook) => `${hook}: count`).join(", ")} };`;

const rooms: Readonly<Record<string, { readonly tier: 1 | 2; readonly isolation?: string }>> = {
  "js-worker": { tier: 2, isolation: "worker" },
  "js-process": { tier: 2, isolation: "process" },
  "wasm-process": { tier: 1 },
};

describe.skipIf(!needs("compiled") || !needs("confinement"))(`${SWAPS} swaps, seed ${SEED}`, () => {
  for (const [room, { tier, isolation }] of Object.entries(rooms))
    test(
      `under load run each event exactly once in a ${room}`,
      async () => {
        const random = seededRandom(SEED);
        await using machine = makeMachine();
        await machine.start();
        const install = async (version: number): Promise<void> => {
          const folder = await writeCounter(machine, tier, version);
          const words = isolation === undefined ? [] : ["--isolation", isolation];
          const ran = await machine.cli("plugin", "install", folder, "--yes", ...words);
          expect(ran.stderr).not.toContain("error");
          expect(ran.status).toBe(0);
        };
        await install(0);
        expect(await machine.json("plugin", "info", "counter")).toMatchObject({ room });

        await using flow = await startFlow(machine, "counter");
        for (let swap = 1; swap <= SWAPS; swap++) {
          const before = flow.runs();
          await install(swap);
          // A swap that no event meets would prove nothing.
          await until(() => flow.runs() > before + random() * 100, {
            timeoutMs: 20_000,
            what: `swap ${swap} under load`,
          });
        }
        const expected = await flow.end();
        expect(flow.counts()).toEqual(expected);
        expect(await machine.json("plugin", "info", "counter")).toMatchObject({
          version: `1.0.${SWAPS}`,
          state: "enabled",
          pending: 0,
          strikes: 0,
        });
      },
      60_000 + SWAPS * 4_000,
    );
});

/** Each version has files of its own. */
async function writeCounter(machine: Machine, tier: 1 | 2, version: number): Promise<string> {
  const toml = `[plugin]
name = "counter"
version = "1.0.${version}"
tier = ${tier}
[capabilities]
optional = ["notify_send", "network_outbound"]
[hooks]
${HOOKS.map((hook) => `${hook} = true`).join("\n")}
`;
  const folder = machine.write(`counter-${version}`, {
    "plugin.toml": toml,
    ...(tier === 2 ? { "index.js": `${COUNTER}\n// ${version}` } : {}),
  });
  if (tier === 1) await Bun.write(join(folder, "plugin.wasm"), await ownModule("counter"));
  return folder;
}

interface Flow extends AsyncDisposable {
  /** Deliveries that were run so far. */
  runs(): number;
  /** How often the plugin says that it was told of each event. */
  counts(): Record<string, number>;
  /** Begins nothing more, waits until all that was begun is done; how often each event was sent. */
  end(): Promise<Record<string, number>>;
}

/** Sends a few events again and again, each as soon as the plugin has counted it. */
async function startFlow(machine: Machine, plugin: string): Promise<Flow> {
  const client = makeClient(machine.socket);
  const db = openDatabaseReadOnly(databaseFile(machine.dataDir));
  const kv = makePluginKvRows(db);
  const countOf = (id: string): number => Number(kv.get(plugin, id) ?? 0);
  const sent: Record<string, number> = {};
  const state = { isOver: false, runs: 0 };

  async function sendAgain(id: string): Promise<void> {
    for (sent[id] = 1; !state.isOver; sent[id]++) {
      await until(() => countOf(id) >= sent[id]!, { timeoutMs: 30_000, what: `run ${sent[id]} of ${id}` });
      state.runs++;
      await client.call("event.replay", { id });
    }
  }

  const flows = (await someEvents(machine, client)).map(sendAgain);
  return {
    runs: () => state.runs,
    counts: () => Object.fromEntries(Object.keys(sent).map((id) => [id, countOf(id)])),
    async end() {
      state.isOver = true;
      await Promise.all(flows);
      await until(async () => (await client.call("plugin.info", { name: plugin })).pending === 0, {
        timeoutMs: 30_000,
        what: "the last deliveries",
      });
      return sent;
    },
    async [Symbol.asyncDispose]() {
      state.isOver = true;
      await Promise.allSettled(flows);
      db.close();
    },
  };
}

async function someEvents(machine: Machine, client: Client): Promise<string[]> {
  for (let deploy = 0; deploy < DEPLOYS; deploy++)
    await machine.cli(
      "deploy",
      `web-${deploy}`,
      "--path",
      machine.write("app", { "x.ts": "" }),
      "--command",
      "/none",
    );
  const { events } = await client.call("event.list", { limit: 100 });
  expect(events).toHaveLength(2 * DEPLOYS);
  return events.map(({ id }) => id);
}
