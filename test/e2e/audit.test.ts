/** On the compiled executable: what a plugin tried is counted, the refusal teaches, and a ceiling counts from its reload on. */
import { describe, expect, test } from "bun:test";
import type { AuditAnswer, AuditCallView } from "../../src/api/audit-views.ts";
import type { PluginDetails } from "../../src/api/operations.ts";
import { needs, until } from "../harness.ts";
import { makeMachine } from "./machine.ts";

const FILES = {
  "plugin.toml": `[plugin]
name = "ringer"
version = "1.0.0"
tier = 2
[capabilities]
optional = ["notify_send"]
[hooks]
on_alert = true
`,
  "index.ts": `export default {
  async on_alert(_event, ctx) {
    try {
      await ctx.notify.send("ops", "hello");
      return "sent";
    } catch (error) {
      return { code: error.code, message: error.message, hint: error.hint };
    }
  },
};`,
};

/** Nobody listens there: what is sent fails, and is not denied. */
const CHANNEL = `[notify.ops]\ntype = "webhook"\nurl = "http://127.0.0.1:2/"\n`;
const PROVIDER = `[providers]\ndefault = "process"\n`;

interface Called {
  readonly result: { readonly code: string; readonly message: string; readonly hint?: string };
}

describe.skipIf(!needs("compiled"))("what a plugin did with what it may", () => {
  test("is counted and told, from the refusal that teaches to the ceiling that takes it away", async () => {
    await using machine = makeMachine(PROVIDER + CHANNEL);
    await machine.start();
    await machine.json("plugin", "install", machine.write("ringer", FILES), "--yes");
    const ring = async () => (await machine.json<Called>("plugin", "call", "ringer", "on_alert")).result;

    const denied = await ring();
    expect(denied.code).toBe("capability.denied");
    expect(denied.message).toContain("plugin ringer called notify.send in on_alert, which needs notify_send");
    expect(denied.hint).toBe("to allow only that: voxeltron plugin grant ringer notify_send=ops");
    await machine.json(...(denied.hint ?? "").replace(/^.*voxeltron /, "").split(" "));
    expect((await ring()).code).toBe("notify.failed");

    const { uses, unused } = await machine.json<AuditAnswer>("plugin", "audit", "ringer");
    expect(uses).toMatchObject([
      {
        capability: "notify_send",
        method: "notify.send",
        allowed: 0,
        denied: 1,
        failed: 1,
        targets: [{ target: "ops", calls: 2 }],
      },
    ]);
    expect(unused).toEqual([]);
    const lines = (await machine.cli("plugin", "audit", "--lines", "9", "--denied", "--json")).stdout;
    expect(JSON.parse(lines) as AuditCallView).toMatchObject({
      during: "on_alert",
      outcome: "capability.denied",
    });

    const details = () => machine.json<PluginDetails>("plugin", "info", "ringer");
    expect((await details()).capabilities).toMatchObject([
      {
        requested: { scope: null },
        granted: { scope: ["ops"] },
        effective: { scope: ["ops"] },
        why: "granted for ops",
      },
    ]);
    machine.configure(`${PROVIDER}[plugins]\nceiling = ["notify_send=dev"]\n${CHANNEL}`);
    process.kill(machine.pid(), "SIGHUP");
    await until(async () => (await details()).capabilities[0]?.effective?.scope?.length === 0);
    expect((await details()).capabilities[0]?.why).toBe("granted for ops; [plugins] ceiling allows nothing");
    const above = await ring();
    expect(above.code).toBe("capability.out_of_scope");
    expect(above.hint).toContain('add "notify_send=ops" to [plugins] ceiling');
  }, 60_000);
});
