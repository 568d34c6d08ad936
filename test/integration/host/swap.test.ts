/** One version in the place of another while the plugin runs: what the new one may, what the old one still may, and what fails. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../src/base/errors.ts";
import { codeOf } from "../../fixtures/rejection.ts";
import { fakeClock, tempDir, until } from "../../harness.ts";
import { eventOf, installSample, makeWorld, samplePlugin, withWorld, type World } from "./world.ts";

const run = (world: World) =>
  world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success")) as Promise<{
    readonly version: string;
  }>;

const openVersions = ({ rooms }: World): string[] => [...rooms.open.keys()].map(({ version }) => version);

describe("a new version", () => {
  test("is opened beside the old one, once, and that room gets the next event", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      await run(world);
      const place = world.deps.store.place.bind(world.deps.store);
      const seen: string[][] = [];
      Object.assign(world.deps.store, {
        place: async (...args: Parameters<typeof place>) => {
          seen.push(openVersions(world).toSorted());
          await place(...args);
        },
      });
      await installSample(world, samplePlugin({ version: "2.0.0" }));
      expect(seen).toEqual([["1.0.0", "2.0.0"]]);
      expect(openVersions(world)).toEqual(["2.0.0"]);
      expect((await run(world)).version).toBe("2.0.0");
      expect(world.rooms.opened).toBe(2);
    }));

  test(
    "loses no event and runs none twice, while events come without a pause",
    () =>
      withWorld(async (world) => {
        const ran: number[] = [];
        world.rooms.call = async (guest, _hook, event) => {
          ran.push(Number((event as { id: string }).id));
          await Promise.resolve();
          return Number.parseInt(guest.version, 10);
        };
        await installSample(world, samplePlugin());
        const answers: Promise<unknown>[] = [];
        const state = { isOver: false };
        const flow = (async () => {
          while (!state.isOver) {
            const event = { ...eventOf("on_deploy_success"), id: String(answers.length) };
            answers.push(world.plugins.run("sample", "on_deploy_success", event));
            // Three of them wait at any time.
            await answers.at(-3);
            await Bun.sleep(0);
          }
        })();
        for (let version = 2; version <= 10; version++)
          await installSample(world, samplePlugin({ version: `${version}.0.0` }));
        state.isOver = true;
        await flow;
        const versions = (await Promise.all(answers)) as number[];
        expect(ran).toEqual(answers.map((_, id) => id));
        expect(versions).toEqual(versions.toSorted((a, b) => a - b));
        expect(new Set(versions).size).toBe(10);
        expect(openVersions(world)).toEqual(["10.0.0"]);
      }),
    30_000,
  );

  test("knows its own rights from the start, and may use them only once it is there", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ required: ["logs_read"] }));
      const [old] = world.rooms.doors.values();
      expect(await old?.invoke("any", {})).toEqual(["logs_read"]);
      const gate = Promise.withResolvers<void>();
      let called = 0;
      world.rooms.call = () => (called++, gate.promise);
      const running = run(world);
      await until(() => called === 1);
      const upgrade = installSample(world, samplePlugin({ version: "2.0.0", required: ["notify_send"] }));
      await until(() => world.rooms.open.size === 2);
      const next = [...world.rooms.doors.values()].at(-1)!;
      expect(next.methods.map(({ name }) => name)).toEqual(["notify_send"]);
      expect(await codeOf(next.invoke("any", {}))).toBe("capability.denied");
      // The old one still is what is installed.
      expect(await old?.invoke("any", {})).toEqual(["logs_read"]);
      gate.resolve();
      await Promise.all([running, upgrade]);
      expect(await next.invoke("any", {})).toEqual(["notify_send"]);
      // What the old guest does on its way out gets nothing of the new one's rights.
      expect(await codeOf(old!.invoke("any", {}))).toBe("plugin.not_found");
    }));

  test("logs what it said while it loaded once it is there, and not where it never came", () =>
    withWorld(async (world) => {
      const lines = async (): Promise<string[]> => {
        const options = { limit: 99, follow: false, signal: new AbortController().signal };
        return (await Array.fromAsync(world.plugins.logs("sample", options))).map(({ text }) => text);
      };
      await installSample(world, samplePlugin());
      const loud = (version: string, more: string) =>
        samplePlugin({ version, files: { "index.ts": `loud handles:on_deploy_success ${more}` } });
      expect(await codeOf(installSample(world, loud("2.0.0", "throws")))).toBe("plugin.load_failed");
      expect(await lines()).toEqual([]);
      await installSample(world, loud("3.0.0", ""));
      expect(await lines()).toEqual(["3.0.0 is loaded"]);
    }));

  test("whose rows can't be written leaves the old one running in its room", () => {
    let isFull = false;
    return withWorld(
      async (world) => {
        await installSample(world, samplePlugin());
        await run(world);
        isFull = true;
        expect(await codeOf(installSample(world, samplePlugin({ version: "2.0.0" })))).toBe("disk.full");
        expect(openVersions(world)).toEqual(["1.0.0"]);
        expect((await run(world)).version).toBe("1.0.0");
        expect(world.rooms.opened).toBe(2);
      },
      ({ transaction }) => ({
        transaction(work) {
          if (isFull) throw fail("disk.full", "no room");
          return transaction(work);
        },
      }),
    );
  });

  test("waits ten seconds for a call in the old one; that is cut off then, for whoever sent it to send again", async () => {
    const clock = fakeClock();
    await withWorld(
      async (world) => {
        await installSample(world, samplePlugin());
        let called = 0;
        world.rooms.call = (_guest, _hook, _event, _options, stopped) => (called++, stopped);
        const cut = codeOf(run(world));
        await until(() => called === 1);
        world.rooms.call = async ({ version }) => ({ version });
        const upgrade = installSample(world, samplePlugin({ version: "2.0.0" }));
        await until(async () => {
          await clock.advance(1000);
          return openVersions(world).join() === "2.0.0";
        });
        await upgrade;
        expect(await cut).toBe("plugin.stopped");
        expect((await run(world)).version).toBe("2.0.0");
        expect(called).toBe(1);
      },
      { clock },
    );
  });

  test("that does not name the hook any more is not run with what waited for it", async () => {
    const waiting: Promise<string>[] = [];
    await withWorld(async (world) => {
      await installSample(world, samplePlugin());
      const next = { hooks: ["on_alert"], handles: ["on_alert", "on_deploy_success"] };
      const place = world.deps.store.place.bind(world.deps.store);
      Object.assign(world.deps.store, {
        async place(...args: Parameters<typeof place>) {
          await place(...args);
          waiting.push(codeOf(run(world)));
        },
      });
      await installSample(world, samplePlugin({ version: "2.0.0", ...next }));
      expect(await Promise.all(waiting)).toEqual(["plugin.no_hook"]);
    });
  });

  test("of a disabled plugin is looked at, and runs when that is enabled; a reload leaves it disabled", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ required: ["logs_read"] }));
      await world.plugins.disable("sample");
      const next = samplePlugin({ version: "2.0.0", required: ["logs_read"] });
      expect(await world.plugins.reload("sample", next)).toMatchObject({
        version: "2.0.0",
        state: "disabled",
        changed: true,
      });
      expect(openVersions(world)).toEqual([]);
      // It was looked at as it would be enabled, and could use nothing of it.
      const door = [...world.rooms.doors.values()].at(-1)!;
      expect(door.methods.map(({ name }) => name)).toEqual(["logs_read"]);
      expect(world.caller("sample").grants.size).toBe(0);
      await world.plugins.enable("sample");
      expect((await run(world)).version).toBe("2.0.0");
    }));
});

describe("a reload", () => {
  test("carries what was granted and how it is isolated, and keeps no draft", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ version: "0.9.0" }));
      const files = (version: string) => samplePlugin({ version, required: ["notify_send"] });
      const { digest } = await world.plugins.inspect({ files: files("1.0.0") });
      await world.plugins.install({
        source: { files: files("1.0.0") },
        digest,
        grants: [{ capability: "notify_send", scope: ["ops"] }],
        isolation: "process",
        by: "tester",
      });
      for (const version of ["1.0.1", "1.0.2", "1.0.3"])
        expect(await world.plugins.reload("sample", files(version))).toMatchObject({
          version,
          changed: true,
        });
      expect(await world.plugins.info("sample")).toMatchObject({
        version: "1.0.3",
        room: "js-process",
        granted: [{ capability: "notify_send", scope: ["ops"], grantedBy: "tester" }],
        versions: [{ version: "0.9.0" }],
      });
      expect(await world.plugins.reload("sample", files("1.0.3"))).toMatchObject({ changed: false });
    }));

  test("is refused where the plugin asks for anything else, has another name, or is not installed", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ required: ["notify_send"], optional: ["logs_read"] }));
      const others = {
        more: samplePlugin({ required: ["notify_send", "docker_write"], optional: ["logs_read"] }),
        less: samplePlugin({ required: ["notify_send"] }),
        "an optional one as required": samplePlugin({ required: ["notify_send", "logs_read"] }),
        "a scope": samplePlugin({
          required: ["notify_send"],
          optional: ["logs_read"],
          more: '[capabilities.scope]\nnotify_send = ["ops"]',
        }),
        "a gate": samplePlugin({
          required: ["notify_send"],
          optional: ["logs_read"],
          hooks: ["on_deploy_success", "pre_create"],
        }),
      };
      for (const files of Object.values(others))
        expect(await codeOf(world.plugins.reload("sample", files))).toBe("consent.needed");
      expect(await codeOf(world.plugins.reload("sample", samplePlugin({ name: "other" })))).toBe(
        "plugin.changed",
      );
      expect(await codeOf(world.plugins.reload("other", samplePlugin({ name: "other" })))).toBe(
        "plugin.not_found",
      );
      expect(await world.plugins.list()).toMatchObject([{ name: "sample", state: "enabled" }]);
      expect(world.rooms.opened).toBe(1);
    }));
});

describe("a rollback", () => {
  const versions = (world: World) =>
    world.plugins
      .info("sample")
      .then((info) => [info.version, ...info.versions.map(({ version }) => version)]);

  test("goes back to the version before, and from there to the one that it replaced", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin({ required: ["logs_read"] }));
      await installSample(world, samplePlugin({ version: "2.0.0", required: ["notify_send"] }));
      expect(await versions(world)).toEqual(["2.0.0", "1.0.0"]);
      expect(await world.plugins.rollback("sample", undefined, "t")).toMatchObject({ version: "1.0.0" });
      expect([...world.caller("sample").grants.keys()]).toEqual(["logs_read"]);
      expect((await run(world)).version).toBe("1.0.0");
      expect(await versions(world)).toEqual(["1.0.0", "2.0.0"]);
      await world.plugins.rollback("sample", undefined, "t");
      expect([...world.caller("sample").grants.keys()]).toEqual(["notify_send"]);
      expect(await versions(world)).toEqual(["2.0.0", "1.0.0"]);
      expect(openVersions(world)).toEqual(["2.0.0"]);
    }));

  test("finds a version by its name or its digest, among the three that were replaced last", () =>
    withWorld(async (world) => {
      for (const version of ["1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0"])
        await installSample(world, samplePlugin({ version, optional: ["logs_read"] }), ["logs_read"]);
      expect(await versions(world)).toEqual(["5.0.0", "4.0.0", "3.0.0", "2.0.0"]);
      for (const to of ["1.0.0", "9.9.9", "sha256:", "sha256:00", ""])
        expect(await codeOf(world.plugins.rollback("sample", to, "t"))).toBe("plugin.version_not_found");
      await world.plugins.rollback("sample", "3.0.0", "t");
      expect(await versions(world)).toEqual(["3.0.0", "5.0.0", "4.0.0", "2.0.0"]);
      const { digest } = (await world.plugins.info("sample")).versions[2]!;
      await world.plugins.rollback("sample", digest.slice(0, 16), "t");
      expect(await versions(world)).toEqual(["2.0.0", "3.0.0", "5.0.0", "4.0.0"]);
      expect(world.deps.grants.list("sample", digest)).toHaveLength(1);
    }));

  test("brings nothing back that was revoked since", () =>
    withWorld(async (world) => {
      const files = (version: string) => samplePlugin({ version, required: ["logs_read", "notify_send"] });
      await installSample(world, files("1.0.0"));
      await installSample(world, files("2.0.0"));
      await world.plugins.revoke("sample", "notify_send");
      await world.plugins.grant("sample", { capability: "notify_send" }, "t");
      await world.plugins.rollback("sample", undefined, "t");
      expect([...world.caller("sample").grants.keys()]).toEqual(["logs_read"]);
    }));

  test("to files that were changed meanwhile is refused, and the present version runs on", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      const { digest } = await world.plugins.info("sample");
      await installSample(world, samplePlugin({ version: "2.0.0" }));
      await Bun.write(
        `${world.deps.store.path("sample", digest)}/files/index.ts`,
        "handles:on_deploy_success // evil",
      );
      expect(await codeOf(world.plugins.rollback("sample", undefined, "t"))).toBe("plugin.tampered");
      expect((await run(world)).version).toBe("2.0.0");
      expect(openVersions(world)).toEqual(["2.0.0"]);
    }));

  test("survives a restart, is over when the plugin is removed, and leaves no folder", async () => {
    await using dir = tempDir();
    const before = makeWorld(dir.path);
    await installSample(before, samplePlugin());
    await installSample(before, samplePlugin({ version: "2.0.0" }));
    await before.close();
    const after = makeWorld(dir.path);
    await after.plugins.sweep();
    await after.plugins.rollback("sample", undefined, "t");
    expect((await run(after)).version).toBe("1.0.0");
    await after.plugins.remove("sample");
    expect([...new Bun.Glob("packages/**").scanSync({ cwd: dir.path, onlyFiles: false })]).not.toContain(
      "packages/sample",
    );
    await installSample(after, samplePlugin());
    expect(await codeOf(after.plugins.rollback("sample", undefined, "t"))).toBe("plugin.version_not_found");
    await after.close();
  });

  test("keeps no more folders than versions, and one for what the disk may not have heard of yet", () =>
    withWorld(async (world) => {
      for (let version = 1; version <= 12; version++)
        await installSample(world, samplePlugin({ version: `${version}.0.0` }));
      const folders = [
        ...new Bun.Glob("packages/sample/*").scanSync({ cwd: world.dataDir, onlyFiles: false }),
      ];
      expect(folders).toHaveLength(5);
      await world.plugins.sweep();
      expect([
        ...new Bun.Glob("packages/sample/*").scanSync({ cwd: world.dataDir, onlyFiles: false }),
      ]).toHaveLength(4);
    }));
});
