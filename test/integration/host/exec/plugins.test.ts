/** Executables as plugins: consent, events, the operator's ways to end it, and what happens with bad ones. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VoxError } from "../../../../src/base/errors.ts";
import { makeCeiling } from "../../../../src/host/ceiling.ts";
import { verdictOn } from "../../../../src/host/deliveries/verdict.ts";
import { makeGates } from "../../../../src/host/deliveries/gates.ts";
import { systemClock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import type { GrantName } from "../../../../src/base/grant-names.ts";
import { ECHO, execPlugin, execTexts, withExecutables, type AuditLine } from "../../../exec-plugin.ts";
import { MISBEHAVIOURS } from "../../../fixtures/executables.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { tempDir, until } from "../../../harness.ts";
import { eventOf, installSample, makeWorld, samplePlugin, withWorld, type World } from "../world.ts";

const DEPLOYED = { ...eventOf("on_deploy_success"), service: "web", server: "local" };
const run = (world: World, name = "hook") => world.plugins.run(name, "on_deploy_success", DEPLOYED);
const executables = withExecutables();

async function filesOnDisk(world: World, name = "hook"): Promise<string> {
  const { digest } = await world.plugins.info(name);
  return world.deps.store.filesPath(name, digest);
}

async function logOf(world: World, name = "hook"): Promise<string[]> {
  const options = { limit: 99, follow: false, signal: new AbortController().signal };
  return (await Array.fromAsync(world.plugins.logs(name, options))).map(
    ({ level, text }) => `${level}: ${text}`,
  );
}

/** A script that leaves a mark where it ran. */
const marking = (mark: string, more = "") =>
  `cat >/dev/null; echo ran >> ${mark}; ${more} echo '{"ok":true}'`;

describe("an install", () => {
  test("asks for unsandboxed, and says where it runs and why", () =>
    withWorld(async (world) => {
      const candidate = await world.plugins.inspect({ files: execPlugin() });
      expect(candidate).toMatchObject({ kind: "exec", tier: null, optional: [] });
      expect(candidate.required).toEqual([{ capability: "unsandboxed", risk: "High" }]);
      expect(await installSample(world, execPlugin())).toMatchObject({
        kind: "exec",
        tier: null,
        state: "enabled",
        room: "exec",
        roomReason: "it is an executable: it runs unsandboxed, with the daemon's full access",
      });
      const info = await world.plugins.info("hook");
      expect(info.granted).toMatchObject([{ capability: "unsandboxed", risk: "High", scope: null }]);
      expect(info.capabilities).toMatchObject([{ capability: "unsandboxed", required: true, why: null }]);
    }, executables));

  test.each<[string, readonly string[], string]>([
    ["without the grant", [], "grant.required_missing"],
    ["with another grant alone", ["fs_read"], "grant.unknown"],
    ["with another grant beside it", ["unsandboxed", "fs_read"], "grant.unknown"],
  ])("%s is refused, and leaves nothing", (_what, grants, code) =>
    withWorld(async (world) => {
      expect(await codeOf(installSample(world, execPlugin(), grants))).toBe(code);
      expect(await world.plugins.list()).toEqual([]);
      expect(existsSync(join(world.dataDir, "plugins", "hook"))).toBe(false);
    }, executables),
  );

  test("runs nothing of it, and takes no wish for a room", () =>
    withWorld(async (world) => {
      const mark = join(world.dataDir, "mark");
      const files = execPlugin({ script: marking(mark) });
      const { digest } = await world.plugins.inspect({ files });
      const grants = [{ capability: "unsandboxed" as const }];
      const wish = { source: { files }, digest, grants, by: "t", isolation: "process" as const };
      expect(await codeOf(world.plugins.install(wish))).toBe("plugin.unsupported");
      await installSample(world, files);
      expect(existsSync(mark)).toBe(false);
      await run(world);
      expect(readFileSync(mark, "utf8")).toBe("ran\n");
    }, executables));
});

