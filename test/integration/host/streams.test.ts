/** What comes in pieces, as plugins meet it: an async iterator in JavaScript, a handle in WASM; each in the room that it runs in. */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { systemClock } from "../../../src/base/clock.ts";
import { fail } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { makeBroker } from "../../../src/host/capabilities/broker.ts";
import { streamMethod } from "../../../src/host/capabilities/method.ts";
import { DEFAULT_QUOTA } from "../../../src/host/capabilities/quota.ts";
import { streamMethods } from "../../../src/host/capabilities/stream.ts";
import type { PluginDoor, Room } from "../../../src/host/runtimes/runtime.ts";
import type { Capability } from "../../../src/sdk/index.ts";
import { until } from "../../harness.ts";
import { hookCode, openRoom } from "../../js-room.ts";
import { canConfine, processRooms } from "../../process-room.ts";
import { forwarder } from "../../wasm/forwarder.ts";

const DEADLINE = { deadlineMs: 10_000 };

/** A door with one stream: so many numbers, then its end, a failure, or silence. */
function setUp() {
  const grants = new Map<Capability, readonly string[] | null>([["logs_read", null]]);
  const seen = { opened: 0, taken: 0, ended: 0 };
  const follow = streamMethod({
    name: "logs.follow",
    args: "object",
    anyOf: ["logs_read"],
    params: v.strictObject({ most: v.number(), ending: v.optional(v.string(), "end") }),
    async *open(_caller, { most, ending }, signal) {
      seen.opened++;
      try {
        for (let i = 0; i < most && !signal.aborted; i++) yield { n: i, taken: ++seen.taken };
        if (ending === "fail") throw fail("provider.unavailable", "the engine is gone");
        if (ending === "silence")
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      } finally {
        seen.ended++;
      }
    },
  });
  const broker = makeBroker({
    methods: [follow, ...streamMethods()],
    callerOf: (plugin) => ({
      plugin,
      grants,
      requested: new Set(["logs_read"]),
      optional: new Set(),
      withheld: new Set(),
    }),
    audit: { append() {} },
    pluginLogs: { append: () => 0 },
    quota: () => DEFAULT_QUOTA,
    clock: systemClock,
    log: silentLog,
  });
  return { seen, grants, broker, door: broker.doorFor("sample") };
}

type Opened = { readonly room: Room } & AsyncDisposable;

const ROOMS: Readonly<Record<string, (code: string, door: PluginDoor) => Promise<Opened>>> = {
  "js-worker": openRoom,
  async "js-process"(code, door) {
    const rooms = processRooms();
    return { room: await rooms.open(code, door), [Symbol.asyncDispose]: () => rooms[Symbol.asyncDispose]() };
  },
};

