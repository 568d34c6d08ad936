/** A whole life of a workspace in real containers of each provider, with a plugin of every kind that watches it, or is in its way. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort, needs, until } from "../harness.ts";
import { CONTAINER_PROVIDERS, type ContainerProvider } from "./container-providers.ts";
import { makeMachine, type Machine } from "./machine.ts";
import { errorOf, eventsOf, hooksOf, inside, ok, stateOf } from "./workspace-commands.ts";
import { expectTold, IN_TROUBLE, installWatchers, toldOf, WATCHERS } from "./workspace-watchers.ts";

const VERBS = ["create", "start", "stop", "destroy"] as const;
type Verb = (typeof VERBS)[number];

/** Other tests of this machine have the same engines. */
const nameOn = (provider: ContainerProvider, kind: string): string =>
  `vxt-${kind}-${provider.name}-${process.pid}`;

describe.skipIf(!needs("compiled") || !needs("confinement"))("a workspace", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = makeMachine();
    await machine.start();
    await installWatchers(machine);
  }, 60_000);
  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
    for (const provider of CONTAINER_PROVIDERS.filter(({ isHere }) => isHere()))
      for (const kind of ["calm", "troubled"]) provider.remove(nameOn(provider, kind));
  }, 60_000);

  for (const provider of CONTAINER_PROVIDERS) {
    describe.skipIf(!provider.isHere())(`on ${provider.name}`, () => {
      beforeAll(() => provider.install(machine), 60_000);

      test("lives a whole life, and each kind of plugin is told all of it, in order", async () => {
        const name = nameOn(provider, "calm");
        const port = freePort();
        const spec = [...(await provider.spec()), "--env", "GREETING=größer", "--port", `app=${port}`];
        expect(await ok(machine, "workspace", "create", name, ...spec)).toBe(`created ${name}\n`);
        expect([await stateOf(machine, name), provider.count(name)]).toEqual(["created", 1]);
        expect(await ok(machine, "workspace", "start", name)).toStartWith(`${name} is running, app at `);
        expect(await ok(machine, "workspace", "status", name)).toMatch(/state: +running/);
        expect(await inside(machine, name, "sh", "-c", "echo $GREETING; echo on >&2; exit 7")).toEqual({
          status: 7,
          stdout: "größer\n",
          stderr: "on\n",
        });
        await until(async () => (await ok(machine, "workspace", "logs", name)).includes("ready größer"), {
          timeoutMs: 10_000,
          what: "its log",
        });
        expect(await ok(machine, "workspace", "stop", name)).toBe(`${name} is stopped\n`);
        expect((await inside(machine, name, "true")).status).toBe(6);
        expect(await ok(machine, "workspace", "start", name)).toStartWith(`${name} is running, app at `);
        expect((await inside(machine, name, "true")).status).toBe(0);
        expect(await ok(machine, "workspace", "destroy", name, "--yes")).toBe(`destroyed ${name}\n`);
        expect([await stateOf(machine, name), provider.count(name)]).toEqual(["gone", 0]);

        const hooks = LIFE.flatMap((verb) => [`pre_${verb}`, `post_${verb}`]);
        expect(await hooksOf(machine, name)).toEqual(hooks);
        await expectTold(machine, name, hooks);
        const context = { workspace: name, server: "local", env: { GREETING: "größer" } };
        const told = hooks.map((event) => ({ ...context, event }));
        expect(await toldOf(machine, name)).toEqual(
          Object.fromEntries(WATCHERS.map((watcher) => [watcher, told])),
        );
      }, 60_000);

      test("does nothing that a plugin of any kind refuses, and undoes nothing where one fails afterwards", async () => {
        const name = nameOn(provider, "troubled");
        const words: Record<Verb, string[]> = {
          create: ["workspace", "create", name, ...(await provider.spec()), ...IN_TROUBLE],
          start: ["workspace", "start", name],
          stop: ["workspace", "stop", name],
          destroy: ["workspace", "destroy", name, "--yes"],
        };
        for (const verb of VERBS) {
          const before = [await stateOf(machine, name), provider.count(name)];
          expect(before).toEqual(BEFORE[verb]);
          for (const watcher of WATCHERS)
            expect(await errorOf(machine, ...words[verb])).toMatchObject({
              code: "gate.refused",
              message: `${watcher} refused pre_${verb}: ${watcher} says no to pre_${verb}`,
            });
          expect([await stateOf(machine, name), provider.count(name)]).toEqual(before);
          // The control: each says no once.
          await ok(machine, ...words[verb]);
        }
        expect([await stateOf(machine, name), provider.count(name)]).toEqual(["gone", 0]);
        expect(await hooksOf(machine, name)).toEqual(
          VERBS.flatMap((verb) => [...Array.from({ length: 5 }, () => `pre_${verb}`), `post_${verb}`]),
        );

        const posts = async () =>
          (await eventsOf(machine, name)).filter(({ hook }) => hook.startsWith("post_"));
        const isReported = async (): Promise<boolean> =>
          (await posts())
            .at(-1)
            ?.deliveries.every(({ attempts, error }) => attempts > 0 && error !== null) === true;
        await until(isReported, { timeoutMs: 20_000, what: "the failures to be reported" });
        const { stdout } = await machine.cli("events", "--hook", "post_destroy", "--limit", "1");
        for (const watcher of WATCHERS) expect(stdout).toContain(`${watcher} says no to post_destroy`);
        await until(async () => (await posts()).every(({ deliveries }) => deliveries.every(isDone)), {
          timeoutMs: 30_000,
          what: "the next attempts",
        });
        expect((await posts()).map(({ deliveries }) => deliveries.map(({ attempts }) => attempts))).toEqual([
          [2, 2, 2, 2],
          [2, 2, 2, 2],
          [2, 2, 2, 2],
          [3, 3, 3, 3],
        ]);
      }, 90_000);
    });
  }
});

// --- internal ---

const LIFE: readonly Verb[] = ["create", "start", "stop", "start", "destroy"];

/** State and count of containers. */
const BEFORE: Readonly<Record<Verb, [string, number]>> = {
  create: ["gone", 0],
  start: ["created", 1],
  stop: ["running", 1],
  destroy: ["stopped", 1],
};

const isDone = ({ state }: { readonly state: string }): boolean => state === "done";
