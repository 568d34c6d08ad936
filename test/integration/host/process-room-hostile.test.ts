/**
 * A plugin that has taken over its process, engine and all, and does its worst on the socket: the daemon names what happened, stays
 * quick, keeps no process, and the next call works in a new room. The code under attack is the room; the process is confined.
 */
import { describe, expect, test } from "bun:test";
import { isVoxError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { until } from "../../harness.ts";
import { hookCode, recordedDoor } from "../../js-room.ts";
import { longestGap } from "../../outcome.ts";
import { canConfine, isRunning, processRooms } from "../../process-room.ts";

const DEADLINE = { deadlineMs: 10_000 };

/** In a plugin: `send` writes frames as they are, whatever the plugin may import. */
const RAW = `
  const fs = await import("node:" + "fs");
  const { Buffer } = globalThis;
  const write = (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      try { at += fs.writeSync(3, bytes, at) } catch (error) { if (error.code !== "EAGAIN") throw error }
    }
  };
  const head = (length) => { const bytes = Buffer.alloc(4); bytes.writeUInt32LE(length >>> 0); return bytes };
  const frame = (bytes) => Buffer.concat([head(bytes.length), bytes]);
  const send = (message) => write(frame(Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }))));
  const forEver = () => new Promise(() => {});
`;

const raw = (body: string): string =>
  `${RAW} export default { async on_deploy_success() { ${body} }, on_alert() { return "fine" } };`;

async function outcome(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    return { code: "ok", message: JSON.stringify(await work) };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { code: error.code, message: error.message };
  }
}

interface Attack {
  readonly what: string;
  readonly body: string;
  readonly code: string;
  readonly words: string;
  readonly deadlineMs?: number;
}

const ATTACKS: readonly Attack[] = [
  { what: "a loop", body: "for (;;);", code: "plugin.timeout", words: "did not finish", deadlineMs: 300 },
  {
    what: "objects without end",
    body: "const a = []; for (;;) a.push({ a: [1] })",
    code: "plugin.out_of_memory",
    words: "more than 384 MiB",
  },
  {
    what: "buffers without end, behind a catch",
    body: "const a = []; for (;;) try { a.push(new Uint8Array(1e6).fill(1)) } catch {}",
    code: "plugin.out_of_memory",
    words: "more than 384 MiB",
  },
  {
    what: "exit",
    body: `(await import("node:" + "process")).exit(7)`,
    code: "plugin.crashed",
    words: "exit status 7",
  },
  {
    what: "abort",
    body: `(await import("node:" + "process")).abort()`,
    code: "plugin.crashed",
    words: "ended by SIG",
  },
  {
    what: "a wild pointer",
    body: `(await import("bun:" + "ffi")).read.u8(8)`,
    code: "plugin.crashed",
    words: "ended by SIG",
  },
  {
    what: "a frame of 1 GB",
    body: "write(head(2 ** 30)); await forEver()",
    code: "plugin.protocol",
    words: "announced a frame of more than 8 MiB",
  },
  {
    what: "the longest length that there is",
    body: "write(head(0xffffffff)); await forEver()",
    code: "plugin.protocol",
    words: "announced a frame of more than 8 MiB",
  },
  {
    what: "half a frame for ever",
    body: "write(head(100)); write(Buffer.alloc(50)); await forEver()",
    code: "plugin.timeout",
    words: "did not finish",
    deadlineMs: 300,
  },
  {
    what: "an answer in the middle of half a frame",
    body: "write(head(8 * 1024 * 1024)); return 1",
    code: "plugin.timeout",
    words: "did not finish",
    deadlineMs: 300,
  },
  {
    what: "random bytes",
    body: "const a = Buffer.alloc(65536); for (let i = 0; i < a.length; i++) a[i] = 128 | (i * 77); write(a); await forEver()",
    code: "plugin.protocol",
    words: "announced a frame",
  },
  {
    what: "a frame that is not UTF-8",
    body: "write(frame(Buffer.from([0x22, 0xff, 0x22]))); await forEver()",
    code: "plugin.protocol",
    words: "not UTF-8",
  },
  {
    what: "a frame of no bytes",
    body: "write(head(0)); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "a frame that is no JSON",
    body: "write(frame(Buffer.from('{]'))); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "eight megabytes of brackets",
    body: "write(frame(Buffer.alloc(8e6, '['))); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "a million values",
    body: 'write(frame(Buffer.from(\'{"jsonrpc":"2.0","id":2,"result":[\' + \'1,\'.repeat(1e6) + \'1]}\'))); await forEver()',
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "an answer that nobody asked for",
    body: "send({ id: 77, result: 1 }); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "an answer to its load, a second time",
    body: "send({ id: 1, result: [] }); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "ready, again",
    body: "send({ method: 'ready', params: {} }); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "ten thousand lines that nobody asked for",
    body: "for (let i = 0; i < 10_000; i++) send({ method: 'log', params: { level: 'info', text: 'x' } }); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "a log line of megabytes, which a guest of ours leaves out",
    body: "send({ method: 'log', params: { level: 'info', text: '', fields: { a: 'x'.repeat(2e6) } } }); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "ten thousand cancels",
    body: "for (let i = 0; i < 10_000; i++) send({ method: 'cancel', params: { id: i } }); await forEver()",
    code: "plugin.protocol",
    words: "no message",
  },
  {
    what: "a stop of its own making",
    body: "send({ method: 'stopped', params: { reason: 'crash', detail: 'a\\u001b[2Jb' } }); await forEver()",
    code: "plugin.crashed",
    words: "crashed in on_deploy_success: a[2Jb",
  },
  {
    what: "closing the socket",
    body: "fs.closeSync(3); await forEver()",
    code: "plugin.crashed",
    words: "closed its connection",
  },
];

