/**
 * kill -9 of the daemon at random moments, under deploys, installs and deliveries: no event is lost, no plugin is
 * half-installed, no instance is orphaned. The seed is printed; `bun run soak` runs the full count.
 */
import { describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { needs, until } from "../harness.ts";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { makeMachine, type Machine } from "./machine.ts";
import { seededRandom } from "../random.ts";

const KILLS = Number(process.env["VOXELTRON_KILLS"] ?? 10);
const SEED = Number(process.env["VOXELTRON_SEED"] ?? 20261121);

/** Slow to start, so that a kill has something to hit. */
const APP = `await Bun.sleep(300); Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("ok") });`;
const HOOKS = ["on_deploy_start", "on_deploy_success", "on_deploy_fail"];

interface EventLine {
  readonly id: string;
  readonly hook: string;
  readonly data: { readonly service: string; readonly version: number; readonly error?: string };
  readonly deliveries: readonly { readonly plugin: string; readonly state: string }[];
}

interface ServiceLine {
  readonly name: string;
  readonly state: string;
  readonly instance: string | null;
}

function recorder(version: string, name: string): Record<string, string> {
  return {
    "plugin.toml": `[plugin]\nname = "${name}"\nversion = "${version}"\ndescription = "Writes down what it sees"\ntier = 2\n\n[hooks]\n${HOOKS.map((hook) => `${hook} = true`).join("\n")}\n`,
    "index.js": `const seen = async (event, ctx) => { await ctx.kv.set(event.id, event.hook); };
export default { ${HOOKS.map((hook) => `${hook}: seen`).join(", ")}, };
export const version = "${version}";`,
  };
}

/** What to deploy on a provider, and how to see which instances there are, whoever knows of them. */
interface Ground {
  readonly name: string;
  readonly services: readonly string[];
  good(machine: Machine): readonly string[];
  bad(machine: Machine): readonly string[];
  instances(machine: Machine): readonly string[];
}

const PROCESSES: Ground = {
  name: "process",
  services: ["web", "api"],
  good: (machine) => ["--path", machine.write("app", { "index.ts": APP }), "--port", "3000"],
  bad: (machine) => ["--path", machine.write("broken", { "index.ts": "process.exit(3);" }), "--port", "3000"],
  instances: ({ dataDir }) =>
    [...new Bun.Glob("instances/*").scanSync({ cwd: dataDir, onlyFiles: false })].map((path) =>
      basename(path),
    ),
};

const CONTAINERS: Ground = {
  name: "docker",
  services: [`web-${process.pid}`, `api-${process.pid}`],
  good: () => ["--image", TEST_IMAGE, "--command", "httpd -f -p 8080 -h /", "--port", "8080"],
  bad: () => ["--image", TEST_IMAGE, "--command", "false", "--port", "8080"],
  instances() {
    const { stdout } = Bun.spawnSync([
      "docker",
      "ps",
      "-a",
      "--filter",
      "label=voxeltron.owner",
      "--format",
      "{{.Names}}",
    ]);
    return stdout
      .toString()
      .split("\n")
      .filter((name) => CONTAINERS.services.some((service) => name.startsWith(`vx-${service}-`)));
  },
};

async function killAgainAndAgain(ground: Ground): Promise<void> {
  const random = seededRandom(SEED);
  await using machine = makeMachine();
  const churn = ["1.0.0", "2.0.0"].map((version) =>
    machine.write(`churn-${version}`, recorder(version, "churn")),
  );
  await machine.start();
  const { status } = await machine.cli(
    "plugin",
    "install",
    machine.write("recorder", recorder("1.0.0", "recorder")),
    "--yes",
  );
  expect(status).toBe(0);

  for (let kill = 0; kill < KILLS; kill++) {
    const work = [
      ...ground.services.map((service) => {
        const words = random() < 0.3 ? ground.bad(machine) : ground.good(machine);
        return machine.cli("deploy", service, ...words, "--provider", ground.name);
      }),
      machine.cli("plugin", "install", churn[Math.floor(random() * 2)] ?? "", "--yes"),
    ];
    await Bun.sleep(20 + random() * 700);
    await machine.end("SIGKILL");
    await Promise.all(work);
    await machine.start();
    await settled(machine);
    await expectWhole(machine, ground);
  }

  // Kills that hit nothing would prove nothing.
  const interrupted = (await events(machine)).filter(
    ({ data }) => data.error?.includes("the daemon stopped") === true,
  );
  expect(interrupted.length).toBeGreaterThan(0);
  for (const { name } of await services(machine))
    expect((await machine.cli("remove", name, "--yes")).status).toBe(0);
  expect(ground.instances(machine)).toEqual([]);
  expect(await machine.end("SIGTERM")).toBe(0);
}

describe.skipIf(!needs("compiled"))(`kill -9, ${KILLS} times, seed ${SEED}`, () => {
  const promise = "loses no event, half-installs no plugin and orphans no instance";
  test(`${promise}, as processes`, () => killAgainAndAgain(PROCESSES), KILLS * 30_000);
  test.skipIf(!needs("docker"))(
    `${promise}, on Docker`,
    async () => {
      await ensureTestImage();
      await killAgainAndAgain(CONTAINERS);
    },
    KILLS * 30_000,
  );
});

/** Nothing is under way: no deploy runs, every delivery has an end. */
async function settled(machine: Machine): Promise<void> {
  await until(
    async () => {
      const open = (await services(machine)).filter((service) => service.state === "deploying");
      const waiting = (await events(machine)).filter(
        (event) => event.deliveries.length === 0 || event.deliveries.some(({ state }) => state === "pending"),
      );
      return open.length === 0 && waiting.length === 0;
    },
    { timeoutMs: 25_000, what: "everything to settle" },
  );
}

async function expectWhole(machine: Machine, ground: Ground): Promise<void> {
  const all = await events(machine);
  for (const start of all.filter((event) => event.hook === "on_deploy_start")) {
    const ends = all.filter(
      ({ hook, data }) =>
        hook !== "on_deploy_start" &&
        data.service === start.data.service &&
        data.version === start.data.version,
    );
    expect(ends.map(({ hook }) => hook)).toHaveLength(1);
  }
  for (const event of all)
    expect(event.deliveries).toContainEqual(expect.objectContaining({ plugin: "recorder", state: "done" }));

  const plugins = await machine.json<{ name: string; state: string }[]>("plugin", "list");
  for (const { name, state } of plugins) {
    expect(state).toBe("enabled");
    expect((await machine.cli("plugin", "call", name, "on_deploy_start")).status).toBe(0);
  }

  const owned = (await services(machine)).flatMap(({ instance }) => instance ?? []).toSorted();
  await until(() => ground.instances(machine).toSorted().join() === owned.join(), {
    timeoutMs: 15_000,
    what: `the instances ${owned.join(", ")} and no other`,
  });
}

async function services(machine: Machine): Promise<ServiceLine[]> {
  const list = await machine.json<{ name: string }[]>("status");
  return Promise.all(list.map(({ name }) => machine.json<ServiceLine>("status", name)));
}

async function events(machine: Machine): Promise<EventLine[]> {
  const { stdout } = await machine.cli("events", "--json", "--limit", "10000");
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as EventLine);
}