describe("an event", () => {
  test("comes as the parameters of execute, with all of it in data, and each run is recorded", async () => {
    const audit: AuditLine[] = [];
    await withWorld(async (world) => {
      await installSample(world, execPlugin());
      const asked = (await run(world)) as Record<string, unknown>;
      expect(asked).toMatchObject({ action: "execute", v: 1, deadline_ms: 30_000, event_id: "event" });
      expect(asked["params"]).toEqual({
        workspace: "web",
        event: "on_deploy_success",
        server: "local",
        env: {},
        data: DEPLOYED,
      });
      expect(audit).toMatchObject([
        {
          method: "exec.run",
          capability: "unsandboxed",
          target: "run",
          outcome: "ok",
          during: "on_deploy_success",
        },
      ]);
    }, withExecutables(audit));
  });

  test("of a workspace has its name, server and environment", () =>
    withWorld(async (world) => {
      await installSample(world, execPlugin({ events: ["post_start"] }));
      const event = { ...eventOf("post_start"), workspace: "w", server: "10.0.0.5", env: { A: "b" } };
      const asked = await world.plugins.run("hook", "post_start", event);
      expect(asked).toMatchObject({
        params: { workspace: "w", event: "post_start", server: "10.0.0.5", env: { A: "b" } },
      });
    }, executables));

  test("meets the program in its own folder, with nothing of the daemon's environment but what it needs", async () => {
    const environment = { PATH: "/usr/bin:/bin", HOME: "/root", SECRET: "x", VOXELTRON_SECRETS_KEY: "y" };
    const script = `cat >/dev/null; printf '{"ok":true,"result":["%s","%s"]}' "$(pwd)" "$(env | cut -d= -f1 | sort | tr '\\n' ' ')"`;
    await withWorld(
      async (world) => {
        await installSample(world, execPlugin({ script }));
        const [folder, names] = (await run(world)) as [string, string];
        expect(folder).toBe(await filesOnDisk(world));
        expect(names.split(" ").filter((name) => name !== "_" && name !== "")).toEqual([
          "HOME",
          "LANG",
          "PATH",
          "PWD",
          "PYTHONDONTWRITEBYTECODE",
        ]);
      },
      withExecutables([], environment),
    );
  });

  test("by hand gives the result, and what it wrote to standard error is its log", () =>
    withWorld(async (world) => {
      const script = `cat >/dev/null; echo hello >&2; echo "WARN: low" >&2; echo '{"ok":true,"result":7}'`;
      await installSample(world, execPlugin({ script }));
      const answer = await world.plugins.call("hook", "on_deploy_success");
      expect(answer.result).toBe(7);
      expect(answer.logs.map(({ level, text }) => `${level}: ${text}`)).toEqual([
        "info: hello",
        "warn: WARN: low",
      ]);
      expect(await codeOf(world.plugins.call("hook", "on_alert"))).toBe("plugin.no_hook");
    }, executables));
});

test("no other plugin is offered to run a program, nor can it ask", () =>
  withWorld(async (world) => {
    let ran = false;
    const request = { entrypoint: "run", work: async () => void (ran = true) };
    await installSample(world, samplePlugin({ required: ["docker_write"] }));
    const [door] = world.rooms.doors.values();
    if (door === undefined) throw new Error("no room was opened");
    expect(door.methods).toEqual([]);
    expect(await codeOf(door.invoke("exec.run", request))).toBe("capability.unknown_method");
    expect(await codeOf(world.plugins.grant("sample", { capability: "unsandboxed" }, "t"))).toBe(
      "grant.unknown",
    );
    const digest = (await world.plugins.info("sample")).digest;
    // As if the table of grants had been written to.
    const grant = {
      capability: "unsandboxed",
      scope: null,
      grantedBy: "x",
      grantedAt: "2026-01-01T00:00:00.000Z",
    };
    world.deps.grants.put("sample", digest, grant);
    await world.plugins.disable("sample");
    await world.plugins.enable("sample");
    expect(await codeOf(door.invoke("exec.run", request))).toBe("capability.unknown_method");
    expect(ran).toBe(false);
    // The control: an executable's door lets the same through.
    await installSample(world, execPlugin());
    const own = world.deps.doorFor("hook", () => world.caller("hook"));
    expect(await codeOf(own.invoke("exec.run", request))).toBe("ok");
    expect(ran).toBe(true);
  }, executables));

