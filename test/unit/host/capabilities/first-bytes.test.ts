import { describe, expect, test } from "bun:test";
import { takeFirstBytes, type Beginning } from "../../../../src/host/capabilities/first-bytes.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { fakeClock } from "../../../harness.ts";

const MOST = { bytes: 4, ms: 20 };

/** Pieces of text, one after the other; a promise is waited for. */
async function* pieces(...parts: readonly (string | Promise<string>)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(await part);
}

async function textOf(beginning: Beginning): Promise<readonly [kind: string, text: string]> {
  if ("whole" in beginning) return ["whole", Buffer.from(beginning.whole).toString()];
  return ["rest", Buffer.concat(await Array.fromAsync(beginning.rest)).toString()];
}

describe("takeFirstBytes", () => {
  test.each([
    ["nothing", [], ["whole", ""]],
    ["little", ["a", "bc"], ["whole", "abc"]],
    ["exactly as much as may be", ["ab", "cd"], ["whole", "abcd"]],
    ["more", ["ab", "cde", "f"], ["rest", "abcdef"]],
  ])("of %s that comes at once", async (_what, parts, expected) => {
    const beginning = await takeFirstBytes(pieces(...parts), MOST, fakeClock());
    expect(await textOf(beginning)).toEqual(expected as [string, string]);
  });

  test("does not wait longer than it may, and loses nothing", async () => {
    const clock = fakeClock();
    const late = Promise.withResolvers<string>();
    const taking = takeFirstBytes(pieces("ab", late.promise), MOST, clock);
    await Bun.sleep(0);
    await clock.advance(20);
    const beginning = await taking;
    late.resolve("cd");
    expect(await textOf(beginning)).toEqual(["rest", "abcd"]);
  });

  test("hands a failure on, at once or to whoever reads the rest", async () => {
    const clock = fakeClock();
    const late = Promise.withResolvers<string>();
    const broken = Promise.reject(new Error("broken"));
    expect(await rejection(takeFirstBytes(pieces("a", broken), MOST, clock))).toMatchObject({
      message: "broken",
    });
    const taking = takeFirstBytes(pieces(late.promise), MOST, clock);
    await Bun.sleep(0);
    await clock.advance(20);
    const beginning = await taking;
    late.reject(new Error("broken later"));
    expect(await rejection(textOf(beginning))).toMatchObject({ message: "broken later" });
  });

  test("leaves its source to whoever stops reading the rest", async () => {
    let ended = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from("abc");
      } finally {
        ended = true;
      }
    }
    const beginning = await takeFirstBytes(source(), MOST, fakeClock());
    if ("rest" in beginning) for await (const _ of beginning.rest) break;
    expect(ended).toBe(true);
  });
});