describe.skipIf(!canConfine)("a plugin that has its process for itself", () => {
  test.each(ATTACKS.map((attack) => [attack.what, attack] as const))("%s", async (_what, attack) => {
    await using rooms = processRooms();
    const room = await rooms.open(raw(attack.body));
    let found = { code: "", message: "" };
    const gap = await longestGap(async () => {
      const deadlineMs = attack.deadlineMs ?? DEADLINE.deadlineMs;
      found = await outcome(room.call("on_deploy_success", {}, { deadlineMs }));
    });
    expect(found).toEqual({ code: attack.code, message: expect.stringContaining(attack.words) });
    expect(gap).toBeLessThan(50);
    expect(room.alive).toBe(false);
    await room.stop();
    expect(rooms.children.map(isRunning)).toEqual([false]);
    const next = await rooms.open(raw(attack.body));
    expect(await next.call("on_alert", {}, DEADLINE)).toBe("fine");
  });

  test("that is killed from outside is plugin.crashed, and the words say how", async () => {
    await using rooms = processRooms();
    const room = await rooms.open(hookCode("await new Promise(() => {})"));
    const call = outcome(room.call("on_deploy_success", {}, DEADLINE));
    process.kill(rooms.children[0]?.pid ?? 0, "SIGKILL");
    expect(await call).toEqual({
      code: "plugin.crashed",
      message: "sample crashed in on_deploy_success: its process was ended by SIGKILL (from outside)",
    });
  });

  test("that is killed from outside while nothing runs is over, and the next call says why", async () => {
    await using rooms = processRooms();
    const room = await rooms.open(hookCode("return 1"));
    process.kill(rooms.children[0]?.pid ?? 0, "SIGSEGV");
    await until(() => !room.alive, { what: "the end of the room" });
    const { code, message } = await outcome(room.call("on_deploy_success", {}, DEADLINE));
    expect(code).toBe("plugin.crashed");
    expect(message).toContain("SIGSEGV (a memory access that is not allowed)");
  });
});

describe.skipIf(!canConfine)("a plugin that asks and does not listen", () => {
  const asking = `for (let i = 1000; ; i++) send({ id: i, method: "host", params: { method: "kv.get", params: {} } })`;

  test("gets no more than the daemon may hold for it, and is then ended", async () => {
    const door = recordedDoor(() => "x".repeat(LIMITS.kvValueBytes / 4));
    await using rooms = processRooms();
    const room = await rooms.open(raw(asking), door);
    const before = process.memoryUsage.rss();
    let most = before;
    const look = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
    const gap = await longestGap(async () => {
      const found = await outcome(room.call("on_deploy_success", {}, { deadlineMs: 30_000 }));
      expect(found).toMatchObject({
        code: "plugin.protocol",
        message: "sample does not read what is sent to it",
      });
    });
    clearInterval(look);
    expect(gap).toBeLessThan(50);
    // What waits is counted as text and as bytes for a moment; without the bound it would be gigabytes.
    expect(most - before).toBeLessThan(4 * LIMITS.guestUnreadChars);
  }, 60_000);

  test("may have only so many bytes in calls that wait", async () => {
    const door = recordedDoor(() => new Promise(() => {}));
    await using rooms = processRooms();
    const big = `send({ id: i, method: "host", params: { method: "kv.set", params: { key: "k", value: "x".repeat(7e6) } } })`;
    const room = await rooms.open(
      raw(
        `for (let i = 1000; i < 1020; i++) ${big}; send({ method: "log", params: { level: "info", text: "sent" } }); await forEver()`,
      ),
      door,
    );
    void outcome(room.call("on_deploy_success", {}, DEADLINE));
    await until(() => door.lines.length > 0, { what: "the line after the calls", timeoutMs: 10_000 });
    expect(door.calls.length).toBe(3);
    expect(room.alive).toBe(true);
  }, 30_000);
});

describe.skipIf(!canConfine)("two plugins", () => {
  test("answer only what they were asked themselves, whatever numbers they write", async () => {
    const doors = [recordedDoor(), recordedDoor(() => new Promise(() => {}))] as const;
    await using rooms = processRooms();
    const asked = await rooms.open(
      hookCode("return await new Promise((done) => setTimeout(done, 400, 'mine'))"),
      doors[0],
      {
        name: "asked",
      },
    );
    const forger = await rooms.open(
      raw(`for (let i = 3; i < 50; i++) send({ id: i, result: "forged" }); await forEver()`),
      doors[1],
      { name: "forger" },
    );
    const honest = outcome(asked.call("on_deploy_success", {}, DEADLINE));
    const forged = await outcome(forger.call("on_deploy_success", {}, DEADLINE));
    expect(forged.code).toBe("plugin.protocol");
    expect(await honest).toEqual({ code: "ok", message: '"mine"' });
    expect(asked.alive).toBe(true);
  });

  test("hear only the answers to their own calls, though both count from one", async () => {
    await using rooms = processRooms();
    const echo = (who: string) =>
      recordedDoor((_method, params) => ({ who, key: (params as { readonly key: string }).key }));
    const code = hookCode("return await Promise.all([1, 2, 3].map((n) => ctx.kv.get(event.name + n)))");
    const [a, b] = await Promise.all([
      rooms.open(code, echo("a"), { name: "a" }),
      rooms.open(code, echo("b"), { name: "b" }),
    ]);
    const answers: readonly unknown[] = await Promise.all([
      a.call("on_deploy_success", { name: "a" }, DEADLINE),
      b.call("on_deploy_success", { name: "b" }, DEADLINE),
    ]);
    expect(answers).toEqual(["a", "b"].map((who) => [1, 2, 3].map((n) => ({ who, key: `${who}${n}` }))));
  });
});
