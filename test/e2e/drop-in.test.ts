/**
 * Drop-ins on the compiled program, as the devbox plugin API shows it: copied into a folder, listed at once, run after consent and never
 * before, stopped by any change; also without a daemon, after kill -9 and under the name devbox.
 */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { execTexts } from "../exec-plugin.ts";
import { needs, until } from "../harness.ts";
import { EXECUTABLE, makeMachine, type Answer, type Machine } from "./machine.ts";

const ORDINARY = 4242;

interface Row {
  readonly name: string;
  readonly version: string;
  readonly tier: number | null;
  readonly state: string;
  readonly folder: string | null;
}

const devboxFolder = ({ folder }: Machine): string => join(folder, ".config/devbox/plugins");

/** What an author has: a hook that leaves a line in `ran` each time. */
function source(machine: Machine, version = "1.0.0"): string {
  const script = `cat >/dev/null; echo ${version} >> ${join(machine.folder, "ran")}; echo '{"ok":true,"result":"${version}"}'`;
  const events = ["on_deploy_success", "pre_start"];
  const folder = machine.write("my-hook", execTexts({ name: "my-hook", version, events, script }));
  chmodSync(join(folder, "run"), 0o755);
  return folder;
}

/** `mkdir -p …; cp … …`: gives the folder. */
function copyIn(machine: Machine, version?: string): string {
  const target = join(devboxFolder(machine), "my-hook");
  cpSync(source(machine, version), target, { recursive: true });
  return target;
}

const call = (machine: Machine): Promise<Answer> =>
  machine.cli("plugin", "call", "my-hook", "on_deploy_success", "--json");
const list = (machine: Machine): Promise<Row[]> => machine.json<Row[]>("plugin", "list");

function errorOf({ status, stderr }: Answer): [number, string] {
  return [status, (JSON.parse(stderr) as { error: { code: string } }).error.code];
}

function runs(machine: Machine): string[] {
  const file = join(machine.folder, "ran");
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
}

