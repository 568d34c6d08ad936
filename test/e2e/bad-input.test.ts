/** Bad input is normal input: each has an exit status, a stable code and words that help, and leaves nothing behind. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needs, until } from "../harness.ts";
import { EXECUTABLE, instancesOf, makeMachine, type Answer, type Machine } from "./machine.ts";

const APP = `Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("ok") });`;

function manifest(changes: { name?: string; extra?: string; hooks?: string } = {}): string {
  return `[plugin]
name = ${JSON.stringify(changes.name ?? "sample")}
version = "1.0.0"
description = "A sample"
tier = 2
${changes.extra ?? ""}
[hooks]
${changes.hooks ?? "on_deploy_start = true"}
`;
}

const GOOD = "export default { on_deploy_start() {} };";

interface PluginCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly code: string;
  readonly says: string;
  readonly status: number;
}

const PLUGINS: readonly PluginCase[] = [
  {
    name: "no manifest",
    files: { "index.ts": GOOD },
    code: "manifest.missing",
    says: "plugin.toml",
    status: 7,
  },
  {
    name: "a manifest of 10 MB",
    files: { "plugin.toml": `${manifest()}# ${"x".repeat(10 << 20)}`, "index.ts": GOOD },
    code: "manifest.invalid",
    says: "64 KiB",
    status: 7,
  },
  {
    name: "a name that climbs",
    files: { "plugin.toml": manifest({ name: "../x" }), "index.ts": GOOD },
    code: "manifest.invalid",
    says: "plugin.toml:2",
    status: 7,
  },
  {
    name: "a name with ANSI escapes",
    files: { "plugin.toml": manifest({ name: "\u001b[31mred" }), "index.ts": GOOD },
    code: "manifest.invalid",
    says: "name",
    status: 7,
  },
  {
    name: "an unknown hook",
    files: { "plugin.toml": manifest({ hooks: "on_deploy_sucess = true" }), "index.ts": GOOD },
    code: "manifest.invalid",
    says: "on_deploy_success",
    status: 7,
  },
  {
    name: "an unknown key",
    files: { "plugin.toml": manifest({ extra: 'mian = "x.ts"' }), "index.ts": GOOD },
    code: "manifest.invalid",
    says: "main",
    status: 7,
  },
  {
    name: "no main file",
    files: { "plugin.toml": manifest() },
    code: "plugin.invalid",
    says: "index.ts",
    status: 7,
  },
  {
    name: "a syntax error",
    files: { "plugin.toml": manifest(), "index.ts": "export default { on_deploy_start( {} };" },
    code: "plugin.bundle_failed",
    says: "index.ts:1",
    status: 7,
  },
  {
    name: "an import of node:fs",
    files: {
      "plugin.toml": manifest(),
      "index.ts": `import fs from "node:fs";\nexport default { on_deploy_start() { return fs.readdirSync("/"); } };`,
    },
    code: "plugin.import_refused",
    says: "node:fs",
    status: 7,
  },
  {
    name: "a hook without a function",
    files: { "plugin.toml": manifest(), "index.ts": "export default { on_deploy_fail() {} };" },
    code: "plugin.no_hook",
    says: "on_deploy_start",
    status: 4,
  },
  {
    name: "a throw at load",
    files: { "plugin.toml": manifest(), "index.ts": 'throw new Error("at load");\nexport default {};' },
    code: "plugin.load_failed",
    says: "at load",
    status: 1,
  },
  {
    name: "an endless loop at load",
    files: { "plugin.toml": manifest({ extra: "" }), "index.ts": "for (;;);\nexport default {};" },
    code: "plugin.load_failed",
    says: "10 s",
    status: 1,
  },
];

function errorOf(answer: Answer): { code: string; message: string; hint?: string } {
  return (JSON.parse(answer.stderr) as { error: { code: string; message: string; hint?: string } }).error;
}

async function running(): Promise<Machine> {
  const machine = makeMachine();
  await machine.start();
  return machine;
}

describe.skipIf(!needs("compiled"))("bad plugins", () => {
  test("are refused with their own code, and nothing of them stays", async () => {
    await using machine = await running();
    for (const { name, files, code, says, status } of PLUGINS) {
      const folder = machine.write(`plugin-${name.replaceAll(/\W/g, "-")}`, files);
      const answer = await machine.cli("plugin", "install", folder, "--yes", "--json");
      const error = errorOf(answer);
      expect([name, error.code, answer.status]).toEqual([name, code, status]);
      expect(`${error.message} ${error.hint ?? ""}`).toContain(says);
      expect(answer.stderr).not.toContain("\u001b");
      expect(answer.stdout).toBe("");
    }
    expect(await machine.json<unknown[]>("plugin", "list")).toEqual([]);
    const left = [...new Bun.Glob("packages/**/*").scanSync({ cwd: machine.dataDir })];
    expect(left).toEqual([]);
  });

  test("a link that leaves the folder is refused before anything is sent", async () => {
    await using machine = await running();
    const folder = machine.write("linked", { "plugin.toml": manifest(), "index.ts": GOOD });
    symlinkSync("/etc/passwd", join(folder, "data.txt"));
    const answer = await machine.cli("plugin", "install", folder, "--yes", "--json");
    expect(answer.status).not.toBe(0);
    expect(answer.stderr).toContain("data.txt");
    expect(await machine.json<unknown[]>("plugin", "list")).toEqual([]);
  });

  test("a changed file makes a plugin tampered, and it does not run", async () => {
    await using machine = await running();
    const folder = machine.write("sample", { "plugin.toml": manifest(), "index.ts": GOOD });
    expect((await machine.cli("plugin", "install", folder, "--yes")).status).toBe(0);
    const [file] = [
      ...new Bun.Glob("packages/sample/*/files/index.ts").scanSync({ cwd: machine.dataDir, absolute: true }),
    ];
    chmodSync(file ?? "", 0o600);
    writeFileSync(file ?? "", "export default { on_deploy_start() { for (;;); } };");
    const call = await machine.cli("plugin", "call", "sample", "on_deploy_start", "--json");
    expect([call.status, errorOf(call).code]).toEqual([5, "plugin.tampered"]);
    const [plugin] = await machine.json<{ state: string }[]>("plugin", "list");
    expect(plugin?.state).toBe("tampered");
  });
});

