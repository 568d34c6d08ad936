/** The main job, on the compiled executable: install with consent, deploy, and the plugin's hooks notify over HTTPS. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { documentedPlugin } from "../fixtures/documented-plugin.ts";
import { needs, until } from "../harness.ts";
import { makeMachine } from "./machine.ts";

const TLS = join(import.meta.dir, "../fixtures/tls");

const APP = `Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("hello") });`;

const PROMPT = `Plugin: deploy-notifier v1.0.0
Requires capabilities:
  • notify_send (Medium risk)
  • logs_read (Low risk)

Grant these capabilities? [y/N]: y
✓ Plugin installed and enabled
`;

describe.skipIf(!needs("compiled"))("the main job", () => {
  test("the documented plugin installs with the documented prompt, and both hooks reach an HTTPS endpoint", async () => {
    const received: string[] = [];
    using endpoint = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { key: Bun.file(join(TLS, "key.pem")), cert: Bun.file(join(TLS, "cert.pem")) },
      async fetch(request) {
        received.push(((await request.json()) as { text: string }).text);
        return new Response("ok");
      },
    });
    const url = `https://localhost:${endpoint.port}/services/hook`;
    await using machine = makeMachine(`
[providers]
default = "process"
[network]
allow_private = ["localhost:${endpoint.port}"]
[notify.slack]
type = "slack"
url = "${url}"
`);
    await machine.start({ NODE_EXTRA_CA_CERTS: join(TLS, "cert.pem") });
    const plugin = machine.write("my-plugin", documentedPlugin(url));
    const app = machine.write("app", { "index.ts": APP });

    const install = await machine.type(["plugin", "install", plugin], ["y"]);
    expect(install.screen).toBe(PROMPT);
    expect(install.status).toBe(0);

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
    expect(deploy.stderr + deploy.stdout).toContain("web");
    expect(deploy.status).toBe(0);
    await until(() => received.length === 1, { what: "the notification of the success" });
    expect(received[0]).toBe("✅ web deployed to web.example.com");

    const broken = await machine.cli("deploy", "web", "--command", "/nonexistent/program");
    expect(broken.status).toBe(2);
    await until(() => received.length === 2, { what: "the notification of the failure" });
    expect(received[1]).toStartWith("❌ web deploy failed: ");

    const [service] = await machine.json<{ version: number; state: string; address: string }[]>("status");
    expect(service).toMatchObject({ version: 1, state: "running" });
    expect(await (await fetch(`http://${service?.address}/`)).text()).toBe("hello");
  });

  test("without a yes nothing is installed", async () => {
    await using machine = makeMachine();
    await machine.start();
    const plugin = machine.write("my-plugin", documentedPlugin("https://hooks.slack.com/services/x"));
    for (const answer of ["n", "", "no"]) {
      const { status } = await machine.type(["plugin", "install", plugin], [answer]);
      expect(status).toBe(5);
    }
    const silent = await machine.cli("plugin", "install", plugin, "--json");
    expect(silent.status).toBe(5);
    expect(JSON.parse(silent.stderr)).toMatchObject({ error: { code: "consent.needed" } });
    expect(await machine.json<unknown[]>("plugin", "list")).toEqual([]);
  });
});
