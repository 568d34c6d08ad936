/** A provider that is an executable on the compiled program: the document's own one runs a service, and what happens when things break. */
import { describe, expect, test } from "bun:test";
import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execTexts } from "../exec-plugin.ts";
import { documentedProvider } from "../fixtures/documented-executables.ts";
import { needs, until } from "../harness.ts";
import { makeMachine, type Machine } from "./machine.ts";

interface Service {
  readonly name: string;
  readonly state: string;
  readonly provider: string;
  readonly instance: string | null;
}

const SERVE =
  "import http.server, os; print('serving on', os.environ['PORT'], flush=True); http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ['PORT']), bind='127.0.0.1')";
const DEPLOY = [
  "deploy",
  "web",
  "--provider",
  "box",
  "--image",
  "any",
  "--port",
  "8080",
  "--command",
  `python3 -c "${SERVE}"`,
];

async function install(
  machine: Machine,
  files: Readonly<Record<string, string>>,
  program: string,
): Promise<void> {
  const folder = machine.write("box", files);
  chmodSync(join(folder, program), 0o755);
  const { status, stderr } = await machine.cli("plugin", "install", folder, "--yes");
  expect([status, stderr]).toEqual([0, expect.any(String)]);
}

const scripted = (machine: Machine, script: string) =>
  install(machine, execTexts({ name: "box", actions: [], script }), "run");

async function serviceNow(machine: Machine): Promise<Service | undefined> {
  return (await machine.json<Service[]>("status")).find(({ name }) => name === "web");
}

const boxes = ({ folder }: Machine): string[] => {
  const path = join(folder, "boxes");
  return existsSync(path) ? readdirSync(path) : [];
};

function errorOf(stderr: string): {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
} {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return (JSON.parse(last.startsWith("{") ? last : stderr) as { error: never }).error;
}

/** Begins to create, and needs a while for it. */
const SLOW = `read -r request
case "$request" in
  *'"action":"create"'*) echo $$ > "$HOME/creator"; echo "pulling" >&2; sleep 5; mkdir -p "$HOME/boxes/late" ;;
  *'"action":"status"'*) if [ -d "$HOME/boxes/late" ]; then state=created; else state=missing; fi; echo '{"ok":true,"result":"'$state'"}'; exit ;;
  *'"action":"destroy"'*) echo destroyed >> "$HOME/destroyed"; rm -rf "$HOME/boxes/late" ;;
esac
echo '{"ok":true}'`;

const creator = (machine: Machine) => {
  const path = join(machine.folder, "creator");
  return existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
};

