/** Notification channels on the compiled executable: mail over STARTTLS, a webhook, and what nobody may be told of them. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../certificate.ts";
import { needs } from "../harness.ts";
import { mailServer } from "../mail-server.ts";
import { makeMachine, type Machine } from "./machine.ts";

const { cert, key } = makeCertificate("localhost");

const PLUGIN = {
  "plugin.toml": `[plugin]
name = "teller"
version = "1.0.0"
description = "says it everywhere"
tier = 2

[capabilities]
required = ["notify_send"]

[hooks]
on_deploy_success = true
`,
  "index.ts": `export default {
  async on_deploy_success(event, ctx) {
    const told = [];
    for (const channel of ["mail", "wrong", "hook", "dead", "none"]) {
      try {
        await ctx.notify.send(channel, { title: "Up\\r\\nBcc: evil@example.com", text: event.service + " is live" });
        told.push(channel + ": ok");
      } catch (error) {
        told.push(channel + ": " + [error.code, error.message, error.hint, JSON.stringify(error), error.stack].join(" | "));
      }
    }
    ctx.log.info(told.join("\\n"));
    return told;
  },
};
`,
};

function configure(machine: Machine, mailPort: number, hookPort: number): void {
  const folder = machine.write("secrets", { password: "right\n", wrong: "wr0ng-s3cret\n", "ca.pem": cert });
  machine.configure(`
[providers]
default = "process"
[notify.mail]
type = "email"
host = "localhost"
port = ${mailPort}
username = "s3cret-user"
password_file = "${folder}/password"
ca_file = "${folder}/ca.pem"
from = "Vox <vox@s3cret.example.com>"
to = ["s3cret@example.com"]
title = "[{{channel}}] {{title}}"
[notify.wrong]
type = "email"
host = "localhost"
port = ${mailPort}
username = "s3cret-user"
password = "wr0ng-s3cret"
ca_file = "${folder}/ca.pem"
from = "vox@s3cret.example.com"
to = ["s3cret@example.com"]
[notify.hook]
type = "webhook"
url = "http://127.0.0.1:${hookPort}/s3cret-path"
secret = "s3cret-key"
body = '{"say": "{{text}}"}'
[notify.dead]
type = "slack"
url = "http://127.0.0.1:2/s3cret-path"
`);
}

/** All that the daemon wrote, but for the configuration and the plugin's own files. */
function everythingWritten(machine: Machine): string {
  const files = readdirSync(machine.dataDir, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  return [...texts, machine.log()].join("\n");
}

describe.skipIf(!needs("compiled"))("notifications", () => {
  test("a channel can be tested, a plugin can send, and no secret is told to anybody", async () => {
    await using mail = await mailServer({ key, cert });
    const posted: string[] = [];
    using hook = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        posted.push(await request.text());
        return new Response("s3cret-answer");
      },
    });
    await using machine = makeMachine();
    configure(machine, mail.port, hook.port ?? 0);
    await machine.start();

    const list = await machine.cli("notify", "list");
    expect(list.stdout).toMatch(
      /^CHANNEL\s+TYPE\ndead\s+slack\nhook\s+webhook\nmail\s+email\nwrong\s+email\n$/,
    );
    expect(await machine.json("notify", "list")).toContainEqual({ name: "mail", type: "email" });

    const tested = await machine.cli("notify", "test", "mail");
    expect(tested).toMatchObject({ status: 0, stdout: "✓ mail (email) accepted the message\n", stderr: "" });
    expect(mail.logins).toEqual([{ username: "s3cret-user", password: "right", secure: true }]);
    expect(mail.messages[0]).toContain("Subject: [mail] Test notification\r\n");

    const refused = await machine.cli("notify", "test", "wrong");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(
      'the channel "wrong" (email) refused the user name or the password (535 5.7.8)',
    );
    const unknown = await machine.cli("notify", "test", "maill");
    expect(unknown.status).toBe(4);
    expect(unknown.stderr).toContain("did you mean mail?");
    const dead = await machine.cli("notify", "test", "dead", "--json");
    expect(dead.status).toBe(1);
    expect(JSON.parse(dead.stderr)).toMatchObject({
      error: {
        code: "notify.failed",
        message: 'the channel "dead" (slack) could not be reached: connection refused',
        details: { channel: "dead", attempts: 3 },
      },
    });

    const plugin = machine.write("teller", PLUGIN);
    expect((await machine.cli("plugin", "install", plugin, "--yes")).status).toBe(0);
    const event = {
      service: "web",
      domain: "web.example.com",
      domains: ["web.example.com"],
      image: "x",
      version: 1,
      provider: "docker",
      server: "local",
      durationMs: 1,
    };
    const file = join(machine.write("event", { "event.json": JSON.stringify(event) }), "event.json");
    const called = await machine.cli(
      "plugin",
      "call",
      "teller",
      "on_deploy_success",
      "--event",
      file,
      "--json",
    );
    const { result } = JSON.parse(called.stdout) as { readonly result: readonly string[] };
    expect(result.map((line) => line.split(" | ")[0])).toEqual([
      "mail: ok",
      "wrong: notify.failed",
      "hook: ok",
      "dead: notify.failed",
      "none: notify.unknown_channel",
    ]);
    expect(posted).toEqual(['{"say": "web is live"}']);
    expect(mail.messages).toHaveLength(2);
    expect(mail.messages[1]).toContain("Subject: [mail] Up Bcc: evil@example.com\r\n");
    expect(mail.envelopes.map(({ to }) => to)).toEqual([["s3cret@example.com"], ["s3cret@example.com"]]);

    const audit = everythingWritten(machine);
    // The search finds what is there to be found.
    expect(["notify.send", "mail: ok", "evil@example.com"].filter((text) => !audit.includes(text))).toEqual(
      [],
    );
    const shown = [list, tested, refused, unknown, dead, called].flatMap(({ stdout, stderr }) => [
      stdout,
      stderr,
    ]);
    const secrets = ["s3cret", "wr0ng", Buffer.from("wr0ng-s3cret").toString("base64"), `:${mail.port}`];
    expect(secrets.filter((secret) => [audit, ...shown].some((text) => text.includes(secret)))).toEqual([]);
  }, 60_000);

  test("a template that does not fit is refused before anything starts", async () => {
    await using machine = makeMachine(
      '[notify.ops]\ntype = "slack"\nurl = "https://a.test/s3cret"\ntext = "{{tilte}}"\n',
    );
    const checked = await machine.cli("config", "check", join(machine.folder, "config.toml"));
    expect(checked.status).toBe(7);
    expect(checked.stderr).toContain("config.toml:4:1: notify.ops.text: ");
    expect(checked.stderr).not.toContain("s3cret");
  });
});
