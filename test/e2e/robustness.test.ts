/**
 * Plugins that misbehave, in the compiled daemon: each gets its named error, the daemon answers others all the while, and the
 * next event works.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeClient, type Client } from "../../src/api/client.ts";
import { isVoxError } from "../../src/base/errors.ts";
import { needs } from "../harness.ts";
import { ANSWER_MS, ATTEMPTS, longestWait } from "./longest-wait.ts";
import { residentMegabytes } from "../resident.ts";
import { makeMachine } from "./machine.ts";

const PLUGIN = `
const deeds = {
  "an endless loop": () => { for (;;); },
  "an endless loop in a native": () => { const a = []; a.length = 4294967295; return a.indexOf(1); },
  "a catastrophic regular expression": () => /^(a+)+$/.test("a".repeat(40) + "b"),
  "memory without end": () => { const all = []; for (;;) all.push(new Array(1000).fill("x")); },
  "strings without end": () => { const all = []; for (;;) all.push("x".repeat(100_000) + all.length); },
  "a stack without end": () => { const f = () => 1 + f(); return f(); },
  "a promise that never settles": () => new Promise(() => {}),
  "promises without end": async () => { for (;;) await null; },
  "timers without end": () => new Promise(() => { const go = () => setTimeout(go, 0); go(); }),
  "an answer of 100 MB": () => "x".repeat(100 * 1024 * 1024),
  "an answer of 10 MB": () => "x".repeat(10 * 1024 * 1024),
  "a log without end": (ctx) => { for (;;) ctx.log.info("x".repeat(1000)); },
  "calls without end": async (ctx) => { for (;;) await ctx.kv.set("k", 1); },
  "calls that nobody awaits": (ctx) => { for (;;) ctx.kv.get("k").catch(() => {}); },
  "process.exit": () => process.exit(0),
  "a throw of nothing": () => { throw undefined; },
};
export default {
  on_deploy_start(event, ctx) { return deeds[event.service] ? deeds[event.service](ctx) : "well"; },
};
`;

const ENDINGS: readonly (readonly [deed: string, code: string | RegExp])[] = [
  ["an endless loop", "plugin.timeout"],
  ["an endless loop in a native", "plugin.timeout"],
  ["a catastrophic regular expression", "plugin.timeout"],
  ["memory without end", "plugin.out_of_memory"],
  ["strings without end", "plugin.out_of_memory"],
  ["a stack without end", "plugin.failed"],
  ["a promise that never settles", "plugin.timeout"],
  ["promises without end", "plugin.timeout"],
  ["timers without end", "plugin.timeout"],
  ["an answer of 100 MB", "plugin.out_of_memory"],
  ["an answer of 10 MB", "plugin.protocol"],
  ["a log without end", "plugin.timeout"],
  // Whichever comes first: its time, or the calls that it may make.
  ["calls without end", /^plugin\.(timeout|failed)$/],
  ["calls that nobody awaits", /^plugin\.(timeout|out_of_memory|protocol)$/],
  ["process.exit", "plugin.failed"],
  ["a throw of nothing", "plugin.failed"],
];

describe.skipIf(!needs("compiled"))("a plugin with", () => {
  const machine = makeMachine();
  let client: Client;

  beforeAll(async () => {
    await machine.start();
    client = makeClient(machine.socket);
    const folder = machine.write("rogue", {
      "plugin.toml":
        '[plugin]\nname = "rogue"\nversion = "1.0.0"\ntier = 2\n[hooks]\non_deploy_start = true\n[runtime]\ntimeout = "700ms"\n',
      "index.js": PLUGIN,
    });
    // So often stopped, it would move to a process: robustness-process.test.ts is for that.
    const words = ["plugin", "install", folder, "--isolation", "worker", "--yes"];
    expect((await machine.cli(...words)).stderr).not.toContain("error");
  });

  afterAll(() => machine[Symbol.asyncDispose]());

  async function call(service: string): Promise<string> {
    const event = {
      service,
      domain: "x",
      domains: [],
      image: "x",
      version: 1,
      provider: "process",
      server: "local",
      durationMs: 0,
    };
    try {
      const { result } = await client.call("plugin.call", { name: "rogue", hook: "on_deploy_start", event });
      return `ok: ${String(result)}`;
    } catch (error) {
      if (isVoxError(error)) return error.code;
      throw error;
    }
  }

  test.each(ENDINGS)("%s gets its named error, and nobody else waits", async (deed, code) => {
    const waits: number[] = [];
    do {
      const ending = call(deed);
      waits.push(await longestWait(client, ending));
      expect(await ending).toMatch(code);
    } while (Math.min(...waits) >= ANSWER_MS && waits.length < ATTEMPTS);
    expect(Math.min(...waits)).toBeLessThan(ANSWER_MS);
    expect(await call("anything else")).toBe("ok: well");
  });

  test("all of that leaves the daemon's memory and threads as they were", async () => {
    expect(residentMegabytes(machine.pid())).toBeLessThan(400);
  });
});
