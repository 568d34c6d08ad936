/**
 * Plugins that misbehave in the process rooms of the compiled daemon, native code included: each gets its named error, takes no more than
 * its share, leaves no process behind, and the daemon answers others all the while.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeClient, type Client } from "../../src/api/client.ts";
import { isVoxError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { bundleHostile } from "../escape/native/bundle-hostile.ts";
import { needs, until } from "../harness.ts";
import { ownModule } from "../wasm/modules.ts";
import { isThere, memoryOf, processOf, threadsOf } from "./daemon-children.ts";
import { ANSWER_MS, ATTEMPTS, longestWait } from "./longest-wait.ts";
import { alertEvent } from "./alert-event.ts";
import { makeMachine } from "./machine.ts";

const MIB = 1024 * 1024;
/** What may be taken between two looks of whoever watches. */
const OVERSHOOT = 160 * MIB;

const TIMEOUT = /^plugin\.timeout$/;
const CRASH = /^plugin\.crashed$/;
/** By the watch, or where the kernel gave it no more and its engine gave up, or only said so. */
const MEMORY = /^plugin\.(out_of_memory|crashed|failed)$/;

type Deed = readonly [deed: string, ending: RegExp];

const NATIVE: readonly Deed[] = [
  ["a loop", TIMEOUT],
  ["a loop behind every signal", TIMEOUT],
  ["a wrong address", CRASH],
  ["an abort", CRASH],
  ["an exit", CRASH],
  ["its own death", CRASH],
  ["a halt", TIMEOUT],
  ["a sleep without end", TIMEOUT],
  ["memory at once", MEMORY],
  ["memory piece by piece", MEMORY],
  ["objects without end", MEMORY],
  ["buffers without end, behind a catch", MEMORY],
  ["page tables without end", MEMORY],
  ["threads without end", MEMORY],
  ["threads without end, behind a catch", /^plugin\.(timeout|out_of_memory|crashed)$/],
  ["Workers without end", MEMORY],
  ["a fork bomb", TIMEOUT],
  ["descriptors without end", /^ok: EMFILE after [1-6]?\d$/],
];

const AFTERWARDS = ["a loop after its answer", "a thread that never rests"];

const MODULE: readonly Deed[] = [
  ["loop", TIMEOUT],
  ["trap", /^plugin\.failed$/],
  ["recurse", /^plugin\.failed$/],
  ["fill 5000", /^ok: \{"pages":1024\}$/],
  ["leak 200", /^plugin\.failed$/],
  ["alloc 1000000000000", /^plugin\.failed$/],
  ["output 1000000000", /^plugin\.failed$/],
];

describe.skipIf(!needs("compiled") || !needs("confinement"))("in a process room", () => {
  const machine = makeMachine();
  let client: Client;
  let daemonThreads = 0;

  beforeAll(async () => {
    await machine.start();
    client = makeClient(machine.socket);
    const rogue = machine.write("rogue", {
      "plugin.toml": manifest("rogue", 2),
      "index.js": await bundleHostile("rogue-plugin"),
    });
    const module = machine.write("module", { "plugin.toml": manifest("module", 1) });
    await Bun.write(join(module, "plugin.wasm"), await ownModule("behaviours"));
    for (const folder of [rogue, module])
      expect((await machine.cli("plugin", "install", folder, "--yes")).stderr).not.toContain("error");
    await call("rogue", "nothing");
    daemonThreads = threadsOf(machine.pid());
  });

  afterAll(() => machine[Symbol.asyncDispose]());

  async function call(name: string, message: string): Promise<string> {
    const event = alertEvent(message);
    try {
      const { result } = await client.call("plugin.call", { name, hook: "on_alert", event });
      return `ok: ${typeof result === "string" ? result : JSON.stringify(result)}`;
    } catch (error) {
      if (isVoxError(error)) return error.code;
      throw error;
    }
  }

  /** Does the deed in a process that is there already; gives how it ended, the longest wait and the most memory that it had. */
  async function misbehave(name: string, deed: string) {
    const pid = processOf(machine.pid(), name) ?? 0;
    let most = 0;
    const ending = call(name, deed);
    const wait = await longestWait(client, ending, () => (most = Math.max(most, memoryOf(pid))));
    return { pid, ending: await ending, wait, most };
  }

  async function endsWell(name: string, deed: string, expected: RegExp): Promise<void> {
    const waits: number[] = [];
    do {
      await works(name);
      const { pid, ending, wait, most } = await misbehave(name, deed);
      waits.push(wait);
      expect(ending).toMatch(expected);
      expect(most).toBeLessThan(LIMITS.processMemoryBytes + OVERSHOOT);
      if (!/^(ok|plugin\.failed)/.test(ending))
        await until(() => !isThere(pid), { what: "the end of its process" });
    } while (Math.min(...waits) >= ANSWER_MS && waits.length < ATTEMPTS);
    expect(Math.min(...waits)).toBeLessThan(ANSWER_MS);
    await works(name);
  }

  /** A deed that was answered may have left its process with too much: then the watch ends that a moment later, and a call in it. */
  async function works(name: string): Promise<void> {
    await until(async () => (await call(name, "echo well")) === "ok: well", { what: "a room that works" });
  }

  test.each(NATIVE)("%s gets its named error, and nobody else waits", async (deed, code) => {
    await endsWell("rogue", deed, code);
  });

  test.each(MODULE)("a module with %s gets its named error, and nobody else waits", async (deed, code) => {
    await endsWell("module", deed, code);
  });

  test.each(AFTERWARDS)("%s is ended, and nobody else waits", async (deed) => {
    expect(await call("rogue", "echo well")).toBe("ok: well");
    const pid = processOf(machine.pid(), "rogue") ?? 0;
    expect(await call("rogue", deed)).toBe("ok: well");
    const gone = until(() => !isThere(pid), { timeoutMs: 20_000, what: "the end of its process" });
    expect(await longestWait(client, gone)).toBeLessThan(ANSWER_MS);
    expect(await call("rogue", "echo well")).toBe("ok: well");
  });

  test("after all of that the daemon is the same process, with its memory and its threads as they were", async () => {
    expect((await client.call("daemon.info", {})).pid).toBe(machine.pid());
    expect(memoryOf(machine.pid())).toBeLessThan(400 * MIB);
    expect(threadsOf(machine.pid())).toBeLessThanOrEqual(daemonThreads + 4);
    expect(machine.log()).not.toContain("a bug");
  });
});

// --- internal ---

/** Tier 1 has no other room than a process. */
function manifest(name: string, tier: 1 | 2): string {
  return `[plugin]
name = "${name}"
version = "1.0.0"
tier = ${tier}
[hooks]
on_alert = true
${tier === 1 ? "on_backup_complete = true" : ""}
[runtime]
timeout = "1500ms"
${tier === 2 ? 'isolation = "process"' : ""}
`;
}
