/** Executables on the compiled program: typed consent, a real deploy's events in order, and no way in without consent. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execTexts } from "../exec-plugin.ts";
import {
  documentedExecutable,
  documentedQuestion,
  type DocumentedLanguage,
} from "../fixtures/documented-executables.ts";
import { needs, until } from "../harness.ts";
import { makeMachine, type Machine } from "./machine.ts";

const APP = `Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("hello") });`;
const ORDINARY = 4242;
const isRoot = process.getuid?.() === 0;

function writeProgram(
  machine: Machine,
  name: string,
  files: Readonly<Record<string, string>>,
  program: string,
): string {
  const folder = machine.write(name, files);
  chmodSync(join(folder, program), 0o755);
  return folder;
}

const documented = (machine: Machine, language: DocumentedLanguage): string =>
  writeProgram(machine, language, documentedExecutable(language), "deploy-log");

function linesOf(machine: Machine, file: string): string[] {
  const path = join(machine.folder, file);
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

/** Both documented programs are told of two deploys, in order. */
async function tellBoth(machine: Machine): Promise<void> {
  await machine.start();
  for (const language of ["sh", "python"] as const) {
    const folder = documented(machine, language);
    const install = await machine.type(["plugin", "install", folder], ["y"]);
    expect(install.screen).toBe(`${documentedQuestion(language)} y\n✓ Plugin installed and enabled\n`);
    expect(install.status).toBe(0);
  }
  const app = machine.write("app", { "index.ts": APP });
  for (const version of ["first", "second"]) {
    writeFileSync(join(app, "version.txt"), version);
    const deploy = await machine.cli(
      "deploy",
      "web",
      "--path",
      app,
      "--port",
      "3000",
      "--domain",
      "web.example.com",
    );
    expect([deploy.status, deploy.stderr]).toEqual([0, expect.any(String)]);
  }
  await until(
    () => linesOf(machine, "deploys-py.txt").length === 4 && linesOf(machine, "deploys-sh.txt").length === 4,
    {
      timeoutMs: 15_000,
      what: "four events at each",
    },
  );
  expect(linesOf(machine, "deploys-sh.txt")).toEqual([
    "web begins",
    "web is live",
    "web begins",
    "web is live",
  ]);
  expect(linesOf(machine, "deploys-py.txt")).toEqual([
    "web 1 on_deploy_start",
    "web 1 on_deploy_success",
    "web 2 on_deploy_start",
    "web 2 on_deploy_success",
  ]);
}