describe("a gate", () => {
  const event = { ...eventOf("pre_create"), workspace: "w" };
  async function ask(world: World): Promise<void> {
    const deliveries = { openGate: () => 1, dropGate() {}, update() {} };
    const parts = { runner: world.plugins, feed: { touch() {} }, clock: systemClock, log: silentLog };
    await makeGates({ deliveries, caughtUp: async () => {}, ...parts })(event, new AbortController().signal);
  }

  test("that fails refuses with its own words; one that says ok lets it be", () =>
    withWorld(async (world) => {
      const refusing = `cat >/dev/null; echo '{"ok":false,"error":"the disk is full"}'; exit 1`;
      await installSample(world, execPlugin({ name: "yes", events: ["pre_create"] }));
      await ask(world);
      await installSample(world, execPlugin({ name: "no", events: ["pre_create"], script: refusing }));
      const error = (await rejection(ask(world))) as VoxError;
      expect([error.code, error.message]).toEqual([
        "gate.refused",
        "no refused pre_create: the disk is full",
      ]);
    }, executables));

  test("that is revoked, or crashes, refuses too", () =>
    withWorld(async (world) => {
      await installSample(world, execPlugin({ events: ["pre_create"] }));
      await world.plugins.revoke("hook", "unsandboxed");
      expect(await codeOf(ask(world))).toBe("gate.refused");
      await installSample(world, execPlugin({ events: ["pre_create"], script: "exit 9" }));
      expect(((await rejection(ask(world))) as VoxError).message).toContain(
        "could not be asked about pre_create",
      );
    }, executables));
});

describe("it does not run", () => {
  test("once the grant is taken back; what waits for it rests, and goes on with the next grant", () =>
    withWorld(async (world) => {
      const mark = join(world.dataDir, "mark");
      await installSample(world, execPlugin({ script: marking(mark) }));
      await run(world);
      await world.plugins.revoke("hook", "unsandboxed");
      const error = (await rejection(run(world))) as VoxError;
      expect(error.code).toBe("capability.denied");
      expect(error.hint).toBe("to allow it: voxeltron plugin grant hook unsandboxed");
      expect(verdictOn(error, 1).kind).toBe("park");
      expect(await world.plugins.info("hook")).toMatchObject({
        state: "broken",
        reason: "it does not run: unsandboxed is not granted, or not allowed",
      });
      expect(readFileSync(mark, "utf8")).toBe("ran\n");
      await world.plugins.grant("hook", { capability: "unsandboxed" }, "t");
      await run(world);
      expect(readFileSync(mark, "utf8")).toBe("ran\nran\n");
      expect((await world.plugins.info("hook")).state).toBe("enabled");
    }, executables));

  test("under a ceiling that does not name it; under one that does, it runs", async () => {
    let names: readonly GrantName[] = ["notify_send"];
    let ceilings = [makeCeiling([], "x")];
    const forbid = (next: readonly GrantName[]) => {
      names = next;
      ceilings = [
        makeCeiling(
          names.map((capability) => ({ capability, scope: null })),
          "[plugins] ceiling",
        ),
      ];
    };
    forbid(["notify_send"]);
    await withWorld(
      async (world) => {
        const mark = join(world.dataDir, "mark");
        await installSample(world, execPlugin({ script: marking(mark) }));
        const error = (await rejection(run(world))) as VoxError;
        expect(error.code).toBe("capability.denied");
        expect(error.hint).toContain('add "unsandboxed" to [plugins] ceiling');
        expect((await world.plugins.info("hook")).state).toBe("broken");
        expect(existsSync(mark)).toBe(false);
        forbid(["notify_send", "unsandboxed"]);
        await run(world);
        expect(existsSync(mark)).toBe(true);
      },
      (deps) => ({ ...executables(deps), ceilings: () => ceilings }),
    );
  });

  test.each<[string, (folder: string) => void]>([
    ["its program was changed", (folder) => writeFileSync(join(folder, "run"), `#!/bin/sh\n${ECHO}\n#`)],
    ["another file came to it", (folder) => writeFileSync(join(folder, "lib.so"), "")],
    ["a file may now be executed", (folder) => chmodSync(join(folder, "plugin.yaml"), 0o700)],
  ])("once %s on disk, between two runs of one room", (_what, change) =>
    withWorld(async (world) => {
      const mark = join(world.dataDir, "mark");
      await installSample(world, execPlugin({ script: marking(mark) }));
      await run(world);
      change(await filesOnDisk(world));
      expect(await codeOf(run(world))).toBe("plugin.tampered");
      expect(await codeOf(run(world))).toBe("plugin.tampered");
      expect(readFileSync(mark, "utf8")).toBe("ran\n");
      expect((await world.plugins.info("hook")).state).toBe("tampered");
    }, executables),
  );

  test(
    "any longer when the grant is taken back in the middle: the whole group ends, and at a stop too",
    () =>
      withWorld(async (world) => {
        for (const end of ["revoke", "remove"] as const) {
          const mark = join(world.dataDir, end);
          const script = `cat >/dev/null; sleep 60 & echo $! > ${mark}; wait; echo '{"ok":true}'`;
          await installSample(world, execPlugin({ script }));
          const running = codeOf(run(world));
          const pid = Number(await until(() => existsSync(mark) && readFileSync(mark, "utf8").trim()));
          expect(existsSync(`/proc/${pid}`)).toBe(true);
          if (end === "revoke") await world.plugins.revoke("hook", "unsandboxed");
          else await world.close();
          expect(await running).toBe(end === "revoke" ? "capability.denied" : "plugin.stopped");
          await until(() => !existsSync(`/proc/${pid}`));
          if (end === "revoke") await world.plugins.remove("hook");
        }
      }, executables),
    30_000,
  );
});

