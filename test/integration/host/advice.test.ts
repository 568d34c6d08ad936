/**
 * A refusal says what would allow only that: here it is pasted, and then the call is allowed, and no other. Made from the catalogue: a
 * method without a sample fails.
 */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { cliStatus } from "../../../src/cli/main.ts";
import { isVoxError, type VoxError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { makeBroker } from "../../../src/host/capabilities/broker.ts";
import { makeCatalogue } from "../../../src/host/capabilities/catalogue.ts";
import { method, type Method } from "../../../src/host/capabilities/method.ts";
import { DEFAULT_QUOTA } from "../../../src/host/capabilities/quota.ts";
import { makeCeiling, type Ceilings } from "../../../src/host/ceiling.ts";
import { NO_POWERS } from "../../../src/host/install/imagined-door.ts";
import type { PluginDoor } from "../../../src/host/runtimes/runtime.ts";
import { readScoped, type ScopedCapability } from "../../../src/host/scoped-capability.ts";
import { sampleOf } from "../../fixtures/method-samples.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { fakeClock, tempDir } from "../../harness.ts";
import { fakeDaemon } from "../cli/fake-daemon.ts";
import { fakeIo } from "../../unit/cli/fake-io.ts";
import { installSample, samplePlugin, withWorld, type Sample, type World } from "./world.ts";

/** The real methods with their real checks; what is behind them answers and does nothing. */
const methods: readonly Method[] = makeCatalogue({
  ...NO_POWERS,
  channels: { channels: () => ["ops", "dev"], send: async () => {} },
}).map((each) => ({ ...each, run: async () => "done" }));

const opened = methods.filter((method) => method.anyOf.length > 0);

describe("what a refusal advises", () => {
  for (const method of opened) {
    const { name } = method;

    test(`${name}: the command allows it`, () =>
      within({ optional: [sampleOf(name).capability] }, async (scene) => {
        const { params } = sampleOf(name);
        const refusal = await refused(scene, name, params);
        expect(refusal).toMatchObject({ code: "capability.denied", details: { during: "on_alert" } });
        expect(refusal.message).toContain(`plugin sample called ${name} in on_alert`);
        await paste(scene, refusal);
        expect(await scene.call(name, params)).toBe("done");
      }));

    const { entry, elsewhere, capability } = sampleOf(name);
    if (entry === undefined || elsewhere === undefined || !isChecked(method)) continue;

    test(`${name}: the command allows only that, and the next adds to it`, () =>
      within({ optional: [capability] }, async (scene) => {
        const { params } = sampleOf(name);
        await paste(scene, await refused(scene, name, params));
        expect(scene.scope(capability)).toEqual([entry]);
        const beyond = await refused(scene, name, elsewhere.params);
        expect(beyond.code).toBe("capability.out_of_scope");
        await paste(scene, beyond);
        expect(await scene.call(name, elsewhere.params)).toBe("done");
        expect(await scene.call(name, params)).toBe("done");
        expect(scene.scope(capability)).toEqual([entry, elsewhere.entry]);
      }));

    test(`${name}: the line for plugin.toml is what the command lacks`, () => {
      const narrow = `[capabilities.scope]\n${capability} = ${JSON.stringify([entry])}`;
      return within({ required: [capability], more: narrow }, async (scene) => {
        const beyond = await refused(scene, name, elsewhere.params);
        expect(beyond.hint).toContain(`add "${elsewhere.entry}" to ${capability} under [capabilities.scope]`);
        const wide = narrow.replace("]\n", "]\n").replace(/\]$/, `, "${elsewhere.entry}"]`);
        await installSample(
          scene.world,
          samplePlugin({ required: [capability], more: wide, version: "2.0.0" }),
        );
        expect(await scene.call(name, elsewhere.params)).toBe("done");
      });
    });

    test(`${name}: the lines for the configuration allow it under every ceiling, then the command does`, () =>
      within({ optional: [capability] }, async (scene) => {
        const { params } = sampleOf(name);
        scene.ceilings.set("[plugins] ceiling", [{ capability, scope: [elsewhere.entry] }]);
        scene.ceilings.set("sample in [plugins.ceilings]", []);
        const steps = (await refused(scene, name, params)).hint?.split("; then ") ?? [];
        expect(steps).toHaveLength(3);
        for (const step of steps) {
          expect(await refused(scene, name, params)).toBeDefined();
          await follow(scene, step);
        }
        expect(await scene.call(name, params)).toBe("done");
        expect((await refused(scene, name, elsewhere.params)).code).toBe("capability.out_of_scope");
      }));
  }
});

