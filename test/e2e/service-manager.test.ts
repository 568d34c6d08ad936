/** Under a service manager: readiness, reload, a clean end; instances go on without the daemon and are found again. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { needs, until } from "../harness.ts";
import { makeMachine } from "./machine.ts";
import { openNotifySocket } from "./notify-socket.ts";

const APP = `Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("ok") });`;

describe.skipIf(!needs("compiled") || !needs("linux"))("the service manager", () => {
  test.each(["file", "abstract"])(
    "is told READY when requests are answered, and STOPPING (%s socket)",
    async (kind) => {
      await using machine = makeMachine();
      const path = kind === "file" ? join(machine.folder, "notify.sock") : `@voxeltron-test-${process.pid}`;
      using manager = openNotifySocket(path);
      await machine.start({ NOTIFY_SOCKET: path });
      expect(manager.received()[0]).toBe(`READY=1\nSTATUS=serving ${machine.socket}`);
      expect(await machine.end("SIGTERM")).toBe(0);
      expect(manager.received().at(-1)).toBe("STOPPING=1\nSTATUS=stopping");
    },
  );

  test("SIGHUP reloads the configuration, and a broken one is refused", async () => {
    await using machine = makeMachine('log_level = "error"\n');
    await machine.start();
    expect(machine.log()).toBe("");
    machine.configure('log_level = "info"\n[notify.ops]\ntype = "webhook"\nurl = "http://127.0.0.1:8080/"\n');
    process.kill(machine.pid(), "SIGHUP");
    await until(() => machine.log().includes("configuration reloaded"), { what: "the reload" });
    machine.configure("log_level = 3\n");
    process.kill(machine.pid(), "SIGHUP");
    await until(() => machine.log().includes("the old one stays"), { what: "the refusal" });
    expect(machine.log()).toContain("config.toml:1");
    expect((await machine.cli("status")).status).toBe(0);
  });

  test("SIGTERM ends the daemon at once, the instances go on, and the next daemon finds them", async () => {
    await using machine = makeMachine();
    await machine.start();
    const app = machine.write("app", { "index.ts": APP });
    expect((await machine.cli("deploy", "web", "--path", app, "--port", "80")).status).toBe(0);
    const { address, instance, startedAt } = await machine.json<{
      address: string;
      instance: string;
      startedAt: string;
    }>("status", "web");
    const asked = performance.now();
    expect(await machine.end("SIGTERM")).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5_000);
    expect(await (await fetch(`http://${address}`)).text()).toBe("ok");
    await machine.start();
    expect(await machine.json<object>("status", "web")).toMatchObject({
      state: "running",
      address,
      instance,
      startedAt,
    });
  });

  test("SIGTERM during a deploy undoes it and says so in the event", async () => {
    await using machine = makeMachine();
    await machine.start();
    const silent = machine.write("silent", { "index.ts": "setInterval(() => {}, 1000);" });
    const deploy = machine.cli("deploy", "web", "--path", silent, "--port", "80", "--json");
    await until(async () => (await machine.json<{ state: string }[]>("status"))[0]?.state === "deploying", {
      what: "the deploy",
    });
    expect(await machine.end("SIGTERM")).toBe(0);
    expect((await deploy).status).not.toBe(0);
    await machine.start();
    const { stdout } = await machine.cli("events", "--json", "--hook", "on_deploy_fail");
    expect(JSON.parse(stdout)).toMatchObject({ data: { service: "web", rolledBack: false } });
    expect([
      ...new Bun.Glob("*").scanSync({ cwd: join(machine.dataDir, "instances"), onlyFiles: false }),
    ]).toEqual([]);
  });
});
