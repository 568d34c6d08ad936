import { expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { watchEnd } from "../../../../../src/host/runtimes/process/watch-end.ts";
import type { ProcessEnd } from "../../../../../src/platform/confine/confined-process.ts";
import { fakeClock } from "../../../../harness.ts";

function setUp() {
  const clock = fakeClock();
  const ended = Promise.withResolvers<ProcessEnd>();
  const closed = Promise.withResolvers<void>();
  let kills = 0;
  const child = {
    ended: ended.promise,
    kill() {
      kills++;
      ended.resolve({ kind: "signal", signal: "SIGKILL" });
    },
  };
  let seen: unknown;
  void watchEnd(clock, child, closed.promise).then((end) => (seen = end));
  return { clock, ended, closed, seen: () => seen, kills: () => kills };
}

test("an end is told once the socket was read to its end", async () => {
  const { clock, ended, closed, seen } = setUp();
  ended.resolve({ kind: "status", status: 3 });
  await clock.advance(1);
  expect(seen()).toBeUndefined();
  closed.resolve();
  await clock.advance(0);
  expect(seen()).toEqual({ kind: "status", status: 3 });
});

test("a socket that somebody else holds open delays the end only so long", async () => {
  const { clock, ended, seen } = setUp();
  ended.resolve({ kind: "signal", signal: "SIGSEGV" });
  await clock.advance(0);
  await clock.advance(LIMITS.processCloseMs - 1);
  expect(seen()).toBeUndefined();
  await clock.advance(1);
  expect(seen()).toEqual({ kind: "signal", signal: "SIGSEGV" });
});

test("a process that dies after its socket keeps its own reason", async () => {
  const { clock, ended, closed, seen, kills } = setUp();
  closed.resolve();
  await clock.advance(10);
  ended.resolve({ kind: "memory", bytes: 5 });
  await clock.advance(0);
  expect(seen()).toEqual({ kind: "memory", bytes: 5 });
  expect(kills()).toBe(0);
});

test("a process that closes its socket and lives on is killed, and that is the reason", async () => {
  const { clock, closed, seen, kills } = setUp();
  closed.resolve();
  await clock.advance(0);
  await clock.advance(LIMITS.processCloseMs);
  expect(kills()).toBe(1);
  expect(seen()).toEqual({ kind: "closed" });
});
