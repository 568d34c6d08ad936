/** Executables as providers, asked through the plugin host with real programs: rights, bounds, health, and no process that stays. */
import { describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProviderAction } from "../../../../src/base/provider-actions.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { DEFAULT_QUOTA } from "../../../../src/host/capabilities/quota.ts";
import type { PluginsDeps } from "../../../../src/host/plugins.ts";
import { execPlugin, withExecutables, type AuditLine, type ExecSample } from "../../../exec-plugin.ts";
import { MISBEHAVIOURS } from "../../../fixtures/executables.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { until } from "../../../harness.ts";
import { installSample, withWorld, type World } from "../world.ts";

type Timeouts = Partial<Record<ProviderAction, number>>;

const box = (sample: ExecSample = {}) => execPlugin({ name: "box", actions: [], ...sample });
const READ = "read -r request;";
const OK = `echo '{"ok":true}'`;

function providing(timeouts: Timeouts = {}, more: Parameters<typeof withExecutables> = []) {
  return (deps: PluginsDeps): Partial<PluginsDeps> => ({
    ...withExecutables(...more)(deps),
    actionTimeouts: () => timeouts,
  });
}

function ask(world: World, action: ProviderAction, params: object = { name: "w" }, signal?: AbortSignal) {
  const provider = world.plugins.providers().find(({ name }) => name === "box");
  if (provider === undefined) throw new Error("no provider is called box");
  return provider.ask(action, { ...params }, { signal: signal ?? new AbortController().signal });
}

/** Processes that were started in this folder. */
function leftIn(folder: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`HOME=${folder}`);
      } catch {
        return false;
      }
    });
}

describe("a provider", () => {
  test("is asked with the action and its parameters, and each run is recorded", async () => {
    const audit: AuditLine[] = [];
    await withWorld(
      async (world) => {
        await installSample(world, box({ actions: ["logs"] }));
        const [provider] = world.plugins.providers();
        expect(provider).toMatchObject({ name: "box", actions: ["logs"] });
        expect([provider?.timeoutMs("create"), provider?.timeoutMs("stop")]).toEqual([600_000, 5_000]);
        expect(await ask(world, "create", { name: "w", image: "app" })).toEqual({
          action: "create",
          params: { name: "w", image: "app" },
          v: 1,
          id: expect.any(String),
          deadline_ms: 600_000,
        });
        expect(await ask(world, "stop")).toMatchObject({ deadline_ms: 5_000 });
        expect(
          audit.map(({ method, capability, outcome, during }) => [method, capability, outcome, during]),
        ).toEqual([
          ["exec.run", "unsandboxed", "ok", "create"],
          ["exec.run", "unsandboxed", "ok", "stop"],
        ]);
        expect(await world.plugins.info("box")).toMatchObject({
          state: "enabled",
          provider: { actions: ["create", "start", "stop", "destroy", "status", "logs"], instances: [] },
        });
      },
      providing({ stop: 5_000 }, [audit]),
    );
  });

  test("has its standard error in its log and tells it to who waits", () =>
    withWorld(async (world) => {
      await installSample(world, box({ script: `${READ} echo "pulling layer 1" >&2; ${OK}` }));
      const said: string[] = [];
      const [provider] = world.plugins.providers();
      await provider?.ask(
        "create",
        { name: "w" },
        { signal: new AbortController().signal, said: (line) => said.push(line) },
      );
      expect(said).toEqual(["pulling layer 1"]);
      const options = { limit: 9, follow: false, signal: new AbortController().signal };
      expect(await Array.fromAsync(world.plugins.logs("box", options))).toMatchObject([
        { text: "pulling layer 1" },
      ]);
    }, providing()));

  test(
    "works on many instances at a time, and the bounds of running calls are not for it",
    () =>
      withWorld(
        async (world) => {
          const running = join(world.dataDir, "running");
          const script = `${READ} echo x >> ${running}; while [ ! -e ${running}.go ]; do sleep 0.05; done; ${OK}`;
          await installSample(world, box({ script }));
          const creates = Array.from({ length: LIMITS.providerChangesAtOnce + 2 }, (_, index) =>
            ask(world, "create", { name: `w${index}` }),
          );
          const count = () =>
            existsSync(running) ? readFileSync(running, "utf8").trim().split("\n").length : 0;
          await until(() => count() === LIMITS.providerChangesAtOnce, { timeoutMs: 20_000 });
          // Looks have room of their own.
          const look = ask(world, "status");
          await until(() => count() === LIMITS.providerChangesAtOnce + 1, { timeoutMs: 20_000 });
          appendFileSync(`${running}.go`, "");
          await Promise.all([...creates, look]);
          expect(count()).toBe(LIMITS.providerChangesAtOnce + 3);
        },
        providing({}, [[], {}, { ...DEFAULT_QUOTA, concurrent_calls: 1, calls_per_second: 1 }]),
      ),
    60_000,
  );

  test("can be cancelled: while it waits, and while it runs", () =>
    withWorld(async (world) => {
      const mark = join(world.dataDir, "mark");
      await installSample(world, box({ script: `${READ} sleep 60 & echo $! > ${mark}; wait; ${OK}` }));
      const stop = new AbortController();
      const running = codeOf(ask(world, "create", {}, stop.signal));
      const pid = Number(await until(() => existsSync(mark) && readFileSync(mark, "utf8").trim()));
      stop.abort();
      expect(await running).toBe("plugin.stopped");
      await until(() => !existsSync(`/proc/${pid}`));
      expect(
        (await rejection(ask(world, "create", {}, AbortSignal.abort(new Error("too late"))))) as Error,
      ).toMatchObject({
        message: "too late",
      });
    }, providing()));
});