describe.skipIf(!needs("compiled"))("a daemon that is not there", () => {
  test("no daemon, a stale socket and a daemon of another kind each say what to do", async () => {
    await using machine = makeMachine();
    const absent = await machine.cli("status", "--json");
    expect([absent.status, errorOf(absent).code]).toEqual([3, "daemon.not_reachable"]);
    expect(errorOf(absent).hint).toContain("voxeltron daemon");

    await machine.start();
    await machine.end("SIGKILL");
    expect(existsSync(machine.socket)).toBe(true);
    const stale = await machine.cli("status", "--json");
    expect([stale.status, errorOf(stale).code]).toEqual([3, "daemon.not_reachable"]);

    await machine.start();
    expect((await machine.cli("status")).status).toBe(0);
  });

  test("a second daemon for the same data ends with 6 and the first one's pid", async () => {
    await using machine = await running();
    const second = await machine.cli("daemon", "--json");
    expect([second.status, errorOf(second).code]).toEqual([6, "daemon.already_running"]);
    expect(errorOf(second).message).toContain(String(machine.pid()));
    expect((await machine.cli("status")).status).toBe(0);
  });
});

describe.skipIf(!needs("compiled"))("a bad configuration", () => {
  const cases: readonly (readonly [name: string, toml: string, says: readonly string[]])[] = [
    ["an unknown key", '[network]\nalow_private = ["10.0.0.0/8"]\n', ["config.toml:2", "allow_private"]],
    ["a wrong type", "log_level = 3\n", ["config.toml:1", "log_level", "debug"]],
    ["a syntax error", "log_level = \n", ["config.toml:1"]],
    ["a channel without an address", '[notify.ops]\ntype = "slack"\n', ["notify.ops"]],
    [
      "a channel of an unknown type",
      '[notify.ops]\ntype = "pigeon"\nurl = "https://secret.example/token"\n',
      ["webhook", "slack"],
    ],
  ];
  test.each(cases)("%s is named with file, line and what is allowed", async (_, toml, says) => {
    await using machine = makeMachine(toml);
    for (const command of [["config", "check"], ["daemon"]]) {
      const answer = await machine.cli(...command, "--json");
      expect([answer.status, errorOf(answer).code]).toEqual([7, "config.invalid"]);
      for (const text of says) expect(errorOf(answer).message).toContain(text);
      expect(answer.stderr).not.toContain("secret.example");
    }
  });

  test("an unreadable file is an error, not a default", async () => {
    await using machine = makeMachine();
    const answer = await machine.cli("config", "check", join(machine.folder, "absent.toml"), "--json");
    expect([answer.status, errorOf(answer).code]).toEqual([7, "config.unreadable"]);
  });

  test("BUN_OPTIONS and a .env of the folder have no say", async () => {
    await using machine = makeMachine();
    const folder = machine.write("trap", {
      ".env": "VOXELTRON_LOG_LEVEL=nonsense\n",
      "bunfig.toml": 'preload = ["./trap.ts"]\n',
      "trap.ts": 'console.log("preloaded");',
    });
    const child = Bun.spawn([EXECUTABLE, "--version"], {
      cwd: folder,
      env: {},
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await new Response(child.stdout).text()).toMatch(/^voxeltron \d+\.\d+\.\d+\n$/);
    expect(await child.exited).toBe(0);
  });
});

describe.skipIf(!needs("compiled"))("bad deploys", () => {
  test("each way of failing has its code, fires on_deploy_fail, and leaves the old version running", async () => {
    await using machine = await running();
    const app = machine.write("app", { "index.ts": APP });
    const exits = machine.write("exits", { "index.ts": 'console.error("no database"); process.exit(3);' });
    const silent = machine.write("silent", { "index.ts": "setInterval(() => {}, 1000);" });
    expect((await machine.cli("deploy", "web", "--path", app, "--port", "80")).status).toBe(0);

    const cases: readonly (readonly [code: string, words: readonly string[], says: string])[] = [
      ["deploy.exited", ["--path", exits], "no database"],
      ["deploy.unhealthy", ["--path", silent, "--health-timeout", "1s"], "health"],
      ["service.invalid", ["--path", app, "--command", "/no/such/program"], "/no/such/program"],
    ];
    for (const [code, words, says] of cases) {
      const answer = await machine.cli("deploy", "web", ...words, "--json");
      const error = errorOf(answer);
      expect([words, error.code, answer.status]).toEqual([words, code, code === "service.invalid" ? 2 : 1]);
      expect(JSON.stringify(error)).toContain(says);
    }
    const events = (await machine.cli("events", "--json")).stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { hook: string; data: { rolledBack?: boolean; domain: string } });
    const failures = events.filter(({ hook }) => hook === "on_deploy_fail");
    expect(failures).toHaveLength(cases.length);
    for (const { data } of failures)
      expect(data).toMatchObject({ rolledBack: true, domain: expect.stringMatching(/./) });
    const [service] = await machine.json<{ version: number; state: string; address: string }[]>("status");
    expect(service).toMatchObject({ version: 1, state: "running" });
    expect(await (await fetch(`http://${service?.address}`)).text()).toBe("ok");
    expect(readdirSync(join(machine.dataDir, "instances"))).toHaveLength(1);
  });

  test("what can't be is refused before anything happens", async () => {
    await using machine = await running();
    const app = machine.write("app", { "index.ts": APP });
    const taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("mine") });
    const cases: readonly (readonly [status: number, code: string, words: readonly string[]])[] = [
      [2, "service.invalid", ["../web", "--path", app]],
      [2, "service.invalid", ["web", "--path", app, "--memory", "lots"]],
      [2, "service.invalid", ["web", "--path", app, "--command", "a && b"]],
      [2, "provider.unsupported", ["web", "--path", app, "--volume", "data:/data"]],
      [
        6,
        "deploy.port_taken",
        ["web", "--path", app, "--port", "80", "--publish", `127.0.0.1:${taken.port}`],
      ],
    ];
    for (const [status, code, words] of cases) {
      const answer = await machine.cli("deploy", ...words, "--json");
      expect([words.join(" "), answer.status, errorOf(answer).code]).toEqual([words.join(" "), status, code]);
    }
    await taken.stop(true);
    expect(instancesOf(machine.folder)).toEqual([]);
  });

  test("two deploys of one service at once: one goes on, the other is told", async () => {
    await using machine = await running();
    const silent = machine.write("silent", { "index.ts": "setInterval(() => {}, 1000);" });
    const first = machine.cli("deploy", "web", "--path", silent, "--port", "80", "--health-timeout", "4s");
    await until(async () => (await machine.json<{ state: string }[]>("status"))[0]?.state === "deploying", {
      what: "the first deploy",
    });
    const second = await machine.cli("deploy", "web", "--path", silent, "--port", "80", "--json");
    expect([second.status, errorOf(second).code]).toEqual([6, "deploy.in_progress"]);
    expect((await first).status).toBe(1);
  });

  test("Ctrl-C cancels a deploy, undoes it and says so in the event", async () => {
    await using machine = await running();
    const silent = machine.write("silent", { "index.ts": "setInterval(() => {}, 1000);" });
    const child = Bun.spawn(
      [EXECUTABLE, "deploy", "web", "--path", silent, "--port", "80", "--data-dir", machine.dataDir],
      { env: { HOME: machine.folder }, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    );
    await until(
      () =>
        existsSync(join(machine.dataDir, "instances")) &&
        readdirSync(join(machine.dataDir, "instances")).length === 1,
      { what: "the instance" },
    );
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    const { stdout } = await machine.cli("events", "--json", "--hook", "on_deploy_fail");
    expect(JSON.parse(stdout)).toMatchObject({ data: { error: "cancelled", service: "web" } });
    expect(readdirSync(join(machine.dataDir, "instances"))).toEqual([]);
  });
});
