/** One room at a time, one call at a time, and no room that breaks its word stops the line. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import type { CallOptions } from "../../../../src/host/runtimes/runtime.ts";
import { makeSupervisor } from "../../../../src/host/runtimes/supervisor.ts";
import { codeOf } from "../../../fixtures/rejection.ts";
import { fakeClock, until } from "../../../harness.ts";

const DEADLINE_MS = 20_000;

interface FakeRoom {
  stopped: boolean;
  alive: boolean;
}

function setUp(call: (event: unknown, options: CallOptions) => Promise<unknown> = async (event) => event) {
  const clock = fakeClock();
  const rooms: FakeRoom[] = [];
  const world = { call, open: async (): Promise<void> => {} };
  const supervisor = makeSupervisor({
    plugin: "sample",
    clock,
    idleMs: () => 60_000,
    async open() {
      await world.open();
      const room: FakeRoom = { stopped: false, alive: true };
      rooms.push(room);
      return {
        deadlineMs: DEADLINE_MS,
        room: {
          handlers: [],
          get alive() {
            return room.alive;
          },
          call: (_hook, event, options) => world.call(event, options),
          async stop() {
            room.stopped = true;
          },
        },
      };
    },
  });
  const run = (event: unknown, signal?: AbortSignal) => supervisor.call("on_alert", event, { signal });
  return { clock, rooms, world, supervisor, run };
}

describe("a supervisor", () => {
  test("opens no room before the first call, and one for all of them", async () => {
    const { rooms, run, supervisor } = setUp();
    expect(supervisor.status()).toMatchObject({ running: false, handlers: undefined });
    expect(await Promise.all([run(1), run(2), run(3)])).toEqual([1, 2, 3]);
    expect(rooms).toHaveLength(1);
    expect(supervisor.status().running).toBe(true);
  });

  test("lets in one at a time, in order", async () => {
    let inside = 0;
    const order: unknown[] = [];
    const { run } = setUp(async (event) => {
      inside += 1;
      expect(inside).toBe(1);
      await Promise.resolve();
      order.push(event);
      inside -= 1;
    });
    await Promise.all([run("a"), run("b"), run("c")]);
    expect(order).toEqual(["a", "b", "c"]);
  });

  test("closes an idle room, and opens another when it is needed", async () => {
    const { clock, rooms, run } = setUp();
    await run(1);
    await clock.advance(59_999);
    expect(rooms[0]?.stopped).toBe(false);
    await run(2);
    await clock.advance(59_999);
    expect(rooms[0]?.stopped).toBe(false);
    await clock.advance(1);
    await until(() => rooms[0]?.stopped);
    await run(3);
    expect(rooms).toHaveLength(2);
  });

  test("throws a dead room away and counts strikes in a window of ten minutes", async () => {
    const { clock, rooms, run, supervisor, world } = setUp();
    const good = world.call;
    for (const code of ["plugin.timeout", "plugin.out_of_memory", "plugin.crashed"] as const) {
      world.call = async () => {
        const last = rooms.at(-1);
        if (last !== undefined) last.alive = false;
        throw fail(code, "stopped");
      };
      expect(await codeOf(run(1))).toBe(code);
    }
    expect(supervisor.status()).toMatchObject({ strikes: 3, running: false });
    world.call = () => Promise.reject(fail("plugin.failed", "its own fault"));
    expect(await codeOf(run(1))).toBe("plugin.failed");
    world.call = good;
    expect(await run(2)).toBe(2);
    expect(rooms).toHaveLength(4);
    expect(supervisor.status().strikes).toBe(3);
    await clock.advance(10 * 60_000);
    expect(supervisor.status().strikes).toBe(0);
  });

  test("remembers why no room could be opened, until one can", async () => {
    const { run, supervisor, world } = setUp();
    world.open = () => Promise.reject(fail("plugin.load_failed", "syntax"));
    expect(await codeOf(run(1))).toBe("plugin.load_failed");
    expect(supervisor.status().problem?.message).toBe("syntax");
    world.open = async () => {};
    await run(1);
    expect(supervisor.status().problem).toBeUndefined();
  });

  test("goes on without a room that does not keep its deadline", async () => {
    const { clock, rooms, run, supervisor, world } = setUp();
    const good = world.call;
    world.call = () => new Promise(() => {});
    const first = codeOf(run(1));
    await until(() => rooms.length === 1);
    const second = run(2);
    await Bun.sleep(0);
    world.call = good;
    await clock.advance(DEADLINE_MS + 5000);
    expect(await first).toBe("plugin.timeout");
    expect(await second).toBe(2);
    expect(rooms[0]?.stopped).toBe(true);
    expect(supervisor.status().strikes).toBe(1);
  });

  test("closes a room that opened too late", async () => {
    const { clock, rooms, run, world } = setUp();
    const opening = Promise.withResolvers<void>();
    world.open = () => opening.promise;
    const first = codeOf(run(1));
    await clock.advance(15_000);
    expect(await first).toBe("plugin.load_failed");
    opening.resolve();
    await until(() => rooms[0]?.stopped);
  });

  test("lets who waits leave at his signal, and gives the signal to who runs", async () => {
    const gate = Promise.withResolvers<void>();
    const signals: (AbortSignal | undefined)[] = [];
    const { run } = setUp(async (_event, { signal }) => {
      signals.push(signal);
      await gate.promise;
    });
    const control = new AbortController();
    const first = run(1, control.signal);
    const second = codeOf(run(2, control.signal));
    const third = run(3);
    await until(() => signals.length === 1);
    control.abort(new Error("enough"));
    expect(await second).toBe("enough");
    expect(await codeOf(run(4, control.signal))).toBe("enough");
    gate.resolve();
    await Promise.all([first, third]);
    expect(signals).toEqual([control.signal, undefined]);
  });

  test("restarts after the running call", async () => {
    const gate = Promise.withResolvers<void>();
    const { rooms, run, supervisor } = setUp(() => gate.promise);
    const first = run(1);
    await until(() => rooms.length === 1);
    supervisor.restart();
    expect(rooms[0]?.stopped).toBe(false);
    gate.resolve();
    await first;
    expect(rooms[0]?.stopped).toBe(true);
    await run(2);
    supervisor.restart();
    await until(() => rooms[1]?.stopped);
  });

  test("lets work in alone, before all that wait, after ten seconds at the latest", async () => {
    const { clock, rooms, run, supervisor } = setUp(() => new Promise(() => {}));
    const running = codeOf(run(1));
    await until(() => rooms.length === 1);
    const order: string[] = [];
    void codeOf(run(2)).then((code) => order.push(code));
    const alone = supervisor.exclusive(async () => {
      expect(rooms[0]?.stopped).toBe(true);
      order.push("alone");
    });
    await clock.advance(9999);
    expect(order).toEqual([]);
    await clock.advance(1);
    expect(await running).toBe("plugin.stopped");
    await alone;
    expect(order).toEqual(["alone"]);
    const closing = supervisor.close();
    await clock.advance(10_000);
    await closing;
    expect(order).toEqual(["alone", "plugin.stopped"]);
  });

  test("is closed for good", async () => {
    const { rooms, run, supervisor } = setUp();
    await run(1);
    await supervisor.close();
    expect(rooms[0]?.stopped).toBe(true);
    expect(await codeOf(run(2))).toBe("plugin.stopped");
    await supervisor.close();
    expect(rooms).toHaveLength(1);
  });
});
