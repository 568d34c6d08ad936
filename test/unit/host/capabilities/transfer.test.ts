import { describe, expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import { makeTransfer } from "../../../../src/host/capabilities/transfer.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { fakeClock } from "../../../harness.ts";

function setUp() {
  const clock = fakeClock();
  let ends = 0;
  const transfer = makeTransfer(clock, {
    idleMs: 100,
    totalMs: 1_000,
    what: "the answer of a.test",
    ended: () => ends++,
  });
  return { clock, transfer, ends: () => ends };
}

const timeout = (words: string) => ({ code: "network.timeout", message: `the answer of a.test ${words}` });

/** Gives a byte whenever it is asked, until its signal says that it is over. */
async function* endless(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  while (!signal.aborted) yield new Uint8Array([1]);
  throw signal.reason;
}

/** Gives nothing. */
async function* silent(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
  );
  yield new Uint8Array();
}

describe("a transfer", () => {
  test("ends where nothing comes", async () => {
    const { clock, transfer, ends } = setUp();
    const items = transfer.items(silent(transfer.signal), () => {});
    const next = rejection(items[Symbol.asyncIterator]().next());
    await clock.advance(100);
    expect(await next).toMatchObject(timeout("did not move for 0.1 s"));
    expect(items.failed.reason).toMatchObject({ code: "network.timeout" });
    expect(ends()).toBe(1);
  });

  test("ends where nothing is taken, and not while something moves", async () => {
    const { clock, transfer, ends } = setUp();
    const reader = transfer.items(endless(transfer.signal), () => {})[Symbol.asyncIterator]();
    for (let i = 0; i < 5; i++) {
      expect(await reader.next()).toEqual({ done: false, value: { $b64: "AQ==" } });
      await clock.advance(90);
    }
    transfer.moved();
    await clock.advance(90);
    expect(ends()).toBe(0);
    await clock.advance(10);
    expect(ends()).toBe(1);
    expect(await rejection(reader.next())).toMatchObject(timeout("did not move for 0.1 s"));
  });

  test("ends after its longest time, however much moves", async () => {
    const { clock, transfer } = setUp();
    const reader = transfer.items(endless(transfer.signal), () => {})[Symbol.asyncIterator]();
    for (let at = 0; at < 1_000; at += 50) {
      await reader.next();
      await clock.advance(50);
    }
    expect(await rejection(reader.next())).toMatchObject(timeout("took longer than 1 s"));
  });

  test("ends with the signal that it follows, and no more with one that it followed", () => {
    const { transfer, ends } = setUp();
    const [first, second] = [new AbortController(), new AbortController()];
    transfer.follow(first.signal)();
    transfer.follow(second.signal);
    first.abort();
    expect(transfer.signal.aborted).toBe(false);
    second.abort(fail("capability.denied", "revoked"));
    expect(transfer.signal.reason).toMatchObject({ code: "capability.denied" });
    transfer.end();
    expect(ends()).toBe(1);
  });

  test("gives no piece to whom it does not belong any more, and ends", async () => {
    const { transfer, ends } = setUp();
    let isAllowed = true;
    const check = (): void => {
      if (!isAllowed) throw fail("capability.out_of_scope", "not any more");
    };
    const reader = transfer.items(endless(transfer.signal), check)[Symbol.asyncIterator]();
    await reader.next();
    isAllowed = false;
    expect(await rejection(reader.next())).toMatchObject({ code: "capability.out_of_scope" });
    expect(ends()).toBe(1);
  });
});