describe("other files", () => {
  test("need other consent: the grant of one version is not that of the next, and rolling back brings the old one back", () =>
    withWorld(async (world) => {
      const [one, two] = ["1.0.0", "2.0.0"].map((version) =>
        execPlugin({ version, script: `cat >/dev/null; echo '{"ok":true,"result":"${version}"}'` }),
      );
      await installSample(world, one!);
      expect(await codeOf(world.plugins.reload("hook", two!))).toBe("consent.needed");
      expect(await run(world)).toBe("1.0.0");
      expect(await codeOf(installSample(world, two!, []))).toBe("grant.required_missing");
      await installSample(world, two!);
      expect(await run(world)).toBe("2.0.0");
      await world.plugins.rollback("hook", undefined, "t");
      expect(await run(world)).toBe("1.0.0");
      await world.plugins.revoke("hook", "unsandboxed");
      await world.plugins.rollback("hook", undefined, "t");
      expect(await codeOf(run(world))).toBe("capability.denied");
    }, executables));

  test("in a linked folder pause it until someone consents", async () => {
    await using dir = tempDir();
    const folder = join(dir.path, "mine");
    mkdirSync(folder);
    const mark = join(dir.path, "mark");
    const write = (script: string) => {
      for (const [path, text] of Object.entries(execTexts({ script })))
        writeFileSync(join(folder, path), text);
      chmodSync(join(folder, "run"), 0o755);
    };
    write(ECHO);
    const world = makeWorld(join(dir.path, "data"), executables);
    world.plugins.start();
    const consent = async () => {
      const { digest } = await world.plugins.inspect({ link: folder });
      const grants = [{ capability: "unsandboxed" as const }];
      await world.plugins.install({ source: { link: folder }, digest, grants, by: "t" });
    };
    await consent();
    await run(world);
    write(marking(mark));
    await until(async () => (await world.plugins.info("hook")).state === "paused");
    expect((await world.plugins.info("hook")).reason).toContain(
      "its files have changed, and they run unsandboxed; to look at it and consent: voxeltron plugin install --link",
    );
    expect(await codeOf(run(world))).toBe("plugin.paused");
    expect(existsSync(mark)).toBe(false);
    await consent();
    await run(world);
    expect(existsSync(mark)).toBe(true);
    await world.close();
  }, 20_000);
});

describe("bad executables, each behind the room", () => {
  for (const { name, script, ending, deadlineMs } of MISBEHAVIOURS)
    test(
      `one that ${name}`,
      () =>
        withWorld(async (world) => {
          const more = `timeout: ${deadlineMs ?? 10_000}ms`;
          await installSample(world, execPlugin({ script, more }));
          const error = (await rejection(run(world))) as VoxError;
          expect([error.code, error.details["problem"]]).toEqual([ending.code, ending.problem]);
          const left = await filesOnDisk(world);
          await world.plugins.remove("hook");
          expect(existsSync(left)).toBe(false);
          // Killed, and then gone a moment later.
          await until(() => processesIn(left).length === 0);
        }, executables),
      30_000,
    );

  test(
    "five that crash in a row suspend it, and it says so",
    () =>
      withWorld(async (world) => {
        await installSample(world, execPlugin({ script: "exit 1" }));
        await until(async () => (await codeOf(run(world))) === "plugin.suspended", { timeoutMs: 60_000 });
        expect((await world.plugins.info("hook")).state).toBe("suspended");
        expect((await logOf(world)).join("\n")).toContain("it is suspended until");
      }, executables),
    60_000,
  );
});

// --- internal ---

/** Processes whose working directory is, or was, the folder. */
function processesIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`PWD=${folder}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
