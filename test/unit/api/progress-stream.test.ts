import { describe, expect, test } from "bun:test";
import { lossy, makeProgressStream } from "../../../src/api/progress-stream.ts";

describe("the lines of work that reports", () => {
  test("come in order, and then its result", async () => {
    const lines = makeProgressStream<number, string>(async (report) => {
      for (let n = 0; n < 200; n++) await report(n);
      return "done";
    });
    const heard: number[] = [];
    let step = await lines.next();
    for (; step.done !== true; step = await lines.next()) heard.push(step.value);
    expect([heard, step.value]).toEqual([Array.from({ length: 200 }, (_, n) => n), "done"]);
  });

  test("are made no faster than they are read, if the work waits for room", async () => {
    let made = 0;
    const lines = makeProgressStream<number, void>(async (report) => {
      for (; made < 10_000; made++) await report(made);
    });
    await lines.next();
    await Bun.sleep(5);
    expect(made).toBeLessThan(100);
    for (let read = 0; read < 300; read++) await lines.next();
    expect(made).toBeGreaterThan(299);
    expect(made).toBeLessThan(500);
    await lines.return();
  });

  test("hold up nobody once the reader is gone", async () => {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const lines = makeProgressStream<number, void>(async (report) => {
      for (let n = 0; n < 1_000; n++) await report(n);
      resolve();
    });
    await lines.next();
    await lines.return();
    await over;
  });
});

test("of what is said without end, whoever reads slowly gets the first of it, and then goes on with what comes", async () => {
  const end = Promise.withResolvers<void>();
  let tell = (_item: number): void => {};
  const stream = makeProgressStream<number, string>(async (report) => {
    tell = lossy(report);
    for (let item = 0; item < 100_000; item++) tell(item);
    await end.promise;
    return "done";
  });
  const first = await stream.next();
  expect(first.value).toBe(0);
  let last = 0;
  let count = 1;
  while (last < 999) {
    last = (await stream.next()).value as number;
    count++;
  }
  expect(count).toBe(1_000);
  await Bun.sleep(0);
  tell(-1);
  expect((await stream.next()).value).toBe(-1);
  end.resolve();
  expect(await stream.next()).toEqual({ done: true, value: "done" });
});