describe("a provider is not asked", () => {
  test("once it is disabled, revoked, tampered with or gone; and is again afterwards", () =>
    withWorld(async (world) => {
      const mark = join(world.dataDir, "mark");
      await installSample(world, box({ script: `${READ} echo ran >> ${mark}; ${OK}` }));
      const [provider] = world.plugins.providers();
      await world.plugins.disable("box");
      expect(await codeOf(ask(world, "status"))).toBe("plugin.disabled");
      await world.plugins.enable("box");
      await world.plugins.revoke("box", "unsandboxed");
      expect(await codeOf(ask(world, "status"))).toBe("capability.denied");
      expect((await world.plugins.info("box")).state).toBe("broken");
      await world.plugins.grant("box", { capability: "unsandboxed" }, "t");
      await ask(world, "status");
      const { digest } = await world.plugins.info("box");
      const file = join(world.deps.store.filesPath("box", digest), "run");
      const before = readFileSync(file);
      appendFileSync(file, "#");
      expect(await codeOf(ask(world, "status"))).toBe("plugin.tampered");
      await Bun.write(file, before);
      await ask(world, "status");
      await world.plugins.remove("box");
      expect(world.plugins.providers()).toEqual([]);
      const call = { signal: new AbortController().signal };
      expect(await codeOf(provider?.ask("status", {}, call) as Promise<unknown>)).toBe("plugin.not_found");
      expect(readFileSync(mark, "utf8")).toBe("ran\nran\n");
    }, providing()));

  test("any longer when the grant is taken back in the middle: the whole group ends at once", () =>
    withWorld(async (world) => {
      const mark = join(world.dataDir, "mark");
      await installSample(world, box({ script: `${READ} sleep 60 & echo $! > ${mark}; wait; ${OK}` }));
      const running = codeOf(ask(world, "create"));
      const pid = Number(await until(() => existsSync(mark) && readFileSync(mark, "utf8").trim()));
      await world.plugins.revoke("box", "unsandboxed");
      expect(await running).toBe("capability.denied");
      await until(() => !existsSync(`/proc/${pid}`));
    }, providing()));

  test("while another version takes its place: what runs may end, and what comes then goes to the new one", () =>
    withWorld(async (world) => {
      const go = join(world.dataDir, "go");
      const waiting = `${READ} echo > ${go}.begun; while [ ! -e ${go} ]; do sleep 0.05; done; echo '{"ok":true,"result":1}'`;
      await installSample(world, box({ script: waiting }));
      const old = ask(world, "create");
      await until(() => existsSync(`${go}.begun`));
      const next = box({ version: "2.0.0", script: `${READ} echo '{"ok":true,"result":2}'` });
      const update = installSample(world, next);
      const late = until(async () => (await world.plugins.list())[0]?.version === "2.0.0").then(() =>
        ask(world, "create"),
      );
      appendFileSync(go, "");
      expect([await old, await late]).toEqual([1, 2]);
      await update;
    }, providing()));

  test("and goes on when it is enabled once more, which lifts a suspension", () =>
    withWorld(async (world) => {
      const go = join(world.dataDir, "go");
      const waiting = `${READ} echo > ${go}.begun; while [ ! -e ${go} ]; do sleep 0.05; done; ${OK}`;
      await installSample(world, box({ script: waiting }));
      const running = codeOf(ask(world, "create"));
      await until(() => existsSync(`${go}.begun`));
      await world.plugins.enable("box");
      appendFileSync(go, "");
      expect(await running).toBe("ok");
    }, providing()));

  test("that still has instances can't be removed, unless that is meant", () =>
    withWorld(
      async (world) => {
        await installSample(world, box());
        expect(await rejection(world.plugins.remove("box"))).toMatchObject({
          code: "plugin.in_use",
          message: "box still runs service web (vx-web-1-a)",
        });
        await world.plugins.disable("box");
        expect((await world.plugins.info("box")).warnings).toEqual([
          "what runs on it can't be looked at or changed until it is enabled: service web (vx-web-1-a)",
        ]);
        await world.plugins.remove("box", { force: true });
        expect(await world.plugins.list()).toEqual([]);
      },
      (deps) => ({ ...providing()(deps), instancesOn: () => ["service web (vx-web-1-a)"] }),
    ));
});

