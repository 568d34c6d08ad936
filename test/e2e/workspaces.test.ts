/** Workspaces on the compiled program: a whole life with plugins of every kind watching, and a daemon that is killed at each step. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { needs, until } from "../harness.ts";
import { openEngineGate } from "./engine-gate.ts";
import { EXECUTABLE, makeMachine, type Machine } from "./machine.ts";
import { errorOf, eventsOf, hooksOf, inside, ok, stateOf, type View } from "./workspace-commands.ts";
import { expectTold, holdHook, installWatchers, WORKSPACE_HOOKS } from "./workspace-watchers.ts";

const info = (machine: Machine, name = "shop"): Promise<View> =>
  machine.json<View>("workspace", "status", name);

const codeOf = async (machine: Machine, ...words: string[]): Promise<string> =>
  (await errorOf(machine, ...words)).code;

/** With something on its standard input, to be interrupted. */
function typed({ folder, dataDir }: Machine, ...words: string[]) {
  return Bun.spawn([EXECUTABLE, "workspace", ...words], {
    cwd: folder,
    env: { VOXELTRON_DATA_DIR: dataDir, HOME: folder, PATH: "/usr/bin:/bin" },
    stdin: new Blob(["typed"]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

function containers(name = "shop"): string[] {
  const { stdout } = Bun.spawnSync([
    "docker",
    "ps",
    "-a",
    "--filter",
    `label=voxeltron.workspace=${name}`,
    "--format",
    "{{.Names}}",
  ]);
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

function removeContainers(): void {
  for (const name of [NAME, ...containers(NAME)])
    Bun.spawnSync(["docker", "rm", "-f", name], { stdout: "ignore", stderr: "ignore" });
}

/** Other tests of this machine have the same engine. */
const NAME = `shop-${process.pid}`;
const ON_DOCKER = ["--provider", "docker", "--image", TEST_IMAGE] as const;
const AS_PROCESS = ["--provider", "process", "--command", "sleep infinity"] as const;

describe.skipIf(!needs("compiled"))("a workspace", () => {
  beforeAll(async () => void (needs("docker") && (await ensureTestImage())));
  afterAll(removeContainers);

  for (const [where, create] of [
    ["on Docker", ON_DOCKER],
    ["as a process", AS_PROCESS],
  ] as const)
    test.skipIf(where === "on Docker" && !needs("docker"))(
      `lives and dies ${where}; a plugin in each room and an executable see it all, in order`,
      async () => {
        await using machine = makeMachine();
        await machine.start();
        await installWatchers(machine);
        const created = await ok(machine, "workspace", "create", NAME, ...create, "--env", "A=1", "--start");
        expect(created).toBe(`${NAME} is running\n`);
        expect((await inside(machine, NAME, "sh", "-c", "echo $A")).stdout).toBe("1\n");
        expect((await inside(machine, NAME, "sh", "-c", "exit 7")).status).toBe(7);
        expect(await ok(machine, "workspace", "list")).toContain(NAME);
        expect(await ok(machine, "workspace", "status", NAME)).toMatch(/state: +running/);
        expect(await ok(machine, "workspace", "stop", NAME)).toBe(`${NAME} is stopped\n`);
        expect((await inside(machine, NAME, "true")).status).toBe(6);
        expect(await codeOf(machine, "workspace", "destroy", NAME)).toBe("consent.needed");
        expect(await ok(machine, "workspace", "destroy", NAME, "--yes")).toBe(`destroyed ${NAME}\n`);
        expect(await codeOf(machine, "workspace", "status", NAME)).toBe("workspace.not_found");
        expect(await hooksOf(machine)).toEqual(WORKSPACE_HOOKS);
        await expectTold(machine, NAME, WORKSPACE_HOOKS);
        const [first] = await eventsOf(machine);
        expect(first?.data).toEqual({
          workspace: NAME,
          event: "pre_create",
          server: "local",
          env: { A: "1" },
          provider: create[1],
          image: where === "on Docker" ? TEST_IMAGE : "",
        });
        if (where === "on Docker") expect(containers(NAME)).toEqual([]);
      },
      60_000,
    );

  test("is not made where a plugin refuses, in whichever room it is; a plugin that fails afterwards undoes nothing", async () => {
    await using machine = makeMachine();
    await machine.start();
    const folder = machine.write("judge", {
      "plugin.toml": `[plugin]\nname = "judge"\nversion = "1.0.0"\ndescription = "Judges"\ntier = 2\n\n[hooks]\npre_create = true\npost_create = true\n`,
      "index.js": `export default {
  pre_create(event) { if (event.workspace.startsWith("bad")) throw new Error("no " + event.workspace); },
  post_create() { throw new Error("too late"); },
};`,
    });
    await ok(machine, "plugin", "install", folder, "--yes");
    const refused = await machine.cli("workspace", "create", "bad-one", ...AS_PROCESS, "--json");
    expect([refused.status, JSON.parse(refused.stderr)]).toMatchObject([
      5,
      { error: { code: "gate.refused", message: expect.stringContaining("no bad-one") } },
    ]);
    expect(await machine.json<View[]>("workspace", "list")).toEqual([]);
    await ok(machine, "workspace", "create", "good-one", ...AS_PROCESS, "--start");
    await until(
      async () =>
        (await eventsOf(machine)).find(({ hook }) => hook === "post_create")?.deliveries[0]?.state !==
        undefined,
    );
    expect(await info(machine, "good-one")).toMatchObject({ state: "running" });
    expect((await machine.cli("events")).stdout).toContain("too late");
  }, 60_000);

  test("and a service of the same name do not touch each other", async () => {
    await using machine = makeMachine();
    await machine.start();
    const app = machine.write("app", {
      "index.ts": `console.log("the service"); setInterval(() => {}, 1000);`,
    });
    await ok(machine, "deploy", "web", "--path", app);
    await ok(
      machine,
      "workspace",
      "create",
      "web",
      "--provider",
      "process",
      "--command",
      "sh -c 'echo the workspace; sleep 1000'",
      "--start",
    );
    await until(async () => (await ok(machine, "workspace", "logs", "web")) === "the workspace\n");
    await until(async () => (await ok(machine, "logs", "web")) === "the service\n", { timeoutMs: 10_000 });
    await ok(machine, "stop", "web");
    expect(await info(machine, "web")).toMatchObject({ state: "running" });
    await ok(machine, "start", "web");
    await ok(machine, "workspace", "destroy", "web", "--yes");
    expect(await machine.json<View[]>("status")).toMatchObject([{ name: "web", state: "running" }]);
    // A daemon's sweep of what no service owns leaves workspaces alone.
    await ok(machine, "workspace", "create", "web", ...AS_PROCESS, "--start");
    await ok(machine, "remove", "web", "--yes");
    expect(await machine.end("SIGTERM")).toBe(0);
    await machine.start();
    await Bun.sleep(1_000);
    expect(await info(machine, "web")).toMatchObject({ state: "running", drift: null });
  }, 60_000);

  test("runs over the daemon's end, and what somebody did meanwhile is mended by the next one", async () => {
    await using machine = makeMachine();
    await machine.start();
    await ok(machine, "workspace", "create", NAME, ...AS_PROCESS, "--start");
    const before = await machine.json<{ startedAt: string }>("workspace", "status", NAME);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await machine.end(signal);
      await machine.start();
      expect(await machine.json("workspace", "status", NAME)).toMatchObject({
        state: "running",
        startedAt: before.startedAt,
      });
    }
    if (!needs("docker")) return;
    const other = `${NAME}-d`;
    try {
      await ok(machine, "workspace", "create", other, ...ON_DOCKER, "--start");
      const { instance } = await info(machine, other);
      Bun.spawnSync(["docker", "stop", "-t", "0", instance]);
      expect(await ok(machine, "workspace", "list")).toContain("running (stopped outside)");
      expect(await ok(machine, "workspace", "start", other)).toBe(`${other} is running\n`);
      Bun.spawnSync(["docker", "rm", "-f", instance]);
      expect(await ok(machine, "workspace", "status", other)).toContain("running (removed outside)");
      await machine.end("SIGKILL");
      await machine.start();
      await until(async () => (await info(machine, other)).state === "running", { timeoutMs: 10_000 });
      expect(await info(machine, other)).toMatchObject({ drift: null, instance });
    } finally {
      await machine.cli("workspace", "destroy", other, "--yes");
    }
  }, 60_000);

  test.skipIf(!needs("docker"))(
    "takes a folder from where one is, and what comes on standard input",
    async () => {
      await using machine = makeMachine();
      await machine.start();
      await ok(machine, "workspace", "create", NAME, ...ON_DOCKER, "--volume", ".:/here:ro", "--start");
      const cat = typed(machine, "exec", "-i", NAME, "--", "cat", "-", "/here/config.toml");
      expect(await new Response(cat.stdout).text()).toStartWith("typed[providers]");
      await ok(machine, "workspace", "destroy", NAME, "--yes");
    },
    60_000,
  );

  test.skipIf(!needs("docker"))(
    "is taken back by Ctrl-C while its image comes",
    async () => {
      await using machine = makeMachine();
      await using engine = openEngineGate(join(machine.folder, "engine.sock"));
      machine.configure(`[docker]\nsocket = ${JSON.stringify(engine.socket)}\n`);
      await machine.start();
      const held = engine.hold(/^GET \/images\/.*\/json/, "before");
      const creating = typed(machine, "create", NAME, ...ON_DOCKER, "--start");
      await held;
      creating.kill("SIGINT");
      expect(await creating.exited).toBe(130);
      expect(await new Response(creating.stderr).text()).toContain("cancelled");
      engine.open();
      expect(await machine.json<View[]>("workspace", "list")).toEqual([]);
      expect((await hooksOf(machine)).at(-1)).toBe("pre_create");
      await ok(machine, "workspace", "create", NAME, ...ON_DOCKER);
      await ok(machine, "workspace", "destroy", NAME, "--yes");
    },
    60_000,
  );

  test("of a hostile name or value is refused, and nothing happens", async () => {
    await using machine = makeMachine();
    await machine.start();
    const hostile: readonly (readonly string[])[] = [
      ["../../etc", ...AS_PROCESS],
      ["a b", ...AS_PROCESS],
      ["UPPER", ...AS_PROCESS],
      ["x".repeat(64), ...AS_PROCESS],
      ["nul\u0000l", ...AS_PROCESS].map((word) => word.replaceAll("\u0000", "%00")),
      ["-rf", ...AS_PROCESS],
      ["w", "--provider", "process", "--command", "sleep 1; reboot"],
      ["w", "--provider", "process", "--command", "no-such-program-anywhere", "--port", "app=0"],
      ["w", ...AS_PROCESS, "--port", "app=65536"],
      ["w", ...AS_PROCESS, "--port", "8080:80"],
      ["w", ...AS_PROCESS, "--port", "3000=8080"],
      ["w", ...AS_PROCESS, "--port", "a=8080", "--port", "b=8080"],
      ["w", ...AS_PROCESS, "--port", "__proto__=8080"],
      ["w", ...AS_PROCESS, "--env", "A B=1"],
      ["w", ...AS_PROCESS, "--memory", "64m"],
      ["w", ...AS_PROCESS, "--cpus", "2"],
      ["w", ...AS_PROCESS, "--volume", "/:/host"],
      ["w", "--provider", "process"],
      ["w", "--provider", "process", "--image", "x"],
      ["w", "--provider", "docker", "--command", "sleep 1"],
      ["w", "--provider", "docker", "--image", "UP PER"],
      ["w", "--provider", "docker", "--image", TEST_IMAGE, "--volume", "../x:/x"].map((word) =>
        word.replace("../x", "..x"),
      ),
      ["w", "--provider", "docker", "--image", TEST_IMAGE, "--memory", "lots"],
      ["w", "--provider", "nowhere", "--image", TEST_IMAGE],
      ["w", ...AS_PROCESS, "--server", "nowhere"],
    ];
    for (const words of hostile) {
      const answer = await machine.cli("workspace", "create", ...words, "--json");
      expect([words, answer.status]).toEqual([words, 2]);
    }
    expect(await machine.json<View[]>("workspace", "list")).toEqual([]);
    expect(await eventsOf(machine)).toEqual([]);
    // The control.
    await ok(machine, "workspace", "create", "w", ...AS_PROCESS, "--port", "app=28080", "--port", "28081");
    const { ports } = await machine.json<{ ports: { address: string }[] }>("workspace", "status", "w");
    expect(ports.map(({ address }) => address)).toEqual(["127.0.0.1:28081", "127.0.0.1:28080"]);
  }, 60_000);

  test("is changed by one at a time, whoever comes", async () => {
    await using machine = makeMachine();
    await machine.start();
    const creates = await Promise.all(
      Array.from({ length: 6 }, () => codeOf(machine, "workspace", "create", "shop", ...AS_PROCESS)),
    );
    expect(creates.filter((code) => code === "ok").length).toBe(1);
    expect(creates.every((code) => ["ok", "workspace.exists", "workspace.busy"].includes(code))).toBe(true);
    await Promise.all(
      ["start", "stop", "start", "stop", "destroy", "start"].map((verb) =>
        machine.cli("workspace", verb, "shop", ...(verb === "destroy" ? ["--yes"] : [])),
      ),
    );
    // Each gate that was asked has its end, unless it was of one that was refused: none was.
    const hooks = await hooksOf(machine);
    for (const [at, hook] of hooks.entries())
      if (hook.startsWith("post_")) expect(hooks[at - 1]).toBe(hook.replace("post_", "pre_"));
  }, 60_000);
});

const VERBS = {
  create: { words: ["workspace", "create", NAME, ...ON_DOCKER], ends: "created" },
  start: { words: ["workspace", "start", NAME], ends: "running" },
  stop: { words: ["workspace", "stop", NAME], ends: "stopped" },
  destroy: { words: ["workspace", "destroy", NAME, "--yes"], ends: "gone" },
} as const;
type Verb = keyof typeof VERBS;

/** What the engine is asked for in each action, as it begins and as it ends. */
const REQUESTS: readonly (readonly [Verb, RegExp, string])[] = [
  ["create", /^GET \/images\/.*\/json/, "pull"],
  ["create", /^POST \/containers\/create/, "create"],
  ["start", /^POST \/containers\/[^/]+\/start/, "start"],
  ["stop", /^POST \/containers\/[^/]+\/stop/, "stop"],
  ["destroy", /^POST \/containers\/[^/]+\/stop/, "stop"],
  ["destroy", /^DELETE \/containers\//, "remove"],
];

describe.skipIf(!needs("compiled") || !needs("docker"))("a daemon that is killed -9", () => {
  let machine: Machine;
  beforeAll(async () => {
    await ensureTestImage();
  });
  afterAll(removeContainers);

  async function bringTo(verb: Verb): Promise<void> {
    if (verb === "create") return;
    await ok(machine, ...VERBS.create.words, ...(verb === "start" ? [] : ["--start"]));
  }

  /** The rest of the life, as if nothing had been. */
  async function endAll(): Promise<void> {
    await machine.cli("workspace", "destroy", NAME, "--yes");
    expect(containers(NAME)).toEqual([]);
  }

  test.each(
    REQUESTS.flatMap(([verb, request, what]) =>
      (["before", "after"] as const).map((moment) => ({ verb, request, what, moment })),
    ),
  )(
    "in a $verb, $moment the engine's $what, is followed by one that brings it to its end, and tells",
    async ({ verb, request, moment }) => {
      machine = makeMachine();
      await using _machine = machine;
      const socket = join(machine.folder, "engine.sock");
      await using engine = openEngineGate(socket);
      machine.configure(`[docker]\nsocket = ${JSON.stringify(socket)}\n`);
      await machine.start();
      await installWatchers(machine);
      await bringTo(verb);
      const before = await hooksOf(machine);
      const held = engine.hold(request, moment);
      const asked = machine.cli(...VERBS[verb].words);
      await held;
      await machine.end("SIGKILL");
      expect((await asked).status).toBe(3);
      engine.open();
      await machine.start();
      await until(async () => (await stateOf(machine, NAME)) === VERBS[verb].ends, {
        timeoutMs: 20_000,
        what: `${verb} to be done`,
      });
      const wanted = [...before, `pre_${verb}`, `post_${verb}`];
      expect(await hooksOf(machine)).toEqual(wanted);
      await expectTold(machine, NAME, wanted);
      expect(containers(NAME).length).toBe(verb === "destroy" ? 0 : 1);
      await endAll();
    },
    90_000,
  );

  test.each(Object.keys(VERBS) as Verb[])(
    "while the gate of a %s is asked has done nothing; the same can be asked for again",
    async (verb) => {
      machine = makeMachine();
      await using _machine = machine;
      await machine.start();
      await installWatchers(machine);
      await bringTo(verb);
      const [before, state] = [await hooksOf(machine), await stateOf(machine, NAME)];
      const gate = holdHook(machine, `pre_${verb}`);
      const asked = machine.cli(...VERBS[verb].words);
      await gate.asked();
      await machine.end("SIGKILL");
      expect((await asked).status).toBe(3);
      gate.release();
      await machine.start();
      expect(await stateOf(machine, NAME)).toBe(state);
      expect(await hooksOf(machine)).toEqual([...before, `pre_${verb}`]);
      await ok(machine, ...VERBS[verb].words);
      expect(await stateOf(machine, NAME)).toBe(VERBS[verb].ends);
      await endAll();
    },
    90_000,
  );
});
