/**
 * A daemon that is killed -9 at each step of a workspace's life whose containers a plugin makes, and started again. The steps of Docker's
 * are in workspaces.test.ts.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { freePort, needs, until } from "../harness.ts";
import { CONTAINER_PROVIDERS, type ContainerProvider } from "./container-providers.ts";
import { makeMachine, type Machine } from "./machine.ts";
import { openToolGate, type ToolGate } from "./tool-gate.ts";
import { hooksOf, ok, stateOf } from "./workspace-commands.ts";
import { expectTold, holdHook, installWatchers } from "./workspace-watchers.ts";

const VERBS = ["create", "start", "stop", "destroy"] as const;
type Verb = (typeof VERBS)[number];

const ENDS: Readonly<Record<Verb, string>> = {
  create: "created",
  start: "running",
  stop: "stopped",
  destroy: "gone",
};

const PLUGGED = CONTAINER_PROVIDERS.filter(({ tools }) => tools.length > 0);

describe.skipIf(!needs("compiled") || !needs("confinement"))("a daemon that is killed -9", () => {
  for (const provider of PLUGGED) {
    describe.skipIf(!provider.isHere())(`with a workspace on ${provider.name}`, () => {
      let machine: Machine;
      let tools: ToolGate;
      let words: Readonly<Record<Verb, readonly string[]>>;
      let round = 0;
      let name = "";
      beforeAll(async () => {
        machine = makeMachine();
        tools = openToolGate(machine, provider.tools);
        await machine.start(tools.environment);
        await installWatchers(machine);
        await provider.install(machine);
      }, 60_000);
      beforeEach(async () => {
        // Other tests of this machine have the same engines.
        name = `vxt-killed-${++round}-${process.pid}`;
        const spec = [...(await provider.spec()), "--port", `app=${freePort()}`];
        words = {
          create: ["workspace", "create", name, ...spec],
          start: ["workspace", "start", name],
          stop: ["workspace", "stop", name],
          destroy: ["workspace", "destroy", name, "--yes"],
        };
      });
      afterEach(() => provider.remove(name));
      afterAll(async () => {
        await machine[Symbol.asyncDispose]();
      });

      /** Where it is held. */
      async function kill(): Promise<void> {
        await machine.end("SIGKILL");
        await machine.start(tools.environment);
      }

      /** What stands for a step of this action is held at each in turn, and the daemon killed. */
      async function killAtEachStep(verb: Verb, moment: "before" | "after"): Promise<void> {
        const asked = machine.cli(...words[verb]);
        for (const step of stepsOf(provider, name)[verb]) {
          await tools.hold(step[moment], moment).reached();
          await kill();
        }
        tools.release();
        expect((await asked).status).toBe(3);
      }

      async function expectDone(verb: Verb): Promise<void> {
        const isDone = async () => (await stateOf(machine, name)) === ENDS[verb];
        await until(isDone, { timeoutMs: 20_000, what: `${verb} to be done` });
        await until(() => leftBehind(machine).length === 0, {
          timeoutMs: 10_000,
          what: "the end of what the killed daemon had asked for",
        });
        expect(provider.count(name)).toBe(verb === "destroy" ? 0 : 1);
      }

      /** One that runs is stopped on the way; gives the hooks of what it took. */
      async function prepare(verb: Verb): Promise<string[]> {
        if (verb !== "destroy") return [];
        await ok(machine, ...words.start);
        return ["pre_start", "post_start"];
      }

      test("while a gate is asked has done nothing, and before its provider does, it is followed by one that goes on", async () => {
        const hooks: string[] = [];
        for (const verb of VERBS) {
          hooks.push(...(await prepare(verb)));
          const before = [await stateOf(machine, name), provider.count(name)];
          const gate = holdHook(machine, `pre_${verb}`);
          const asked = machine.cli(...words[verb]);
          await gate.asked();
          await kill();
          gate.release();
          expect((await asked).status).toBe(3);
          expect([await stateOf(machine, name), provider.count(name)]).toEqual(before);
          expect(await hooksOf(machine, name)).toEqual([...hooks, `pre_${verb}`]);

          await killAtEachStep(verb, "before");
          await expectDone(verb);
          hooks.push(`pre_${verb}`, `pre_${verb}`, `post_${verb}`);
          expect(await hooksOf(machine, name)).toEqual(hooks);
        }
        await expectTold(machine, name, hooks);
        expect(strangersOf(machine)).toEqual([]);
      }, 120_000);

      test("after its provider did something, and while plugins are told, it is followed by one that makes up for it", async () => {
        const hooks: string[] = [];
        for (const verb of VERBS) {
          hooks.push(...(await prepare(verb)));
          const told = holdHook(machine, `post_${verb}`);
          await killAtEachStep(verb, "after");
          await told.asked();
          await kill();
          told.release();
          await expectDone(verb);
          hooks.push(`pre_${verb}`, `post_${verb}`);
          expect(await hooksOf(machine, name)).toEqual(hooks);
        }
        await expectTold(machine, name, hooks);
        expect(strangersOf(machine)).toEqual([]);
      }, 120_000);
    });
  }
});

// --- internal ---

interface Step {
  /** How the command line begins that is held before it does anything. */
  readonly before: string;
  /** One that is held when that was done. */
  readonly after: string;
}

const step = (before: string, after = before): Step => ({ before, after });

/** What a plugin runs for each action; a workspace that is destroyed runs before. */
function stepsOf(provider: ContainerProvider, name: string): Readonly<Record<Verb, readonly Step[]>> {
  if (provider.name === "podman")
    return {
      create: [step("podman create")],
      start: [step("podman start")],
      stop: [step("podman stop")],
      destroy: [step("podman stop"), step("podman rm")],
    };
  const named = (tool: string): string => `${tool} --name=${name}`;
  return {
    create: [step(named("lxc-create"))],
    // As long as the container runs, so does that; then its address is asked for.
    start: [step("lxc-start --foreground", `${named("lxc-info")} --ips`)],
    stop: [step(named("lxc-stop"))],
    destroy: [step(named("lxc-stop")), step(named("lxc-destroy"))],
  };
}

/** What runs with the machine's home, containers' supervisors too, and is not of the daemon that runs now. */
function strangersOf(machine: Machine): string[] {
  const home = `HOME=${machine.folder}\0`;
  const own = new Set([machine.pid()]);
  const all = readdirSync("/proc").flatMap((entry) => {
    try {
      if (!/^\d+$/.test(entry)) return [];
      const read = (file: string): string => readFileSync(`/proc/${entry}/${file}`, "latin1");
      const parent = Number(/\) \S (\d+) /.exec(read("stat"))?.[1]);
      const words = read("cmdline").replaceAll("\0", " ");
      return [{ pid: Number(entry), parent, words, isOfMachine: read("environ").includes(home) }];
    } catch {
      return [];
    }
  });
  // By their ids, which grow nearly always: children come behind their parents.
  for (const each of all) if (own.has(each.parent)) own.add(each.pid);
  return all.flatMap(({ pid, words, isOfMachine }) =>
    isOfMachine && words !== "" && !own.has(pid) ? [words] : [],
  );
}

/** Of these what must be gone also while a container runs: plugins, and what stands in front of the tools. */
function leftBehind(machine: Machine): string[] {
  return strangersOf(machine).filter((words) => words.includes(machine.folder));
}