describe.skipIf(!needs("compiled") || !needs("python3"))("executables", () => {
  test("a shell script and a Python script, installed at a terminal, are told of deploys in order", async () => {
    await using machine = makeMachine();
    await tellBoth(machine);
    expect((await machine.cli("plugin", "logs", "deploy-log-sh")).stdout).toContain("noted that web is live");
    const call = await machine.json<{ result: unknown }>(
      "plugin",
      "call",
      "deploy-log-python",
      "on_deploy_success",
    );
    expect(call.result).toEqual({ characters: expect.any(Number) });
    const audit = await machine.cli("plugin", "audit", "deploy-log-sh");
    expect(audit.stdout).toMatch(/exec\.run/);
    expect(audit.stdout).toContain("unsandboxed");
    const [python] = await machine.json<Record<string, unknown>[]>("plugin", "list");
    expect(python).toMatchObject({
      name: "deploy-log-python",
      kind: "exec",
      tier: null,
      room: "exec",
      state: "enabled",
    });
    const info = (await machine.cli("plugin", "info", "deploy-log-sh")).stdout;
    expect(info).toContain("exec (it is an executable: it runs unsandboxed, with the daemon's full access)");

    // Once it is revoked the next deploy reaches the other alone.
    expect((await machine.cli("plugin", "revoke", "deploy-log-sh", "unsandboxed")).status).toBe(0);
    expect((await machine.cli("deploy", "web", "--env", "A=1")).status).toBe(0);
    // The call by hand has left a line too.
    await until(() => linesOf(machine, "deploys-py.txt").length === 7, { timeoutMs: 15_000 });
    expect(linesOf(machine, "deploys-sh.txt").length).toBe(4);
    expect((await machine.cli("plugin", "grant", "deploy-log-sh", "unsandboxed")).status).toBe(0);
    await until(() => linesOf(machine, "deploys-sh.txt").length === 6, { timeoutMs: 15_000 });
  }, 90_000);

  test.skipIf(!isRoot || Bun.which("setpriv") === null)(
    "the same with an ordinary user's daemon, who they run as",
    async () => {
      await using machine = makeMachine(undefined, ORDINARY);
      await tellBoth(machine);
      const files = execTexts({
        name: "who",
        script: `cat >/dev/null; printf '{"ok":true,"result":%s}' "$(id -u)"`,
      });
      const folder = writeProgram(machine, "who", files, "run");
      expect((await machine.cli("plugin", "install", folder, "--yes")).status).toBe(0);
      const { result } = await machine.json<{ result: unknown }>(
        "plugin",
        "call",
        "who",
        "on_deploy_success",
      );
      expect(result).toBe(ORDINARY);
    },
    90_000,
  );

  test("without consent nothing is installed and nothing runs; with a flag it is", async () => {
    await using machine = makeMachine();
    await machine.start();
    const folder = documented(machine, "sh");
    for (const answer of ["n", ""])
      expect((await machine.type(["plugin", "install", folder], [answer])).status).toBe(5);
    const silent = await machine.cli("plugin", "install", folder, "--json");
    expect([silent.status, JSON.parse(silent.stderr)]).toMatchObject([
      5,
      { error: { code: "consent.needed" } },
    ]);
    const other = await machine.cli("plugin", "install", folder, "--grant", "fs_read", "--json");
    expect(JSON.parse(other.stderr)).toMatchObject({ error: { code: "grant.unknown" } });
    expect(await machine.json<unknown[]>("plugin", "list")).toEqual([]);
    expect((await machine.cli("plugin", "install", folder, "--grant", "unsandboxed")).status).toBe(0);
    expect((await machine.cli("plugin", "remove", "deploy-log-sh", "--yes")).status).toBe(0);
    expect((await machine.cli("plugin", "install", folder, "--yes")).status).toBe(0);
  }, 60_000);

  test("a ceiling that does not name them keeps them from running, until a reload brings one that does", async () => {
    const ceiling = (...names: string[]): string =>
      `[providers]\ndefault = "process"\n[plugins]\nceiling = ${JSON.stringify(names)}\n`;
    await using machine = makeMachine(ceiling("notify_send"));
    await machine.start();
    const folder = documented(machine, "sh");
    const install = await machine.cli("plugin", "install", folder, "--yes");
    expect(install.stdout).toContain(
      "now broken: it does not run: unsandboxed is not granted, or not allowed",
    );
    const call = () => machine.cli("plugin", "call", "deploy-log-sh", "on_deploy_success", "--json");
    const refused = await call();
    expect([refused.status, JSON.parse(refused.stderr)]).toMatchObject([
      5,
      {
        error: {
          code: "capability.denied",
          hint: expect.stringContaining('add "unsandboxed" to [plugins] ceiling'),
        },
      },
    ]);
    expect(linesOf(machine, "deploys-sh.txt")).toEqual([]);
    machine.configure(ceiling("notify_send", "unsandboxed"));
    process.kill(machine.pid(), "SIGHUP");
    await until(async () => (await call()).status === 0, { timeoutMs: 15_000 });
    expect(linesOf(machine, "deploys-sh.txt").length).toBe(1);

    // Without a daemon it is looked at all the same.
    await machine.end();
    const [offline] = await machine.json<Record<string, unknown>[]>("plugin", "list");
    expect(offline).toMatchObject({ name: "deploy-log-sh", kind: "exec", room: "exec", state: "enabled" });
  }, 60_000);

  test("plugin check says what is wrong with a folder, and with --no-run runs nothing", async () => {
    await using machine = makeMachine();
    const mark = join(machine.folder, "mark");
    const files = execTexts({ script: `touch ${mark}` });
    const folder = writeProgram(machine, "checked", files, "run");
    const check = async () => {
      const { status, stdout } = await machine.cli("plugin", "check", folder, "--no-run", "--json");
      const report = JSON.parse(stdout) as { problems: { code: string; message: string }[] };
      return [status, ...report.problems.map(({ code, message }) => `${code}: ${message}`)];
    };
    const yaml = (from: string, to: string): void =>
      writeFileSync(join(folder, "plugin.yaml"), files["plugin.yaml"].replace(from, to));
    expect(await check()).toEqual([0]);
    yaml("events: [on_deploy_success]", "");
    expect(await check()).toEqual([
      0,
      "manifest.invalid: plugin.yaml names no event, so the plugin is never called",
    ]);
    yaml("type: hook", "type: provider");
    expect(await check()).toEqual([7, expect.stringContaining("a plugin of type: provider has no events")]);
    yaml("on_deploy_success", "on_deploy_sucess");
    expect(await check()).toEqual([7, expect.stringContaining('did you mean "on_deploy_success"?')]);
    yaml("", "");
    chmodSync(join(folder, "run"), 0o644);
    expect(await check()).toEqual([7, 'plugin.invalid: the entrypoint "run" is not executable']);
    rmSync(join(folder, "run"));
    expect(await check()).toEqual([7, expect.stringContaining("the folder has no such file")]);
    writeFileSync(join(folder, "plugin.toml"), "");
    expect(await check()).toEqual([7, "manifest.invalid: the folder has a plugin.toml and a plugin.yaml"]);
    expect(existsSync(mark)).toBe(false);
  }, 60_000);
});
