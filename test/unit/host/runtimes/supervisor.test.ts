/** One room at a time, one call at a time, and no room that breaks its word stops the line. */
import { describe, expect, test } from "bun:test";
import { timestamp } from "../../../../src/base/clock.ts";
import { fail, type ErrorCode } from "../../../../src/base/errors.ts";
import type { Suspension } from "../../../../src/host/runtimes/breaker.ts";
import type { OpenedRoom } from "../../../../src/host/runtimes/room-keeper.ts";
import type { CallOptions } from "../../../../src/host/runtimes/runtime.ts";
import { makeSupervisor } from "../../../../src/host/runtimes/supervisor.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { fakeClock, until } from "../../../harness.ts";

const DEADLINE_MS = 20_000;

interface FakeRoom {
  stopped: boolean;
  alive: boolean;
}

function setUp(call: (event: unknown, options: CallOptions) => Promise<unknown> = async (event) => event) {
  const clock = fakeClock();
  const rooms: FakeRoom[] = [];
  const strikes: unknown[] = [];
  const suspensions: Suspension[] = [];
  /** `wallMs`: how far the wall clock was moved. */
  const world = { call, wallMs: 0, open: async (): Promise<void> => {}, struck: (): unknown => undefined };

  /** A room that is open; `name` is what its calls are answered with, where it has one. */
  function openRoom(name?: string, recheck?: OpenedRoom["recheck"]): OpenedRoom {
    const room: FakeRoom = { stopped: false, alive: true };
    rooms.push(room);
    return {
      deadlineMs: DEADLINE_MS,
      kind: "js-worker",
      config: {},
      ...(recheck === undefined ? {} : { recheck }),
      room: {
        handlers: [],
        get alive() {
          return room.alive;
        },
        call: (_hook, event, options) =>
          name === undefined ? world.call(event, options) : Promise.resolve(name),
        async stop() {
          room.stopped = true;
        },
      },
    };
  }

  const supervisor = makeSupervisor({
    plugin: "sample",
    clock: { ...clock, now: () => clock.now() + world.wallMs },
    idleMs: () => 60_000,
    async open() {
      await world.open();
      return openRoom();
    },
    struck(kind, recent) {
      strikes.push([kind, recent]);
      world.struck();
    },
    suspended: (suspension) => suspensions.push(suspension),
  });
  const run = (event: unknown, signal?: AbortSignal) => supervisor.call("on_alert", event, { signal });
  /** From now on each call ends its guest. */
  const die = (code: ErrorCode): void => {
    world.call = async () => {
      rooms.at(-1)!.alive = false;
      throw fail(code, "it was stopped");
    };
  };
  return { clock, rooms, world, strikes, suspensions, supervisor, openRoom, run, die };
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
    const { clock, rooms, run, die, supervisor, world, strikes } = setUp();
    const good = world.call;
    for (const code of ["plugin.timeout", "plugin.out_of_memory"] as const) {
      die(code);
      expect(await codeOf(run(1))).toBe(code);
    }
    die("plugin.crashed");
    const third = codeOf(run(1));
    await clock.advance(100);
    expect(await third).toBe("plugin.crashed");
    expect(supervisor.status()).toMatchObject({ strikes: 3, running: false });
    expect(strikes).toEqual([
      ["js-worker", 1],
      ["js-worker", 2],
      ["js-worker", 3],
    ]);
    world.call = () => Promise.reject(fail("plugin.failed", "its own fault"));
    const fourth = codeOf(run(1));
    await clock.advance(500);
    expect(await fourth).toBe("plugin.failed");
    world.call = good;
    expect(await run(2)).toBe(2);
    expect(rooms).toHaveLength(4);
    expect(supervisor.status().strikes).toBe(3);
    await clock.advance(10 * 60_000);
    expect(supervisor.status().strikes).toBe(0);
  });

  test("opens another room where one died between two calls, and counts that", async () => {
    const { rooms, run, supervisor, strikes } = setUp();
    await run(1);
    expect(supervisor.status().running).toBe(true);
    rooms[0]!.alive = false;
    expect(supervisor.status().running).toBe(false);
    expect(await run(2)).toBe(2);
    expect(rooms).toHaveLength(2);
    expect(rooms[0]?.stopped).toBe(true);
    expect(strikes).toEqual([["js-worker", 1]]);
    expect(supervisor.status().strikes).toBe(1);
  });

  test("forgets what happened in a room of another kind", async () => {
    const { run, die, supervisor, rooms } = setUp();
    die("plugin.timeout");
    await codeOf(run(1));
    supervisor.move();
    expect(supervisor.status().strikes).toBe(0);
    await codeOf(run(1));
    expect(rooms).toHaveLength(2);
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

describe("a plugin whose rooms die", () => {
  /** Fails as often as it takes, with the pauses that lie between. */
  async function fallFiveTimes({ clock, run }: ReturnType<typeof setUp>): Promise<void> {
    for (const pauseMs of [0, 0, 100, 500, 1000]) {
      const call = codeOf(run(1));
      await clock.advance(pauseMs);
      expect(await call).not.toBe("plugin.suspended");
    }
  }

  test("is started again after pauses, then suspended, and tries once when the time has come", async () => {
    const rig = setUp();
    const { clock, rooms, run, die, supervisor, suspensions, world } = rig;
    const good = world.call;
    die("plugin.crashed");
    await fallFiveTimes(rig);
    expect(rooms).toHaveLength(5);
    for (const [waitMs, count] of [
      [30_000, 5],
      [60_000, 6],
      [120_000, 7],
      [300_000, 8],
      [600_000, 9],
      [600_000, 10],
    ] as const) {
      expect(await rejection(run(1))).toMatchObject({
        code: "plugin.suspended",
        message: expect.stringContaining(`${count} times in a row`),
        details: { retryMs: waitMs, failures: count },
        hint: "to try at once: voxeltron plugin enable sample",
      });
      expect(supervisor.status().suspension).toEqual(suspensions.at(-1));
      expect(suspensions).toHaveLength(count - 4);
      expect(suspensions.at(-1)).toEqual({
        until: timestamp(clock.now() + world.wallMs + waitMs),
        reason: expect.stringMatching(/^\d+ times in a row .* it was stopped$/),
      });
      world.wallMs += 1;
      expect(supervisor.status().suspension).toEqual(suspensions.at(-1));
      await clock.advance(waitMs - 1);
      expect(await codeOf(run(1))).toBe("plugin.suspended");
      expect(rooms).toHaveLength(count);
      await clock.advance(1);
      expect(supervisor.status().suspension).toBeUndefined();
      expect(await codeOf(run(1))).toBe("plugin.crashed");
    }
    await clock.advance(600_000);
    world.call = good;
    expect(await run(1)).toBe(1);
    die("plugin.crashed");
    expect(await codeOf(run(1))).toBe("plugin.crashed");
    expect(await codeOf(run(1))).toBe("plugin.crashed");
    expect(supervisor.status().suspension).toBeUndefined();
  });

  test("or do not open, is suspended too", async () => {
    const rig = setUp();
    rig.world.open = () => Promise.reject(fail("plugin.load_failed", "syntax"));
    await fallFiveTimes(rig);
    expect(await codeOf(rig.run(1))).toBe("plugin.suspended");
    expect(rig.supervisor.status().problem?.code).toBe("plugin.load_failed");
  });

  test("has no problem any more once something has changed that may have cured it", async () => {
    const { run, world, supervisor } = setUp();
    world.open = () => Promise.reject(fail("plugin.load_failed", "it needs a grant"));
    expect(await codeOf(run(1))).toBe("plugin.load_failed");
    expect(supervisor.status().problem?.message).toBe("it needs a grant");
    supervisor.restart();
    expect(supervisor.status().problem).toBeUndefined();
    expect(await codeOf(run(1))).toBe("plugin.load_failed");
    expect(supervisor.status().problem?.message).toBe("it needs a grant");
  });

  test("is not suspended by the stop that moves it to another room", async () => {
    const rig = setUp();
    rig.world.struck = () => rig.strikes.length === 5 && rig.supervisor.move();
    rig.die("plugin.crashed");
    await fallFiveTimes(rig);
    expect(rig.strikes).toHaveLength(5);
    expect(rig.suspensions).toEqual([]);
  });

  test("tries at once when it is told to", async () => {
    const rig = setUp();
    const { run, die, supervisor } = rig;
    for (const act of [
      () => supervisor.exclusive(async () => {}),
      async () => supervisor.restart(),
      async () => supervisor.move(),
      () => supervisor.swap(async () => undefined),
    ]) {
      die("plugin.timeout");
      await fallFiveTimes(rig);
      expect(await codeOf(run(1))).toBe("plugin.suspended");
      await act();
      expect(await codeOf(run(1))).toBe("plugin.timeout");
      await supervisor.exclusive(async () => {});
    }
  });

  test("is not one that throws, nor one that is told to wait", async () => {
    const { run, world, supervisor, rooms } = setUp();
    world.call = () => Promise.reject(fail("plugin.failed", "its own fault"));
    for (let count = 0; count < 20; count++) expect(await codeOf(run(1))).toBe("plugin.failed");
    expect(rooms).toHaveLength(1);
    await supervisor.exclusive(async () => {});
    world.open = () => Promise.reject(fail("plugin.tampered", "changed"));
    for (let count = 0; count < 20; count++) expect(await codeOf(run(1))).toBe("plugin.tampered");
  });

  test("waits for its pause no longer than whoever called", async () => {
    const { run, die, rooms } = setUp();
    die("plugin.crashed");
    await codeOf(run(1));
    await codeOf(run(1));
    const control = new AbortController();
    const third = codeOf(run(1, control.signal));
    control.abort(new Error("enough"));
    expect(await third).toBe("enough");
    expect(rooms).toHaveLength(2);
  });
});

describe("a swap", () => {
  test("takes the new room between two calls; what waited runs in it, and nothing runs twice", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ran: unknown[] = [];
    const { rooms, run, supervisor, openRoom } = setUp(async (event) => {
      ran.push(event);
      await gates[0]?.promise;
      return "old";
    });
    const first = run(1);
    await until(() => ran.length === 1);
    const second = run(2);
    const next = openRoom("new");
    const swap = supervisor.swap(async () => {
      expect(rooms[0]?.stopped).toBe(false);
      return next;
    });
    const third = run(3);
    gates[0]?.resolve();
    await swap;
    expect(await Promise.all([first, second, third])).toEqual(["old", "new", "new"]);
    expect(ran).toEqual([1]);
    expect(rooms.map((room) => room.stopped)).toEqual([true, false]);
  });

  test("that fails leaves the old room as it was, also to stand idle", async () => {
    const { clock, rooms, run, supervisor } = setUp();
    await run(1);
    expect(await codeOf(supervisor.swap(() => Promise.reject(fail("disk.full", "no room"))))).toBe(
      "disk.full",
    );
    expect(await run(2)).toBe(2);
    expect(rooms).toHaveLength(1);
    expect(await codeOf(supervisor.swap(() => Promise.reject(fail("disk.full", "no room"))))).toBe(
      "disk.full",
    );
    await clock.advance(60_000);
    await until(() => rooms[0]?.stopped);
  });

  test("gives the running call ten seconds, then stops it", async () => {
    const { clock, rooms, run, supervisor, openRoom } = setUp(() => new Promise(() => {}));
    const running = codeOf(run(1));
    await until(() => rooms.length === 1);
    const swap = supervisor.swap(async () => openRoom("new"));
    await clock.advance(9999);
    expect(rooms).toHaveLength(1);
    await clock.advance(1);
    expect(await running).toBe("plugin.stopped");
    await swap;
    expect(await run(2)).toBe("new");
    expect(supervisor.status()).toMatchObject({ strikes: 0, suspension: undefined });
  });

  test("closes the new room too when nothing happens for a while", async () => {
    const { clock, rooms, supervisor, openRoom } = setUp();
    await supervisor.swap(async () => openRoom("new"));
    await clock.advance(59_999);
    expect(rooms[0]?.stopped).toBe(false);
    await clock.advance(1);
    await until(() => rooms[0]?.stopped);
  });

  test("looks again at what is on disk before the first call, and only then", async () => {
    const { rooms, run, supervisor, openRoom } = setUp();
    let looks = 0;
    await supervisor.swap(async () => openRoom("new", async () => looks++));
    expect(looks).toBe(0);
    expect(await Promise.all([run(1), run(2)])).toEqual(["new", "new"]);
    expect(looks).toBe(1);
    const changed = () => Promise.reject(fail("plugin.tampered", "changed"));
    await supervisor.swap(async () => openRoom("newer", changed));
    expect(await codeOf(run(3))).toBe("plugin.tampered");
    expect(rooms.every((room) => room.stopped)).toBe(true);
  });

  test("is refused after the end", async () => {
    const { rooms, supervisor, openRoom } = setUp();
    await supervisor.close();
    expect(await codeOf(supervisor.swap(async () => openRoom("new")))).toBe("plugin.stopped");
    expect(rooms).toHaveLength(0);
  });
});
