import { describe, expect, test } from "bun:test";
import { makeProgressStream } from "../../../src/api/progress-stream.ts";

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