describe.skipIf(!needs("compiled"))("drop-ins", () => {
  test("copied in it is listed at once, runs after consent alone, and stops with any change", async () => {
    await using machine = makeMachine();
    await machine.start();
    const folder = copyIn(machine);
    expect(await list(machine)).toMatchObject([
      { name: "my-hook", version: "1.0.0", tier: null, state: "not approved", folder },
    ]);
    expect(errorOf(await call(machine))).toEqual([5, "plugin.not_approved"]);
    expect(errorOf(await machine.cli("plugin", "enable", "my-hook", "--json"))).toEqual([
      5,
      "consent.needed",
    ]);
    expect((await machine.type(["plugin", "enable", "my-hook"], ["n"])).status).toBe(5);
    expect((await list(machine)).map(({ state }) => state)).toEqual(["not approved"]);
    expect(runs(machine)).toEqual([]);

    const consent = await machine.type(["plugin", "enable", "my-hook"], ["y"]);
    expect(consent.screen).toBe(
      [
        "Plugin: my-hook v1.0.0",
        "Requires capabilities:",
        "  • unsandboxed (High risk)",
        "  pre_start is a gate: this plugin can stop the operation",
        `  from ${folder}: after any change there it stops until you consent again`,
        "",
        "Run this program unsandboxed, with the daemon's full access? [y/N]: y",
        "✓ Plugin installed and enabled",
        "",
      ].join("\n"),
    );
    expect((await call(machine)).status).toBe(0);
    expect(await list(machine)).toMatchObject([{ name: "my-hook", state: "enabled", folder }]);

    // Somebody puts another program there: it does not run, and neither does the old one.
    copyIn(machine, "6.6.6");
    expect(errorOf(await call(machine))).toEqual([5, "plugin.tampered"]);
    expect(await list(machine)).toMatchObject([{ version: "1.0.0", state: "tampered" }]);
    expect(errorOf(await machine.cli("plugin", "enable", "my-hook", "--json"))).toEqual([
      5,
      "consent.needed",
    ]);
    expect(runs(machine)).toEqual(["1.0.0"]);
    expect((await machine.cli("plugin", "enable", "my-hook", "--yes")).status).toBe(0);
    expect((await call(machine)).status).toBe(0);
    expect(runs(machine)).toEqual(["1.0.0", "6.6.6"]);

    // The question names the folder that goes with it.
    const remove = await machine.type(["plugin", "remove", "my-hook"], ["y"]);
    expect(remove.screen).toContain(`Remove plugin my-hook and its folder ${folder}? [y/N]: y\n`);
    expect([existsSync(folder), await list(machine)]).toEqual([false, []]);
  }, 60_000);

  test("without a daemon they are listed as well, and nothing is made; kill -9 changes nothing", async () => {
    await using machine = makeMachine();
    const none = await machine.cli("plugin", "list");
    expect([none.status, none.stdout]).toEqual([3, ""]);
    const folder = copyIn(machine);
    expect(await list(machine)).toMatchObject([{ name: "my-hook", state: "not approved", folder }]);
    expect((await machine.cli("plugin", "info", "my-hook")).stdout).toMatch(/^unsandboxed .*not granted$/m);
    expect((await machine.cli("plugin", "enable", "my-hook", "--yes")).status).toBe(3);
    expect(existsSync(machine.dataDir)).toBe(false);

    await machine.start();
    await machine.end("SIGKILL");
    await machine.start();
    expect((await list(machine)).map(({ state }) => state)).toEqual(["not approved"]);
    expect((await machine.cli("plugin", "enable", "my-hook", "--yes")).status).toBe(0);
    await machine.end("SIGKILL");
    expect(await list(machine)).toMatchObject([{ state: "enabled" }]);
    await machine.start();
    expect((await call(machine)).status).toBe(0);
    await machine.end("SIGKILL");
    copyIn(machine, "6.6.6");
    expect(await list(machine)).toMatchObject([{ state: "tampered" }]);
    await machine.start();
    expect(errorOf(await call(machine))).toEqual([5, "plugin.tampered"]);
    expect(runs(machine)).toEqual(["1.0.0"]);
  }, 60_000);

  test("kill -9 in the middle of a consent leaves it consented to or not, and never half", async () => {
    await using machine = makeMachine();
    await machine.start();
    for (const delayMs of [0, 15, 30, 45, 60, 90]) {
      const folder = copyIn(machine, `1.0.${delayMs}`);
      const enabling = machine.cli("plugin", "enable", "my-hook", "--yes");
      await Bun.sleep(delayMs);
      await machine.end("SIGKILL");
      await enabling;
      await machine.start();
      const [row] = await list(machine);
      const isEnabled = row?.state === "enabled";
      expect([row?.folder, isEnabled || row?.state === "not approved"]).toEqual([folder, true]);
      const before = runs(machine).length;
      expect((await call(machine)).status).toBe(isEnabled ? 0 : 5);
      expect(runs(machine).length - before).toBe(isEnabled ? 1 : 0);
      expect((await machine.cli("plugin", "remove", "my-hook", "--yes")).status).toBe(0);
      expect(existsSync(folder)).toBe(false);
    }
  }, 90_000);

  test("a gate that nobody consented to refuses nothing, and deploys are not told to it", async () => {
    await using machine = makeMachine();
    await machine.start();
    const folder = machine.write(
      ".config/devbox/plugins/warden",
      execTexts({
        name: "warden",
        events: ["on_deploy_start", "on_deploy_success"],
        script: `echo called >> ${join(machine.folder, "ran")}; cat >/dev/null; echo '{"ok":false,"error":"no"}'`,
      }),
    );
    chmodSync(join(folder, "run"), 0o755);
    const app = machine.write("app", {
      "index.ts": `Bun.serve({ port: Number(process.env.PORT), fetch: () => new Response("hello") });`,
    });
    expect((await machine.cli("deploy", "web", "--path", app, "--port", "3000")).status).toBe(0);
    const events = await machine.cli("events", "--json");
    expect(events.stdout).toContain("on_deploy_success");
    expect(events.stdout).not.toContain("warden");
    expect(runs(machine)).toEqual([]);
  }, 60_000);

  test("a folder into which everybody may write is refused with an error that says where", async () => {
    await using machine = makeMachine();
    await machine.start();
    const folder = copyIn(machine);
    const parent = dirname(folder);
    chmodSync(parent, 0o777);
    const enable = await machine.cli("plugin", "enable", "my-hook", "--yes", "--json");
    expect(errorOf(enable)).toEqual([7, "plugin.folder_exposed"]);
    expect(enable.stderr).toContain(parent);
    expect((await machine.cli("plugin", "list")).stdout).toContain(
      `my-hook: everybody may write to "${parent}"; take that right away: chmod o-w`,
    );
    expect(runs(machine)).toEqual([]);
    chmodSync(parent, 0o755);
    expect((await machine.cli("plugin", "enable", "my-hook", "--yes")).status).toBe(0);
  }, 60_000);

  test.skipIf(process.getuid?.() !== 0 || Bun.which("setpriv") === null)(
    "what the daemon's user may not read or remove is said, and is not taken for gone",
    async () => {
      await using machine = makeMachine(undefined, ORDINARY);
      await machine.start();
      const folder = copyIn(machine);
      chmodSync(folder, 0o700);
      const shown = await machine.cli("plugin", "list");
      expect(shown.stdout).toMatch(/my-hook: .*permission denied/i);
      expect((await machine.cli("plugin", "enable", "my-hook", "--yes")).status).not.toBe(0);
      chmodSync(folder, 0o755);
      expect((await machine.cli("plugin", "enable", "my-hook", "--yes")).status).toBe(0);
      const removed = await machine.cli("plugin", "remove", "my-hook", "--yes", "--json");
      expect(errorOf(removed)).toEqual([1, "plugin.folder_kept"]);
      expect(existsSync(join(folder, "run"))).toBe(true);
      expect(await list(machine)).toMatchObject([{ name: "my-hook", state: "not approved" }]);
    },
    60_000,
  );

  test("the daemon says what comes into its folders while it runs", async () => {
    await using machine = makeMachine();
    mkdirSync(join(machine.dataDir, "plugins"), { recursive: true });
    chmodSync(machine.dataDir, 0o700);
    await machine.start();
    cpSync(source(machine), join(machine.dataDir, "plugins/my-hook"), { recursive: true });
    await until(() => machine.log().includes("waits for consent: version 1.0.0 plugin=my-hook"), {
      timeoutMs: 15_000,
      what: "a line in its log",
    });
    rmSync(join(machine.dataDir, "plugins/my-hook/run"));
    await until(() => machine.log().includes("can't be used"), { timeoutMs: 15_000, what: "another" });
    expect(await list(machine)).toMatchObject([{ name: "my-hook", state: "broken" }]);
  }, 60_000);

  test("devbox is the same program: it lists what is built in too, installs from a folder, removes, and speaks of devbox", async () => {
    await using machine = makeMachine();
    await machine.start();
    const devbox = join(machine.folder, "devbox");
    symlinkSync(EXECUTABLE, devbox);
    const typed = (...words: string[]): { status: number; stdout: string; stderr: string } => {
      const { exitCode, stdout, stderr } = Bun.spawnSync([devbox, ...words, "--data-dir", machine.dataDir], {
        cwd: machine.folder,
        env: { PATH: process.env["PATH"] ?? "", HOME: machine.folder, NO_COLOR: "1" },
      });
      return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
    };
    copyIn(machine);
    const shown = typed("plugin", "list");
    expect(shown.stdout).toMatch(/^my-hook +1\.0\.0 +exec +- +not approved +-$/m);
    expect(shown.stdout).toMatch(/^from \/.*\/\.config\/devbox\/plugins: my-hook$/m);
    expect(shown.stdout).toMatch(/^docker +\d\S+ +provider \(built in\) +- +enabled/m);
    expect(shown.stdout).toContain("devbox plugin enable NAME\n");
    const names = (JSON.parse(typed("plugin", "list", "--json").stdout) as Row[]).map(({ name }) => name);
    expect(names).toEqual(["my-hook", "docker", "process"]);
    expect(typed("plugin", "remove", "docker", "--yes")).toMatchObject({
      status: 5,
      stderr: "error: docker is built in: it is always there, and can't be changed or removed\n",
    });
    const refused = typed("plugin", "call", "my-hook", "on_deploy_success");
    expect(refused.stderr).toContain("consent: devbox plugin enable my-hook\n");
    for (const words of [["--help"], ["plugin", "--help"], ["plugin", "install", "--help"]]) {
      const help = typed(...words).stdout;
      expect(help).toContain("devbox plugin install");
      expect(help).not.toMatch(/voxeltron ((plugin|deploy|daemon)\b|<)/);
    }
    expect(typed("plugin", "remove", "my-hook", "--yes").status).toBe(0);
    source(machine);
    expect(typed("plugin", "install", "./my-hook", "--yes").stdout).toBe("✓ Plugin installed and enabled\n");
    expect((await call(machine)).status).toBe(0);
    expect(typed("plugin", "remove", "my-hook", "--yes").stdout).toBe("removed my-hook\n");
    expect(existsSync(join(machine.folder, "my-hook/run"))).toBe(true);
  }, 60_000);

  test("who has another home than the daemon is told that it does not look there", async () => {
    await using machine = makeMachine();
    await machine.start({ HOME: join(machine.folder, "elsewhere") });
    const folder = copyIn(machine);
    const shown = await machine.cli("plugin", "list");
    expect(shown.stdout).not.toContain("my-hook");
    expect(shown.stderr).toContain(`voxeltron plugin install ${folder}\n`);
    writeFileSync(join(machine.folder, "answer"), "");
    expect((await machine.cli("plugin", "install", folder, "--yes")).status).toBe(0);
  }, 60_000);
});