describe.skipIf(!needs("compiled") || !needs("python3"))("a provider that is an executable", () => {
  test("is shown to whoever waits, without the secrets that it was given", async () => {
    await using machine = makeMachine();
    await machine.start();
    await scripted(machine, `read -r request; echo "$request" >&2; echo '{"ok":false,"error":"no"}'`);
    const secret = machine.write("secrets", { token: "correct-horse-battery" });
    expect((await machine.cli("secret", "set", "web", "TOKEN", "--file", join(secret, "token"))).status).toBe(
      0,
    );
    const { stdout, stderr } = await machine.cli(...DEPLOY, "--env", "PLAIN=stapled");
    const shown = `${stdout}${stderr}`;
    expect(shown).toContain('"PLAIN":"stapled"');
    expect(shown).toContain('"TOKEN":"[redacted]"');
    expect(shown).not.toContain("correct-horse-battery");
  }, 60_000);

  test("runs a service: deployed, read, switched, stopped, started again after a crash, removed", async () => {
    await using machine = makeMachine('[providers]\ndefault = "box"\n');
    await machine.start();
    await install(machine, documentedProvider(), "box");
    const first = await machine.json<{ address: string }>(...DEPLOY);
    const said = await fetch(`http://${first.address}/box.json`);
    expect(await said.json()).toMatchObject({ ports: { "8080": Number(first.address.split(":")[1]) } });
    expect(await serviceNow(machine)).toMatchObject({ state: "running", provider: "box" });
    await until(async () => (await machine.cli("logs", "web")).stdout.includes("serving on"), {
      timeoutMs: 15_000,
    });
    // What the machine adds to each command line is behind the dashes here.
    const shell = ["sh", "-c", "echo in $PORT; echo out >&2; exit 3"];
    const command = await machine.cli("exec", "--socket", machine.socket, "web", "--", ...shell);
    expect(command).toEqual({ status: 3, stdout: `in ${first.address.split(":")[1]}\n`, stderr: "out\n" });

    const [old = ""] = boxes(machine);
    expect((await machine.cli(...DEPLOY, "--env", "A=1", "--detach")).status).toBe(0);
    await until(() => boxes(machine).length === 1 && boxes(machine)[0] !== old, {
      timeoutMs: 30_000,
      what: "the switch",
    });
    const [live = ""] = boxes(machine);
    const pid = () => Number(readFileSync(join(machine.folder, "boxes", live, "pid"), "utf8"));

    // Nobody else starts it again.
    const crashed = pid();
    process.kill(crashed, "SIGKILL");
    await until(() => pid() !== crashed, { timeoutMs: 40_000, what: "another start" });

    expect((await machine.cli("stop", "web")).status).toBe(0);
    expect((await serviceNow(machine))?.state).toBe("stopped");
    expect((await machine.cli("start", "web")).status).toBe(0);

    const info = await machine.json<{ provider: { instances: string[] } }>("plugin", "info", "box");
    expect(info.provider.instances).toEqual([`service web (${live})`]);
    const kept = await machine.cli("plugin", "remove", "box", "--yes", "--json");
    expect([kept.status, errorOf(kept.stderr).code]).toEqual([6, "plugin.in_use"]);
    expect((await machine.cli("plugin", "disable", "box")).status).toBe(0);
    expect((await serviceNow(machine))?.state).toBe("unknown");
    const refused = await machine.cli("stop", "web", "--json");
    expect([refused.status, errorOf(refused.stderr)]).toMatchObject([
      9,
      { code: "provider.unavailable", message: "box can't be asked to stop: box is disabled" },
    ]);
    expect((await machine.cli("plugin", "enable", "box")).status).toBe(0);
    expect((await machine.cli("remove", "web", "--yes")).status).toBe(0);
    expect(boxes(machine)).toEqual([]);
    expect((await machine.cli("plugin", "remove", "box", "--yes")).status).toBe(0);
    const unknown = await machine.cli(...DEPLOY, "--json");
    expect([unknown.status, errorOf(unknown.stderr).code]).toEqual([2, "provider.unknown"]);
  }, 180_000);

  test("can be dropped into a folder of plugins: it runs after consent, and no longer than its folder is the same", async () => {
    await using machine = makeMachine();
    await machine.start();
    const folder = machine.write(".config/devbox/plugins/box", documentedProvider());
    chmodSync(join(folder, "box"), 0o755);
    const before = await machine.cli(...DEPLOY, "--json");
    expect([before.status, errorOf(before.stderr).code]).toEqual([2, "provider.unknown"]);
    expect((await machine.cli("plugin", "enable", "box", "--yes")).status).toBe(0);
    expect((await machine.cli(...DEPLOY)).status).toBe(0);
    appendFileSync(join(folder, "box"), "#");
    const refused = await machine.cli("stop", "web", "--json");
    expect([refused.status, errorOf(refused.stderr)]).toMatchObject([
      9,
      { code: "provider.unavailable", message: expect.stringContaining("is not what was consented to") },
    ]);
    expect((await serviceNow(machine))?.state).toBe("unknown");
    expect((await machine.cli("plugin", "enable", "box", "--yes")).status).toBe(0);
    expect((await machine.cli("remove", "web", "--yes")).status).toBe(0);
    expect(boxes(machine)).toEqual([]);
  }, 90_000);

  test("runs a workspace under the workspace's own name", async () => {
    await using machine = makeMachine();
    await machine.start();
    await install(machine, documentedProvider(), "box");
    const made = ["--provider", "box", "--image", "any", "--command", 'sh -c "echo hello; sleep 600"'];
    expect(await machine.cli("workspace", "create", "dev", ...made)).toMatchObject({ status: 0 });
    expect(boxes(machine)).toEqual(["dev"]);
    expect((await machine.cli("workspace", "start", "dev")).status).toBe(0);
    const pid = readFileSync(join(machine.folder, "boxes/dev/pid"), "utf8");
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    const state = async () =>
      (await machine.json<{ name: string; state: string }[]>("workspace", "list")).find(
        ({ name }) => name === "dev",
      )?.state;
    expect(await state()).toBe("running");
    expect((await machine.cli("workspace", "logs", "dev")).stdout).toContain("hello");
    expect((await machine.cli("workspace", "stop", "dev")).status).toBe(0);
    expect(await state()).not.toBe("running");
    // Another of that name, which is not ours, is not touched.
    const other = machine.write("boxes/other", { "box.json": "{}" });
    expect((await machine.cli("workspace", "create", "other", ...made)).status).toBe(1);
    expect((await machine.cli("workspace", "destroy", "other", "--yes")).status).toBe(4);
    expect(existsSync(join(other, "box.json"))).toBe(true);
    expect((await machine.cli("workspace", "destroy", "dev", "--yes")).status).toBe(0);
    expect(boxes(machine)).toEqual(["other"]);
  }, 90_000);

  test("goes on where a daemon was killed, and its instances go on meanwhile", async () => {
    await using machine = makeMachine();
    await machine.start();
    await install(machine, documentedProvider(), "box");
    const { address } = await machine.json<{ address: string }>(...DEPLOY);
    await machine.end("SIGKILL");
    expect((await fetch(`http://${address}/box.json`)).status).toBe(200);
    await machine.start();
    expect(await serviceNow(machine)).toMatchObject({ state: "running", provider: "box" });
    expect((await machine.cli("remove", "web", "--yes")).status).toBe(0);
    expect(boxes(machine)).toEqual([]);
  }, 90_000);

  test("of which the daemon is killed while it creates leaves nothing: the program is ended, and what it made removed", async () => {
    await using machine = makeMachine();
    await machine.start();
    await scripted(machine, SLOW);
    const deploy = machine.cli("deploy", "web", "--provider", "box", "--image", "any");
    const pid = await until(() => creator(machine) || undefined, { timeoutMs: 15_000, what: "the creating" });
    await machine.end("SIGKILL");
    expect((await deploy).status).not.toBe(0);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await machine.start();
    await until(() => !existsSync(`/proc/${pid}`), { what: "the end of who creates" });
    await until(() => existsSync(join(machine.folder, "destroyed")), { what: "the destroying" });
    expect(boxes(machine)).toEqual([]);
    const events = await machine.cli("events", "--json");
    expect(events.stdout).toContain("the daemon stopped during the deploy");
  }, 90_000);

  test("that is revoked while it creates is ended at once, and what it made is removed when it may run again", async () => {
    await using machine = makeMachine();
    await machine.start();
    await scripted(machine, SLOW);
    const deploy = machine.cli("deploy", "web", "--provider", "box", "--image", "any", "--json");
    const pid = await until(() => creator(machine) || undefined, { timeoutMs: 15_000, what: "the creating" });
    expect((await machine.cli("plugin", "revoke", "box", "unsandboxed")).status).toBe(0);
    await until(() => !existsSync(`/proc/${pid}`), { what: "the end of who creates" });
    const { status, stderr } = await deploy;
    expect([status, errorOf(stderr)]).toMatchObject([
      9,
      {
        code: "provider.unavailable",
        message: expect.stringContaining("box was cut off in create"),
        hint: "to allow it: voxeltron plugin grant box unsandboxed",
      },
    ]);
    expect(existsSync(join(machine.folder, "destroyed"))).toBe(false);
    expect((await machine.cli("plugin", "grant", "box", "unsandboxed")).status).toBe(0);
    await until(() => existsSync(join(machine.folder, "destroyed")), {
      timeoutMs: 60_000,
      what: "the destroying",
    });
  }, 120_000);

  test("has the time that the operator gives it, and no more; a folder is not for it", async () => {
    await using machine = makeMachine('[plugins.timeouts.box]\ncreate = "1s"\n');
    await machine.start();
    await scripted(machine, SLOW);
    const late = await machine.cli("deploy", "web", "--provider", "box", "--image", "any", "--json");
    expect([late.status, errorOf(late.stderr)]).toMatchObject([
      8,
      { code: "plugin.timeout", hint: expect.stringContaining("[plugins.timeouts.box]") },
    ]);
    const folder = machine.write("app", { "index.ts": "" });
    const refused = await machine.cli("deploy", "api", "--provider", "box", "--path", folder, "--json");
    expect([refused.status, errorOf(refused.stderr)]).toMatchObject([
      2,
      { code: "provider.unsupported", message: "box runs images, and no folders" },
    ]);
  }, 60_000);
});
