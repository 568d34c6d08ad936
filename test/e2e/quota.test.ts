/** Noisy plugins in the compiled daemon: each is told of its own bounds, in each room, and neither another plugin nor the daemon waits. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeClient, type Client } from "../../src/api/client.ts";
import { needs } from "../harness.ts";
import { alertEvent } from "./alert-event.ts";
import { ANSWER_MS, ATTEMPTS, longestWait } from "./longest-wait.ts";
import { makeMachine } from "./machine.ts";

const PLUGIN = `
const until = async (work) => {
  for (let calls = 0; ; calls++) {
    try { await work(calls); } catch ({ code, message, hint }) { return { calls, code, message, hint }; }
  }
};
const deeds = {
  "one call after the other": (ctx) => until(() => ctx.kv.get("k")),
  "calls by the hundred": (ctx) => until(() => Promise.all(Array.from({ length: 90 }, () => ctx.kv.get("k")))),
  "more calls at a time than it may": (ctx) => until(() => Promise.all(Array.from({ length: 200 }, () => ctx.kv.get("k")))),
  "megabytes": async (ctx) => {
    await ctx.fs.write("files/" + ctx.plugin.name, "x".repeat(1 << 20));
    return until(() => Promise.all([1, 2, 3, 4].map(() => ctx.fs.read("files/" + ctx.plugin.name))));
  },
  "quiet": (ctx) => ctx.kv.get("k"),
};
export default { on_alert: ({ message }, ctx) => deeds[message](ctx) };
`;

const NOISE: readonly (readonly [deed: string, message: RegExp])[] = [
  ["one call after the other", /makes more than 200 calls a second; there is room again in \d+ ms/],
  ["calls by the hundred", /makes more than 200 calls a second/],
  [
    "more calls at a time than it may",
    /more than 100 calls wait for an answer|makes more than 200 calls a second/,
  ],
  ["megabytes", /moves more than 2 MiB a second/],
];

const ROOMS = ["worker", "process"] as const;

function noisyName(room: string, index: number): string {
  return `noisy-${room}-${index}`;
}

describe.skipIf(!needs("compiled") || !needs("confinement"))("a noisy plugin", () => {
  const machine = makeMachine(`[providers]
default = "process"
[plugins.quota]
calls_per_second = 200
bytes_per_second = 2097152
`);
  let client: Client;

  beforeAll(async () => {
    await machine.start();
    client = makeClient(machine.socket);
    // One for each noise: what one has used up is not there for the next.
    const noisy = ROOMS.flatMap((room) => NOISE.map((_, index) => [noisyName(room, index), room] as const));
    for (const [name, isolation] of [...noisy, ["quiet", "worker"] as const]) {
      const folder = machine.write(name, {
        "plugin.toml": `[plugin]\nname = "${name}"\nversion = "1.0.0"\ntier = 2\n[capabilities]\nrequired = ["fs_read", "fs_write"]\n[hooks]\non_alert = true\n`,
        "index.js": PLUGIN,
      });
      const installed = await machine.cli("plugin", "install", folder, "--isolation", isolation, "--yes");
      expect(installed.stderr).not.toContain("error");
      await call(name, "quiet");
    }
  });

  afterAll(() => machine[Symbol.asyncDispose]());

  async function call(name: string, message: string): Promise<unknown> {
    const event = alertEvent(message);
    return (await client.call("plugin.call", { name, hook: "on_alert", event })).result;
  }

  /** Until the noise is over, one call of the other plugin after the other. */
  async function quietCalls(noise: Promise<unknown>): Promise<void> {
    const over = noise.then(() => true);
    do expect(await call("quiet", "quiet")).toBeNull();
    while (!(await Promise.race([over, Bun.sleep(5)])));
  }

  for (const room of ROOMS)
    test.each(NOISE.map(([deed, message], index) => [deed, message, noisyName(room, index)] as const))(
      `in a ${room}, with %s, is told so, and nobody else waits`,
      async (deed, message, name) => {
        const waits: number[] = [];
        do {
          const noise = call(name, deed);
          const [wait] = await Promise.all([longestWait(client, noise), quietCalls(noise)]);
          waits.push(wait);
          expect(await noise).toMatchObject({
            code: "capability.limit",
            message: expect.stringMatching(message),
          });
        } while (Math.min(...waits) >= ANSWER_MS && waits.length < ATTEMPTS);
        expect(Math.min(...waits)).toBeLessThan(ANSWER_MS);
      },
    );

  test("is told where the operator can allow it more", async () => {
    expect(await call(noisyName("worker", 0), "one call after the other")).toMatchObject({
      hint: "the operator can allow more: [plugins.quota] in the daemon's configuration",
    });
  });
});
