import { describe, expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { makeStreams, type StreamSource } from "../../../../src/host/capabilities/streams.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { until } from "../../../harness.ts";

const never = new AbortController().signal;

function setUp() {
  const life = new AbortController();
  const streams = makeStreams();
  let refusal: Error | undefined;
  const check = (): void => {
    if (refusal !== undefined) throw refusal;
  };
  return {
    life,
    streams,
    calls: streams.during({ life: life.signal, check }),
    refuse: () => (refusal = fail("capability.denied", "not any more")),
  };
}

/** Counts what was taken from it, and whether it was told to end. */
function numbers(most = Infinity) {
  const seen = { taken: 0, ended: false };
  async function* source(signal: AbortSignal): StreamSource & AsyncGenerator<number> {
    try {
      while (seen.taken < most && !signal.aborted) yield seen.taken++;
    } finally {
      seen.ended = true;
    }
  }
  return { seen, source };
}

/** Gives nothing until it is told to end. */
async function* silence(signal: AbortSignal): AsyncGenerator<number> {
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  if (!signal.aborted) yield 0;
}

describe("a stream", () => {
  test("gives its items in order, whole, and then says that it is done and is forgotten", async () => {
    const { calls } = setUp();
    const handle = await calls.start(numbers(1_000).source);
    const items: unknown[] = [];
    for (let done = false; !done;) {
      const batch = await calls.next(handle, never);
      items.push(...batch.items);
      ({ done } = batch);
    }
    expect(items).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "stream.not_found" });
  });

  test("is read ahead by a bounded number of items, whatever its plugin does", async () => {
    const { calls } = setUp();
    const { seen, source } = numbers();
    const handle = await calls.start(source);
    await until(() => seen.taken >= LIMITS.streamAheadItems);
    await Bun.sleep(20);
    expect(seen.taken).toBeLessThanOrEqual(LIMITS.streamAheadItems + 1);
    await calls.next(handle, never);
    await until(() => seen.taken > LIMITS.streamAheadItems + 1);
    calls.close(handle);
  });

  test("is read ahead by a bounded number of characters", async () => {
    const { calls } = setUp();
    let taken = 0;
    const handle = await calls.start(async function* () {
      for (;;) yield `${taken++}`.padEnd(LIMITS.streamAheadChars / 4);
    });
    await until(() => taken >= 4);
    await Bun.sleep(20);
    expect(taken).toBeLessThanOrEqual(5);
    expect((await calls.next(handle, never)).items.length).toBeLessThanOrEqual(5);
    calls.close(handle);
  });

  test("fails with what its source failed with, after what came before", async () => {
    const { calls } = setUp();
    const handle = await calls.start(async function* () {
      yield 1;
      throw fail("network.failed", "cut");
    });
    expect(await calls.next(handle, never)).toEqual({ items: [1], done: false });
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "network.failed" });
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "stream.not_found" });
  });

  test("does not give an item that no message could carry", async () => {
    const { calls } = setUp();
    const handle = await calls.start(async function* () {
      yield "x".repeat(LIMITS.messageBytes);
    });
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "capability.limit" });
  });

  test("ends at its source when it is closed", async () => {
    const { calls } = setUp();
    const { seen, source } = numbers();
    const handle = await calls.start(source);
    await calls.next(handle, never);
    calls.close(handle);
    calls.close(handle);
    await until(() => seen.ended);
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "stream.not_found" });
  });

  test("ends with its room, also while somebody waits for it", async () => {
    const { calls, life } = setUp();
    const handle = await calls.start(silence);
    const next = calls.next(handle, never);
    life.abort();
    expect(await next).toEqual({ items: [], done: true });
  });

  test("that begins while its room ends is not kept", async () => {
    const { calls, life } = setUp();
    const { seen, source } = numbers();
    const begun = calls.start(async (signal) => {
      life.abort();
      return source(signal);
    });
    expect(await rejection(begun)).toMatchObject({ name: "AbortError" });
    expect(seen.taken).toBe(0);
    expect(await rejection(calls.start(source))).toMatchObject({ name: "AbortError" });
  });

  test("whose right is taken away gives nothing any more, not even what was read ahead", async () => {
    const { calls, streams, refuse } = setUp();
    const { seen, source } = numbers();
    const handle = await calls.start(source);
    await until(() => seen.taken >= LIMITS.streamAheadItems);
    refuse();
    streams.recheck();
    await until(() => seen.ended);
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "capability.denied" });
  });

  test("whose right is taken away refuses whoever waits for it", async () => {
    const { calls, streams, refuse } = setUp();
    const handle = await calls.start(silence);
    const next = rejection(calls.next(handle, never));
    refuse();
    streams.recheck();
    expect(await next).toMatchObject({ code: "capability.denied" });
  });

  test("is checked at each look, also where nobody said that a right changed", async () => {
    const { calls, refuse } = setUp();
    const handle = await calls.start(numbers().source);
    await calls.next(handle, never);
    refuse();
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "capability.denied" });
  });

  test("goes on when one who waited for it gives up", async () => {
    const { calls } = setUp();
    const gate = Promise.withResolvers<void>();
    const handle = await calls.start(async function* () {
      await gate.promise;
      yield 1;
    });
    const stop = new AbortController();
    const next = rejection(calls.next(handle, stop.signal));
    stop.abort();
    expect(await next).toMatchObject({ name: "AbortError" });
    gate.resolve();
    expect(await calls.next(handle, never)).toEqual({ items: [1], done: false });
  });

  test("that can't be written to says so, and one that can gets what is written", async () => {
    const { calls } = setUp();
    const written: unknown[] = [];
    const readOnly = await calls.start(silence);
    expect(await rejection(calls.write(readOnly, 1, never))).toMatchObject({
      code: "capability.invalid_params",
    });
    const both = await calls.start((signal) =>
      Object.assign(silence(signal), { write: async (data: unknown) => void written.push(data) }),
    );
    await calls.write(both, "hello", never);
    expect(written).toEqual(["hello"]);
    for (const handle of [readOnly, both]) calls.close(handle);
  });

  test("is one of a bounded number, and a closed one makes room", async () => {
    const { calls } = setUp();
    const handles = await Promise.all(
      Array.from({ length: LIMITS.streamsPerPlugin }, () => calls.start(silence)),
    );
    expect(await rejection(calls.start(silence))).toMatchObject({ code: "capability.limit" });
    calls.close(handles[0] ?? "");
    handles.push(await calls.start(silence));
    for (const handle of handles) calls.close(handle);
  });

  test("that has ended and is unread makes room for another", async () => {
    const { calls } = setUp();
    const [unread, ...others] = await Promise.all([
      calls.start(numbers(1).source),
      ...Array.from({ length: LIMITS.streamsPerPlugin - 1 }, () => calls.start(silence)),
    ]);
    await Bun.sleep(0);
    others.push(await calls.start(silence));
    expect(await rejection(calls.next(unread, never))).toMatchObject({ code: "stream.not_found" });
    for (const handle of others) calls.close(handle);
  });

  test("that fails while nobody reads gives what came before, and then its reason", async () => {
    const { calls } = setUp();
    const failed = new AbortController();
    const { seen, source } = numbers();
    const handle = await calls.start((signal) => Object.assign(source(signal), { failed: failed.signal }));
    await until(() => seen.taken > LIMITS.streamAheadItems - 1);
    failed.abort(fail("network.timeout", "nothing moved"));
    const { items, done } = await calls.next(handle, never);
    expect(items).toEqual(Array.from({ length: LIMITS.streamAheadItems }, (_, i) => i));
    expect(done).toBe(false);
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "network.timeout" });
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "stream.not_found" });
    await until(() => seen.ended);
  });

  test("that has failed gives nothing of what came before once its right is gone", async () => {
    const { calls, refuse } = setUp();
    const failed = new AbortController();
    const { seen, source } = numbers();
    const handle = await calls.start((signal) => Object.assign(source(signal), { failed: failed.signal }));
    await until(() => seen.taken >= LIMITS.streamAheadItems);
    failed.abort(fail("network.timeout", "nothing moved"));
    refuse();
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "capability.denied" });
    expect(await rejection(calls.next(handle, never))).toMatchObject({ code: "stream.not_found" });
  });

  test("whose beginning fails is no stream, and its source is told to end", async () => {
    const { calls } = setUp();
    let told: AbortSignal | undefined;
    const begun = calls.start((signal) => {
      told = signal;
      throw fail("network.failed", "nobody there");
    });
    expect(await rejection(begun)).toMatchObject({ code: "network.failed" });
    expect(told?.aborted).toBe(true);
  });
});