describe.each(Object.entries(ROOMS))("a stream in a %s", (kind, open) => {
  if (kind === "js-process" && !canConfine) return;

  const run = async (body: string, world = setUp()) => {
    await using opened = await open(hookCode(body), world.door);
    return { answer: await opened.room.call("on_deploy_success", {}, DEADLINE), seen: world.seen };
  };

  test("is read to its end in order, item by item", async () => {
    const { answer, seen } = await run(`
      const items = [];
      for await (const { n } of ctx.logs.follow({ most: 2000 })) items.push(n);
      return [items.length, items.every((n, i) => n === i)];
    `);
    expect(answer).toEqual([2000, true]);
    expect(seen).toMatchObject({ opened: 1, taken: 2000, ended: 1 });
  });

  test("is opened at once, not at the first look", async () => {
    const world = setUp();
    await using opened = await open(
      hookCode("ctx.logs.follow({ most: 0, ending: 'silence' }); await new Promise(() => {})"),
      world.door,
    );
    void opened.room.call("on_deploy_success", {}, DEADLINE).catch(() => {});
    await until(() => world.seen.opened === 1);
  });

  test("ends at its source where the loop is left", async () => {
    const world = setUp();
    await using opened = await open(
      hookCode(
        "for await (const { n } of ctx.logs.follow({ most: 5, ending: 'silence' })) if (n === 2) break; return 'left';",
      ),
      world.door,
    );
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toBe("left");
    await until(() => world.seen.ended === 1);
  });

  test("throws in the loop what the source failed with, after what came before", async () => {
    const { answer } = await run(`
      const items = [];
      try {
        for await (const { n } of ctx.logs.follow({ most: 3, ending: "fail" })) items.push(n);
      } catch (error) {
        return [items, error.code, error.message];
      }
    `);
    expect(answer).toEqual([[0, 1, 2], "provider.unavailable", "the engine is gone"]);
  });

  test("throws in the loop what opening it was refused with", async () => {
    const world = setUp();
    world.grants.clear();
    const { answer } = await run(
      `try { for await (const _ of ctx.logs.follow({ most: 3 })); } catch (error) { return error.code; }`,
      world,
    );
    expect(answer).toBe("capability.denied");
    expect(world.seen.opened).toBe(0);
  });

  test("that nobody reads makes no noise where it is refused", async () => {
    const world = setUp();
    world.grants.clear();
    const { answer } = await run("ctx.logs.follow({ most: 3 }); return 'quiet'", world);
    expect(answer).toBe("quiet");
  });

  test("answers those who ask at the same time in order", async () => {
    const { answer } = await run(`
      const stream = ctx.logs.follow({ most: 4 });
      const results = await Promise.all([1, 2, 3, 4, 5].map(() => stream.next()));
      return results.map(({ done, value }) => done ? "done" : value.n);
    `);
    expect(answer).toEqual([0, 1, 2, 3, "done"]);
  });

  test("is one of several that do not mix", async () => {
    const { answer } = await run(`
      const sum = async (most) => { let all = 0; for await (const { n } of ctx.logs.follow({ most })) all += n; return all; };
      return Promise.all([sum(10), sum(100), sum(1000)]);
    `);
    expect(answer).toEqual([45, 4950, 499500]);
  });

  test("ends when its grant is revoked, with the words of a denial", async () => {
    const world = setUp();
    await using opened = await open(
      hookCode(`
        ctx.log.info("waits");
        try { for await (const _ of ctx.logs.follow({ most: 1, ending: "silence" })); return "an end" } catch (error) { return error.code }
      `),
      world.door,
    );
    const answer = opened.room.call("on_deploy_success", {}, DEADLINE);
    await until(() => world.seen.taken === 1);
    world.grants.clear();
    world.broker.rightsChanged("sample");
    expect(await answer).toBe("capability.denied");
    await until(() => world.seen.ended === 1);
  });

  test("ends with its room", async () => {
    const world = setUp();
    const opened = await open(
      hookCode(
        "globalThis.kept = ctx.logs.follow({ most: 1, ending: 'silence' }); await globalThis.kept.next(); return 'ok'",
      ),
      world.door,
    );
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toBe("ok");
    expect(world.seen.ended).toBe(0);
    await opened[Symbol.asyncDispose]();
    await until(() => world.seen.ended === 1);
  });
});

describe.skipIf(!canConfine)("a stream in a wasm-process", () => {
  test("is a handle: read to its end, closed in the middle, ended with its room", async () => {
    const world = setUp();
    await using rooms = processRooms();
    const bytes = await forwarder({
      on_alert: "logs_follow",
      on_cert_renew: "stream_next",
      on_backup_complete: "stream_close",
    });
    const room = await rooms.open({ kind: "wasm", bytes }, world.door);
    const follow = async (params: object): Promise<unknown> =>
      ((await room.call("on_alert", params, DEADLINE)) as { result: unknown }).result;

    const whole = await follow({ most: 3 });
    expect(await room.call("on_cert_renew", whole, DEADLINE)).toMatchObject({
      result: { items: [{ n: 0 }, { n: 1 }, { n: 2 }] },
    });
    expect(await room.call("on_cert_renew", whole, DEADLINE)).toEqual({ result: { items: [], done: true } });
    expect(await room.call("on_cert_renew", whole, DEADLINE)).toMatchObject({
      error: { code: "stream.not_found" },
    });

    const closed = await follow({ most: 1, ending: "silence" });
    expect(await room.call("on_backup_complete", closed, DEADLINE)).toEqual({ result: null });
    await until(() => world.seen.ended === 2);

    await follow({ most: 1, ending: "silence" });
    await room.stop();
    await until(() => world.seen.ended === 3);
  });
});
