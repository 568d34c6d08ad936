/**
 * A Worker's guest that does not return has to be stopped, again and again: no thread is left, none spins, and memory stays where it
 * was. The work is the engine's own loops, which no check of the language's ends. `bun run soak` does 200 stops.
 */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { isVoxError } from "../../../src/base/errors.ts";
import { needs, until } from "../../harness.ts";
import { hookCode, openRoom } from "../../js-room.ts";
import { residentMegabytes } from "../../resident.ts";

const STOPS = Number(process.env["VOXELTRON_STOPS"] ?? 16);
const DEADLINE_MS = 60;

/** Each takes seconds to for ever. */
const ENDLESS: readonly string[] = [
  "for (;;);",
  "const a = []; a.length = 4294967295; return a.indexOf(1)",
  "const a = []; a.length = 4294967295; return a.lastIndexOf(1)",
  "return 'a'.repeat(2_000_000).indexOf('a'.repeat(1_000_000) + 'b')",
  "return /(x+x+)+y/.test('x'.repeat(60))",
  "return /^(a+)+$/.test('a'.repeat(40) + 'b')",
  "return Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
  "return Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1)",
  "let n = 3n; for (;;) n = n * n % (2n ** 4000n)",
  "const f = (n) => (n < 2 ? n : f(n - 1) + f(n - 2)); return f(90)",
  "for (;;) await null",
  "const a = Array.from({ length: 300_000 }, (_, i) => -i); for (;;) a.sort(() => Math.random() - 0.5)",
];

test.skipIf(!needs("linux"))(
  `${STOPS} guests that had to be stopped leave no thread, no work and no memory behind`,
  async () => {
    await stopAll(ENDLESS.length);
    await until(() => threads() <= calm.threads + 1, { timeoutMs: 20_000, what: "the first threads to end" });
    const before = { threads: threads(), megabytes: residentMegabytes(process.pid) };
    await stopAll(STOPS);
    await until(() => threads() <= before.threads + 1, {
      timeoutMs: 20_000,
      what: "the last threads to end",
    });
    Bun.gc(true);
    expect(residentMegabytes(process.pid) - before.megabytes).toBeLessThan(48);
    const [cpu, start] = [process.cpuUsage(), performance.now()];
    await until(() => performance.now() - start > 300);
    const used = process.cpuUsage(cpu);
    // A thread that spins would use all of the time.
    expect((used.user + used.system) / 1000).toBeLessThan(150);
  },
  { timeout: 30_000 + STOPS * 1500 },
);

// --- internal ---

const calm = { threads: threads() };

async function stopAll(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const body = ENDLESS[i % ENDLESS.length] ?? "";
    await using opened = await openRoom(hookCode(body));
    const call = opened.room.call("on_deploy_success", {}, { deadlineMs: DEADLINE_MS });
    const code = await call.then(
      () => "ok",
      (error: unknown) => (isVoxError(error) ? error.code : String(error)),
    );
    expect([body, code]).toEqual([body, expect.stringMatching(/^plugin\.(timeout|out_of_memory)$/)]);
    expect(opened.room.alive).toBe(false);
  }
}

function threads(): number {
  return readdirSync("/proc/self/task").length;
}
