/**
 * Alerts through the compiled program: a rule fires and is told to a webhook and to a plugin, once, though the daemon is killed
 * meanwhile; it is over, once, when its service is gone.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { until } from "../harness.ts";
import { makeMachine } from "./machine.ts";

interface Alert {
  readonly name: string;
  readonly subject: string;
  readonly state: string;
}

const APP = `
Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("ok") });
setInterval(() => {}, 1000);
`;

const WATCHER = {
  "plugin.toml": `[plugin]\nname = "watcher"\nversion = "1.0.0"\ntier = 2\n\n[hooks]\non_alert = true\n`,
  "index.js": `export default { on_alert(event, ctx) { ctx.log.info([event.state, event.name, event.service].join(" ")); } };`,
};

describe("an alert", () => {
  const heard: string[] = [];
  const hook = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      heard.push(((await request.json()) as { title: string }).title);
      return new Response();
    },
  });
  const machine = makeMachine();
  machine.configure(`
[providers]
default = "process"
[metrics]
interval = "1s"
[notify.ops]
type = "webhook"
url = "http://127.0.0.1:${hook.port}/"
[[alerts]]
name = "memory"
metric = "memory_bytes"
threshold = "1 KiB"
duration = "5s"
service = "web"
`);

  afterAll(async () => {
    await hook.stop(true);
    await machine[Symbol.asyncDispose]();
  });

  const firing = async () =>
    (await machine.json<Alert[]>("alert", "list")).map(({ name, subject }) => `${name} ${subject}`);
  const logged = async () =>
    (await machine.cli("plugin", "logs", "watcher")).stdout
      .split("\n")
      .flatMap((line) => /(firing|resolved) .*/.exec(line)?.[0] ?? []);

  test("is told once to channels and plugins, over kill -9, and once when it is over", async () => {
    await machine.start();
    expect((await machine.cli("plugin", "install", machine.write("watcher", WATCHER), "--yes")).status).toBe(
      0,
    );
    const deployed = await machine.cli(
      "deploy",
      "web",
      "--path",
      machine.write("app", { "index.ts": APP }),
      "--port",
      "3000",
    );
    expect(deployed.status, deployed.stderr).toBe(0);
    await until(async () => (await firing()).includes("memory web"), { timeoutMs: 40_000 });
    await until(() => heard.includes("Alert: memory (web)"), { timeoutMs: 10_000 });
    await machine.end("SIGKILL");
    await machine.start();
    expect(await firing()).toEqual(["memory web"]);

    const silenced = await machine.cli("alert", "silence", "memory", "1h", "--subject", "web");
    expect(silenced.stdout).toContain("memory is silenced until ");
    expect((await machine.cli("alert", "list")).stdout).toMatch(/memory +web +silenced/);
    expect((await machine.cli("alert", "silence", "memory", "off", "--subject", "web")).stdout).toBe(
      "memory is no longer silenced\n",
    );

    expect((await machine.cli("stop", "web")).status).toBe(0);
    expect((await machine.cli("remove", "web", "--yes")).status).toBe(0);
    await until(async () => (await firing()).length === 0, { timeoutMs: 40_000 });
    await until(() => heard.includes("Over: memory (web)"), { timeoutMs: 10_000 });
    await until(async () => (await logged()).includes("resolved memory web"), { timeoutMs: 10_000 });
    expect(heard).toEqual(["Alert: memory (web)", "Over: memory (web)"]);
    expect(await logged()).toEqual(["firing memory web", "resolved memory web"]);
    const all = await machine.json<Alert[]>("alert", "list", "--all");
    expect(all.map(({ name, state }) => [name, state])).toEqual([["memory", "resolved"]]);
  }, 180_000);

  test("can be tested, and what is wrong with a request is said", async () => {
    const tested = await machine.cli("alert", "test", "disk");
    expect([tested.status, tested.stdout]).toEqual([0, "delivered to ops\n"]);
    expect(heard.at(-1)).toBe("Test of the alert disk");
    const unknown = await machine.cli("alert", "test", "dsk");
    expect([unknown.status, unknown.stderr]).toEqual([4, expect.stringContaining("did you mean disk?")]);
  });
});