describe("a provider's health", () => {
  test(
    "is that of each action: one that always crashes is suspended, and keeps nobody from the others",
    () =>
      withWorld(async (world) => {
        const script = `${READ} case "$request" in *'"action":"stats"'*) exit 7 ;; esac; ${OK}`;
        await installSample(world, box({ script, actions: ["stats"] }));
        for (let time = 0; time < LIMITS.roomFailuresMax; time++)
          expect(await codeOf(ask(world, "stats"))).toBe("plugin.crashed");
        expect(await codeOf(ask(world, "stats"))).toBe("plugin.suspended");
        expect(await codeOf(ask(world, "stop"))).toBe("ok");
        const info = await world.plugins.info("box");
        expect([info.state, info.strikes]).toEqual(["enabled", LIMITS.roomFailuresMax]);
        expect(info.warnings[0]).toMatch(/^stats is suspended until .*: 5 times in a row/);
        await world.plugins.enable("box");
        expect(await codeOf(ask(world, "stats"))).toBe("plugin.crashed");
      }, providing()),
    30_000,
  );

  test(
    "without one of the five that every provider has, the plugin is suspended; saying no is no failure",
    () =>
      withWorld(async (world) => {
        const script = `${READ} case "$request" in *'"action":"create"'*) exit 7 ;; esac; echo '{"ok":false,"error":"no"}'`;
        await installSample(world, box({ script }));
        for (let time = 0; time < 2 * LIMITS.roomFailuresMax; time++)
          expect(await codeOf(ask(world, "status"))).toBe("plugin.failed");
        expect((await world.plugins.info("box")).state).toBe("enabled");
        for (let time = 0; time < LIMITS.roomFailuresMax; time++)
          expect(await codeOf(ask(world, "create"))).toBe("plugin.crashed");
        expect((await world.plugins.info("box")).state).toBe("suspended");
      }, providing()),
    30_000,
  );
});

describe("a provider", () => {
  test.each(MISBEHAVIOURS.map((each) => [each.name, each] as const))(
    "that %s gets its own error, and leaves no process",
    async (_name, { script, ending, deadlineMs = 10_000 }) => {
      await withWorld(
        async (world) => {
          await installSample(world, box({ script }));
          expect(await rejection(ask(world, "status"))).toMatchObject({
            code: ending.code,
            message: expect.stringMatching(ending.message),
            ...(ending.problem === undefined ? {} : { details: { problem: ending.problem } }),
          });
          await until(() => leftIn(world.dataDir).length === 0, { what: "the end of all its processes" });
        },
        (deps) => {
          // To be found again by.
          const environment = { PATH: "/usr/bin:/bin", HOME: homeOf(deps) };
          return providing({ status: deadlineMs }, [[], environment])(deps);
        },
      );
    },
  );

  test("that leaves something outside its group leaves it: a container's monitor has to stay, and nobody could tell", () =>
    withWorld(async (world) => {
      const mark = join(world.dataDir, "mark");
      const script = `${READ} setsid sh -c 'echo $$ > ${mark}; exec sleep 300' >/dev/null 2>&1 </dev/null & while [ ! -s ${mark} ]; do sleep 0.02; done; ${OK}`;
      await installSample(world, box({ script }));
      await ask(world, "start");
      const pid = Number(readFileSync(mark, "utf8"));
      expect(existsSync(`/proc/${pid}`)).toBe(true);
      process.kill(pid, "SIGKILL");
    }, providing()));
});

function homeOf(deps: PluginsDeps): string {
  return join(deps.store.path("box", "x"), "../../..");
}