test("what is pasted is one word of a shell, whatever a plugin put into it", () =>
  within({ optional: ["fs_read"] }, async (scene) => {
    const nasty = 'files/$(touch x)`id`\'; rm -rf "~" #*';
    const refusal = await refused(scene, "test.read", { path: nasty });
    await paste(scene, refusal);
    expect(scene.scope("fs_read")).toEqual([nasty]);
  }));

test("a target that can't stand in a command is left out of it", () =>
  within({ optional: ["fs_read"] }, async (scene) => {
    for (const path of [
      "files/a,b",
      "files/a\nb",
      "files/\u202Ea",
      " files/a",
      "/etc/passwd",
      "files/../x",
    ]) {
      const { hint } = await refused(scene, "test.read", { path });
      expect(hint).toBe("to allow all of fs_read: voxeltron plugin grant sample fs_read");
    }
  }));

// --- internal ---

interface Scene {
  readonly world: World;
  readonly socket: string;
  /** By where they are written. */
  readonly ceilings: Map<string, ScopedCapability[]>;
  call(method: string, params: unknown): Promise<unknown>;
  scope(capability: string): readonly string[] | null | undefined;
}

/** A daemon's plugin host with the real broker and one plugin, in which on_alert runs. */
async function within(sample: Sample, work: (scene: Scene) => Promise<void>): Promise<void> {
  await using dir = tempDir();
  const socket = `${dir.path}/s`;
  const ceilings: Scene["ceilings"] = new Map();
  let world: World;
  const broker = makeBroker({
    methods: [...methods, testRead],
    callerOf: (plugin) => world.plugins.callerOf(plugin),
    audit: { append() {} },
    pluginLogs: { append: () => 0 },
    quota: () => DEFAULT_QUOTA,
    clock: fakeClock(),
    log: silentLog,
  });
  const asked = (): Ceilings => [...ceilings].map(([key, entries]) => makeCeiling(entries, key));
  await withWorld(
    async (made) => {
      world = made;
      await installSample(world, samplePlugin(sample));
      const door: PluginDoor = broker.doorFor("sample");
      const origin = { life: new AbortController().signal, chars: 0, during: "on_alert" };
      await using _daemon = fakeDaemon(socket, {
        "plugin.grant": ({ name, ...request }) => world.plugins.grant(name, request, "operator"),
      });
      await work({
        world,
        socket,
        ceilings,
        call: (method, params) => door.invoke(method, params, undefined, origin),
        scope: (capability) => world.plugins.callerOf("sample")?.grants.get(capability as never),
      });
    },
    { ceilings: asked },
  );
}

/** A method of the test's own, whose target is what a plugin writes. */
const testRead: Method = method({
  name: "test.read",
  args: "object",
  anyOf: ["fs_read"],
  params: v.strictObject({ path: v.string() }),
  scope: ({ path }) => path,
  run: async () => "done",
});

/** A family whose scope is looked at where it acts, and nowhere before, can't be asked here. */
function isChecked({ name, check }: Method): boolean {
  if (check === undefined && name !== "net.fetch") throw new Error(`${name} has no check`);
  return check !== undefined;
}

async function refused(scene: Scene, name: string, params: unknown): Promise<VoxError> {
  const error = await rejection(scene.call(name, params));
  if (isVoxError(error)) return error;
  throw error;
}

function paste(scene: Scene, { hint = "" }: VoxError): Promise<void> {
  return follow(scene, hint);
}

/** Does what a step of the advice says. */
async function follow(scene: Scene, step: string): Promise<void> {
  const [, line, key] = /: add (".*") to (.*)$/.exec(step) ?? [];
  if (line !== undefined && key !== undefined) {
    const entry = readScoped(JSON.parse(line) as string);
    if (!("capability" in entry)) throw new Error(`${line} is no line of a ceiling`);
    scene.ceilings.set(key, [...(scene.ceilings.get(key) ?? []), entry]);
    return;
  }
  const [command = ""] = /(?<=: )voxeltron .*$/s.exec(step) ?? [];
  const words = Bun.spawnSync(["sh", "-c", String.raw`printf '%s\0' ${command}`])
    .stdout.toString()
    .split("\0");
  const io = fakeIo({ environment: { VOXELTRON_SOCKET: scene.socket } });
  const status = await cliStatus(words.slice(1, -1), io, async () => {});
  expect([status, io.shown.stderr]).toEqual([0, ""]);
}
