/** A plugin that is being worked on, with the compiled executable: a linked folder, `plugin dev`, going back, and three strikes. */
import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { needs, until } from "../harness.ts";
import { EXECUTABLE, makeMachine, type Machine } from "./machine.ts";

interface Info {
  readonly version: string;
  readonly state: string;
  readonly reason: string | null;
  readonly room: string;
  readonly roomReason: string;
  readonly link: string | null;
}

const info = (machine: Machine) => machine.json<Info>("plugin", "info", "mine");

/** What the hook of the running version answers. */
const answer = (machine: Machine) =>
  machine.json<{ result: unknown }>("plugin", "call", "mine", "on_deploy_start").then(({ result }) => result);

function write(machine: Machine, version: string, more = "", body = `return "${version}";`): string {
  return machine.write("mine", {
    "plugin.toml": `[plugin]\nname = "mine"\nversion = "${version}"\ntier = 2\n${more}\n[hooks]\non_deploy_start = true\n`,
    "index.ts": `export default { async on_deploy_start(event: unknown, ctx: any) { ctx.log.info("${version} was called"); ${body} } };`,
  });
}

/** The event at which the plugin never comes back. */
const LOOP = {
  service: "loop",
  domain: "web.example.com",
  domains: ["web.example.com"],
  image: "web:1",
  version: 1,
  provider: "process",
  server: "here",
  durationMs: 0,
};

describe.skipIf(!needs("compiled") || !needs("confinement"))("a plugin that is being worked on", () => {
  test("is what is in its linked folder, through errors, other wishes, restarts and the folder's end", async () => {
    await using machine = makeMachine();
    await machine.start();
    const folder = write(machine, "1.0.0");
    const installed = await machine.cli("plugin", "install", "--link", folder, "--yes");
    expect(installed.stdout).toBe(`✓ Plugin installed and enabled, linked to ${folder}\n`);
    expect(await answer(machine)).toBe("1.0.0");

    write(machine, "1.0.1");
    await until(async () => (await answer(machine)) === "1.0.1");

    machine.write("mine", { "index.ts": "export default {" });
    await until(async () => (await info(machine)).reason?.includes("index.ts:1"));
    expect(await answer(machine)).toBe("1.0.1");

    const wider = '[capabilities]\nrequired = ["notify_send"]';
    write(machine, "2.0.0", wider);
    await until(async () => (await info(machine)).state === "paused");
    const refused = await machine.cli("plugin", "call", "mine", "on_deploy_start");
    expect(refused.status).toBe(6);
    expect(refused.stderr).toContain(`voxeltron plugin install --link ${folder}`);

    await machine.end("SIGKILL");
    await machine.start();
    expect((await info(machine)).state).toBe("paused");
    expect((await machine.cli("plugin", "install", "--link", folder, "--yes")).status).toBe(0);
    expect(await answer(machine)).toBe("2.0.0");

    await machine.end();
    write(machine, "2.0.1", wider);
    await machine.start();
    await until(async () => (await answer(machine)) === "2.0.1");

    rmSync(folder, { recursive: true });
    await until(async () => (await info(machine)).reason?.includes("can't see the folder"), {
      timeoutMs: 10_000,
    });
    expect(await answer(machine)).toBe("2.0.1");
    expect((await machine.cli("plugin", "logs", "mine")).stdout).toContain("can't see the folder");

    const back = await machine.cli("plugin", "rollback", "mine");
    expect(back.stdout).toMatch(/^mine is back at \d\.\d\.\d, enabled\n$/);
    expect((await info(machine)).link).toBeNull();
  }, 60_000);

  test("is sent by plugin dev at every change, and its log is shown; Ctrl-C leaves it installed", async () => {
    await using machine = makeMachine();
    await machine.start();
    const folder = write(machine, "1.0.0");
    await using dev = Bun.spawn(
      [EXECUTABLE, "plugin", "dev", folder, "--yes", "--data-dir", machine.dataDir],
      {
        env: { HOME: machine.folder, PATH: "/usr/bin:/bin" },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    let shown = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of dev.stdout) shown += decoder.decode(chunk, { stream: true });
    })();
    await until(() => /^installed mine v1\.0\.0 in \d+ ms$/m.test(shown));
    write(machine, "1.0.1");
    await until(() => /^reloaded mine v1\.0\.1 in \d+ ms$/m.test(shown));
    expect(await answer(machine)).toBe("1.0.1");
    await until(() => shown.includes("1.0.1 was called"));
    dev.kill("SIGINT");
    expect(await dev.exited).toBe(0);
    await reading;
    expect(await answer(machine)).toBe("1.0.1");
  }, 30_000);

  test("that has to be stopped three times in its Worker moves to a process, and stays there over a restart", async () => {
    await using machine = makeMachine();
    await machine.start();
    const loops = `if ((event as any).service === "loop") for (;;); return "fine";`;
    const folder = write(machine, "1.0.0", '[runtime]\ntimeout = "200ms"', loops);
    expect((await machine.cli("plugin", "install", folder, "--yes")).status).toBe(0);
    expect(await answer(machine)).toBe("fine");
    expect(await info(machine)).toMatchObject({ room: "js-worker" });
    const event = `${machine.write("events", { "loop.json": JSON.stringify(LOOP) })}/loop.json`;
    for (let strike = 1; strike <= 3; strike++) {
      const call = await machine.cli("plugin", "call", "mine", "on_deploy_start", "--event", event);
      expect(call.stderr).toContain("did not finish on_deploy_start within 0.2 s");
      expect(call.status).toBe(8);
    }
    expect(await info(machine)).toMatchObject({ room: "js-process", state: "enabled" });
    expect((await info(machine)).roomReason).toContain("stopped");
    expect(await answer(machine)).toBe("fine");
    expect(machine.log()).toContain("from now on it runs in a process of its own");
    await machine.end();
    await machine.start();
    expect(await info(machine)).toMatchObject({ room: "js-process", state: "enabled" });
  }, 60_000);
});
