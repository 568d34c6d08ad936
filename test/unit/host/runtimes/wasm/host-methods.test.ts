/** The broker's methods as a module sees them: JSON in, JSON out, and an answer for everything but a wild pointer. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../../../src/base/errors.ts";
import { GuestThrown } from "../../../../../src/host/runtimes/wasm/guest-errors.ts";
import { rejection } from "../../../../fixtures/rejection.ts";
import { denied, openGuest } from "./guest.ts";
import { hookModule } from "./wat.ts";

const IMPORTS = '(import "extism:host/user" "notify_send" (func $ask (param i64) (result i64)))';

/** The event's JSON are the parameters, the answer's JSON is the output. */
const ASK = hookModule(
  `(local $answer i64)
   (local.set $answer (call $ask (call $input_offset)))
   (call $output_set (local.get $answer) (call $length (local.get $answer)))
   (i32.const 0)`,
  { imports: IMPORTS },
);

/** As it is in the memory, and not as JSON of the event. */
const asking = (bytes: string, length: number) =>
  hookModule(
    `(local $answer i64)
     (local.set $answer (call $ask (call $text (i32.const 0) (i32.const ${length}))))
     (call $output_set (local.get $answer) (call $length (local.get $answer)))
     (i32.const 0)`,
    { imports: IMPORTS, data: bytes },
  );

describe("a method", () => {
  test("gets its parameters and gives its result", async () => {
    const { run, calls } = await openGuest(ASK, { answer: () => ({ sent: ["Grüße", 1, null] }) });
    const params = { channel: "ops", message: { text: "Grüße 🚀" } };
    expect(await run(params)).toEqual({ result: { sent: ["Grüße", 1, null] } });
    expect(calls).toEqual([{ method: "notify.send", params }]);
  });

  test("without a result gives null", async () => {
    expect(await (await openGuest(ASK)).run({})).toEqual({ result: null });
  });

  test("takes null, and an empty block, for no parameters", async () => {
    const none = hookModule(
      `(drop (call $ask (i64.const 0))) (drop (call $ask (call $alloc (i64.const 0)))) (i32.const 0)`,
      { imports: IMPORTS },
    );
    const { run, calls } = await openGuest(none);
    await run();
    expect(calls.map(({ params }) => params)).toEqual([{}, {}]);
  });

  test("takes and gives bytes", async () => {
    const { run, calls } = await openGuest(ASK, {
      answer: () => ({ all: [Uint8Array.of(1, 2), Buffer.from("hi")] }),
    });
    expect(await run({ a: { $b64: "AAEC" }, b: [{ $b64: "" }] })).toEqual({
      result: { all: [{ $b64: "AQI=" }, { $b64: "aGk=" }] },
    });
    expect(calls[0]?.params).toEqual({ a: Uint8Array.of(0, 1, 2), b: [new Uint8Array()] });
  });

  test("leaves what only looks like bytes as it is", async () => {
    const { run, calls } = await openGuest(ASK);
    const params = { a: { $b64: "%%" }, b: { $b64: 1 }, c: { $b64: "AA==", more: true } };
    await run(params);
    expect(calls[0]?.params).toEqual(params);
  });

  test("keeps a key that is a name of every object", async () => {
    const { run, calls } = await openGuest(asking("{\\22__proto__\\22:{\\22$b64\\22:\\22AA==\\22}}", 29));
    await run();
    const params = calls[0]?.params as object;
    expect(Object.keys(params)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
  });
});

describe("an error is an answer", () => {
  test("with its code, its words and what else there is", async () => {
    const { run } = await openGuest(ASK, {
      answer() {
        throw denied();
      },
    });
    expect(await run({})).toEqual({
      error: {
        code: "capability.denied",
        message: "that is not granted",
        hint: "grant it",
        details: { capability: "notify_send" },
      },
    });
  });

  test("without what there is not", async () => {
    const { run } = await openGuest(ASK, {
      answer() {
        throw fail("capability.limit", "too much");
      },
    });
    expect(await run({})).toEqual({ error: { code: "capability.limit", message: "too much" } });
  });

  for (const [what, data, length, words] of [
    ["no JSON", "oops", 4, 'found no JSON; it begins with "oops"'],
    ["no UTF-8", "\\ff\\fe", 2, "found no JSON"],
    ["too deep", "[".repeat(300), 300, "found JSON of 300 levels"],
  ] as const)
    test(`where the parameters are ${what}, and nobody is asked`, async () => {
      const { run, calls } = await openGuest(asking(data, length));
      const { error } = (await run()) as { error: { code: string; message: string } };
      expect(error.code).toBe("capability.invalid_params");
      expect(error.message).toStartWith(`notify.send: the parameters: ${words}`);
      expect(calls).toEqual([]);
    });
});

test("a wild offset ends the call, and nobody is asked", async () => {
  const code = hookModule("(drop (call $ask (i64.const -8))) (i32.const 0)", { imports: IMPORTS });
  const { run, calls } = await openGuest(code);
  const error = await rejection(run());
  expect(error).toBeInstanceOf(GuestThrown);
  expect(error).toMatchObject({
    message: "notify_send: the offset 0xfffffffffffffff8 is in no block that the module holds",
  });
  expect(calls).toEqual([]);
});

test("a daemon that can't be asked ends the call", async () => {
  const { run } = await openGuest(ASK, {
    answer() {
      throw new Error("the link is gone");
    },
  });
  expect(await rejection(run({}))).toMatchObject({ name: "Error", message: "the link is gone" });
});
