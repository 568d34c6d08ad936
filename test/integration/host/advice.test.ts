/**
 * A refusal says what would allow only that: here it is pasted, and then the call is allowed, and no other. Made from the catalogue and the
 * matrix: a method without a row there fails.
 */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { cliStatus } from "../../../src/cli/main.ts";
import { isVoxError, type VoxError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { makeBroker } from "../../../src/host/capabilities/broker.ts";
import { makeCatalogue } from "../../../src/host/capabilities/catalogue.ts";
import { outOfScope } from "../../../src/host/capabilities/denial.ts";
import { inScope } from "../../../src/host/capabilities/scopes.ts";
import { method, type Method } from "../../../src/host/capabilities/method.ts";
import { DEFAULT_QUOTA } from "../../../src/host/capabilities/quota.ts";
import { makeCeiling, type Ceilings } from "../../../src/host/ceiling.ts";
import type { PluginDoor } from "../../../src/host/runtimes/runtime.ts";
import { readScoped, type ScopedCapability } from "../../../src/host/scoped-capability.ts";
import { codeOf, rejection } from "../../fixtures/rejection.ts";
import { fakeClock, tempDir } from "../../harness.ts";
import { fakeDaemon } from "../cli/fake-daemon.ts";
import { recordPowers } from "../../matrix/powers.ts";
import type { Row } from "../../matrix/row.ts";
import { ROWS } from "../../matrix/rows.ts";
import { fakeIo } from "../../unit/cli/fake-io.ts";
import { installSample, samplePlugin, withWorld, type Sample, type World } from "./world.ts";

describe("what a refusal advises", () => {
  for (const { name, anyOf } of makeCatalogue(recordPowers().powers)) {
    if (anyOf.length === 0) continue;
    const row = ROWS[name];
    const capability = row?.capability;
    if (row === undefined || capability === undefined)
      throw new Error(`${name} has no row in test/matrix/rows.ts`);
    const { params, excluded } = row;
    const method = methodsOf(row).find((each) => each.name === name);
    const entry = method?.scope?.(v.parse(method.params, params) as never);
    const narrowest = entry === undefined ? null : [entry];

    test(`${name}: the command allows that and nothing beyond`, () =>
      within({ optional: [capability] }, row, async (scene) => {
        const refusal = await refused(scene, name, params);
        expect(refusal).toMatchObject({ code: "capability.denied", details: { during: "on_alert" } });
        expect(refusal.message).toContain(`plugin sample called ${name} in on_alert`);
        await paste(scene, refusal);
        const more = await allowed(scene, name, row);
        expect(scene.scope(capability)).toEqual(narrowest === null ? null : [...narrowest, ...more]);
      }));

    test(`${name}: the lines for the configuration and the command allow it together, and nothing beyond`, () =>
      within({ optional: [capability] }, row, async (scene) => {
        scene.ceilings.set("[plugins] ceiling", []);
        scene.ceilings.set("sample in [plugins.ceilings]", []);
        const steps = (await refused(scene, name, params)).hint?.split("; then ") ?? [];
        expect(steps).toHaveLength(3);
        for (const step of steps) {
          await refused(scene, name, params);
          await follow(scene, step);
        }
        const more = await allowed(scene, name, row);
        expect(scene.scope(capability)).toEqual(narrowest === null ? null : [...narrowest, ...more]);
      }));

    // What is out of its sight is answered as what does not exist: there is nothing to advise.
    if (typeof excluded === "string" || row.refusal !== undefined) continue;

    test(`${name}, granted for something else: the command adds it`, () =>
      within({ optional: [capability] }, row, async (scene) => {
        await scene.world.plugins.grant("sample", { capability, scope: excluded }, "operator");
        const refusal = await refused(scene, name, params);
        expect(refusal.code).toBe("capability.out_of_scope");
        await paste(scene, refusal);
        const more = await allowed(scene, name, row);
        expect(scene.scope(capability)).toEqual(entry === undefined ? null : [...excluded, entry, ...more]);
      }));

    if (entry === undefined) continue;

    test(`${name}, asked for something else: the line for plugin.toml is what is missing`, () => {
      const asks = (scope: readonly string[]) => ({
        required: [capability],
        more: `[capabilities.scope]\n${capability} = ${JSON.stringify(scope)}`,
      });
      return within(asks(excluded), row, async (scene) => {
        const scope = [...excluded];
        let refusal = await refused(scene, name, params);
        expect(refusal.hint).toContain(`add "${entry}" to ${capability} under [capabilities.scope]`);
        for (let targets = 1; targets < 3; targets++) {
          scope.push(/add "(.*?)" to/.exec(refusal.hint ?? "")?.[1] ?? "");
          const version = `${targets + 1}.0.0`;
          await installSample(scene.world, samplePlugin({ ...asks(scope), version }));
          if ((await codeOf(scene.call(name, params))) !== "capability.out_of_scope") break;
          refusal = await refused(scene, name, params);
        }
        await allowed(scene, name, row);
      });
    });
  }
});

test("what is pasted is one word of a shell, whatever a plugin put into it", () =>
  within({ optional: ["fs_read"] }, {}, async (scene) => {
    const nasty = 'files/$(touch x)`id`\'; rm -rf "~" #*';
    const refusal = await refused(scene, "test.read", { path: nasty });
    await paste(scene, refusal);
    expect(scene.scope("fs_read")).toEqual([nasty]);
  }));

test("a target that can't stand in a command is left out of it", () =>
  within({ optional: ["fs_read"] }, {}, async (scene) => {
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

test("where a target has no name for a scope, a ceiling that may be what refuses it is named too", () =>
  within({ optional: ["fs_read"] }, {}, async (scene) => {
    scene.ceilings.set("[plugins] ceiling", [{ capability: "fs_read", scope: ["files/b"] }]);
    const { hint: first } = await refused(scene, "test.read", { path: "/a" });
    expect(first).toBe("to allow all of fs_read: voxeltron plugin grant sample fs_read");
    await scene.world.plugins.grant("sample", { capability: "fs_read" }, "operator");
    const refusal = await refused(scene, "test.read", { path: "/a" });
    expect(refusal.hint).toBe(
      'the daemon\'s configuration keeps it away: add "fs_read" to [plugins] ceiling',
    );
    await follow(scene, refusal.hint ?? "");
    expect(await scene.call("test.read", { path: "/a" })).toBe("done");
  }));

test("what is granted and kept away by a ceiling is not called ungranted, neither to the plugin nor to who grants it", () =>
  within({ optional: ["fs_read"] }, {}, async (scene) => {
    scene.ceilings.set("[plugins] ceiling", []);
    const io = fakeIo();
    const args = ["plugin", "grant", "sample", "fs_read", "--socket", scene.socket];
    expect(await cliStatus(args, io, async () => {})).toBe(0);
    expect(io.shown.stderr).toContain("can use less than that: [plugins] ceiling leaves it out");
    const { message } = await refused(scene, "test.read", { path: "files/a" });
    expect(message).toEndWith("which needs fs_read; that is granted, but [plugins] ceiling leaves it out");
    scene.ceilings.clear();
    const again = fakeIo();
    expect(await cliStatus(args, again, async () => {})).toBe(0);
    expect(again.shown.stderr).toBe("");
  }));

test("a grant that takes the place of another says of which", () =>
  within({ optional: ["fs_read"] }, {}, async (scene) => {
    const said = async (grant: string): Promise<string> => {
      const io = fakeIo();
      const args = ["plugin", "grant", "sample", grant, "--socket", scene.socket];
      expect(await cliStatus(args, io, async () => {})).toBe(0);
      return io.shown.stdout;
    };
    expect(await said("fs_read=files/a")).toBe("sample may now use fs_read for files/a\n");
    expect(await said("fs_read=files/b")).toBe("sample may now use fs_read for files/b (before: files/a)\n");
    expect(await said("fs_read=files/b")).toBe("sample may now use fs_read for files/b\n");
    expect(await said("fs_read")).toBe("sample may now use fs_read (before: files/b)\n");
  }));

test("a part of a capability can't be revoked: what is said instead leaves that part", async () => {
  const io = fakeIo();
  expect(await cliStatus(["plugin", "revoke", "sample", "fs_write=files/a"], io, async () => {})).toBe(2);
  expect(io.shown.stderr).toContain("voxeltron plugin grant NAME fs_write=SCOPE");
});

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
async function within(
  sample: Sample,
  behind: Pick<Row, "powers" | "looks">,
  work: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using dir = tempDir();
  const socket = `${dir.path}/s`;
  const ceilings: Scene["ceilings"] = new Map();
  let world: World;
  const broker = makeBroker({
    methods: [...methodsOf(behind), testRead],
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
        "plugin.info": ({ name }) => world.plugins.info(name),
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

/** The real methods, on powers that give what the row says. */
function methodsOf({ powers, looks }: Pick<Row, "powers" | "looks">): readonly Method[] {
  return makeCatalogue(recordPowers(powers, looks).powers);
}

/** A method of the test's own, whose target is what a plugin writes. */
const testRead: Method = method({
  name: "test.read",
  args: "object",
  anyOf: ["fs_read"],
  params: v.strictObject({ path: v.string() }),
  scope: ({ path }) => path,
  check(caller, { path }) {
    if (inScope(caller, "fs_read", path)) return;
    throw outOfScope(caller, "fs_read", `${path} is out of its scope`, path);
  },
  run: async () => "done",
});

/** A call with two targets is allowed when the advice for the second was pasted too: gives the entries that this added. */
async function allowed(scene: Scene, name: string, row: Row): Promise<readonly string[]> {
  const { params, failure = "ok", capability = "" } = row;
  const before = scene.scope(capability)?.length ?? 0;
  for (let targets = 1; targets < 3; targets++) {
    const code = await codeOf(scene.call(name, params));
    if (code !== "capability.out_of_scope") break;
    const { hint = "" } = await refused(scene, name, params);
    for (const step of hint.split("; then ")) await follow(scene, step);
  }
  expect(await codeOf(scene.call(name, params))).toBe(failure);
  return scene.scope(capability)?.slice(before) ?? [];
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
